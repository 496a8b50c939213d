"""The catalogues of words, made from the code: `make words` writes them, tests/unit/test_catalogues.py reads them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract, extract_python
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from analytics.base.words import FOLDER, TRANSLATED

ROOT = Path(__file__).parents[2]
SCRIPT_WORDS = ROOT / "assets" / "words"
KEYWORDS = {"_": None, "N_": None, "message": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
PYTHON = "app.py", *(f"{room}/**/*.py" for room in ("analytics", "layouts", "callbacks", "collector"))
TEMPLATES = ("layouts/plain/*.html",)
SCRIPTS = "assets/components/*.js", "assets/lib/*.js", "assets/pages/*.js", "collector/card/*.js"

_SAID = re.compile(r"""\bsay(\.plural)?\(\s*("(?:[^"\\]|\\.)*")(?:\s*,\s*("(?:[^"\\]|\\.)*"))?""")
_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)


def extract_said(file: IO[bytes], *_: object, **__: object) -> Iterator[tuple[int, str, Any, list[str]]]:
    """The texts of `say("…")` and `say.plural("…", "…", n)` in a script. Babel's own reader misses those inside another
    call.
    """
    script = _COMMENT.sub("", file.read().decode())
    for found in _SAID.finditer(script):
        texts = tuple(json.loads(each) for each in found.groups()[1:] if each)
        line = script.count("\n", 0, found.start()) + 1
        yield (line, "ngettext", texts, []) if found[1] else (line, "_", texts[0], [])


def _files(patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(ROOT.glob(pattern))


def template() -> Catalog:
    """Every text of the code with the files that have it, sorted by file and place."""
    found = Catalog(fuzzy=False)
    for method, patterns in ((extract_python, PYTHON), (babel_extract, TEMPLATES), (extract_said, SCRIPTS)):
        for path in _files(patterns):
            name = str(path.relative_to(ROOT))
            texts = extract(method, BytesIO(path.read_bytes()), KEYWORDS, options={"silent": "false"})
            for line, text, _comments, context in texts:
                found.add(text, locations=[(name, line)], context=context)
    return found


def written(name: str) -> Catalog:
    """The catalogue of a language as it is in its file; empty where there is none."""
    path = FOLDER / f"{name}.po"
    if not path.exists():
        return Catalog(locale=name, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=name)


def key(message: Message) -> tuple[str, Any]:
    """What tells messages apart: the context, and the text or both forms of it."""
    return message.context or "", message.id


def ids(message: Message) -> tuple[str, ...]:
    """The English text, or both forms of it."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def forms(message: Message) -> tuple[str, ...]:
    """The translation, or each form of it; "" for one that is missing."""
    return (message.string or "",) if isinstance(message.string, str | None) else tuple(message.string)


def updated(name: str, texts: Catalog) -> Catalog:
    """The texts of the code with the translations that the language has of them."""
    known = {key(message): message.string for message in written(name)}
    made = Catalog(locale=name, fuzzy=False)
    for message in texts:
        if message.id:
            made.add(message.id, known.get(key(message)) or "", locations=message.locations, context=message.context)
    for message in made:
        message.flags.clear()  # Babel guesses a kind of placeholder that is not ours
    return made


def as_file(catalogue: Catalog) -> bytes:
    """The catalogue as it is stored: without dates and line numbers, which would change with every edit."""
    body = BytesIO()
    write_po(body, catalogue, width=0, omit_header=True, sort_by_file=True, include_lineno=False)
    heads = (
        f"Language: {catalogue.locale}",
        "Content-Type: text/plain; charset=utf-8",
        f"Plural-Forms: {catalogue.plural_forms}",
    )
    head = "".join(f'"{line}\\n"\n' for line in heads)
    return f'msgid ""\nmsgstr ""\n{head}\n'.encode() + body.getvalue()


def is_said(message: Message) -> bool:
    """Whether a script of the pages has the text."""
    return any(name.startswith("assets/") for name, _ in message.locations)


def as_script(name: str, catalogue: Catalog) -> str:
    """The texts of scripts with their translations, and the rule of plurals, for `say` of assets/lib/language.js."""
    said: dict[str, Any] = {}
    for message in catalogue:
        if message.id and is_said(message) and all(forms(message)):
            said[ids(message)[0]] = message.string
    rule = re.sub(r"([!=]=)", r"\1=", catalogue.plural_expr.strip("()"))
    plural = f"(n) => Number({rule})" if "n" in rule else f"() => {rule}"
    table = json.dumps(dict(sorted(said.items())), ensure_ascii=False, indent=2)
    made = f"// Made by `make words` from analytics/base/catalogues/{name}.po.\n"
    return f"{made}window.footfall = {{...window.footfall, words: {table}, plural: {plural}}};\n"


def placeholders(text: str) -> set[str]:
    """The names in braces."""
    return set(re.findall(r"\{(\w+)\}", text))


def main(languages: Collection[str] = TRANSLATED) -> Mapping[str, int]:
    """Writes the files of each language; the number of texts that have no translation."""
    texts = template()
    missing = {}
    SCRIPT_WORDS.mkdir(exist_ok=True)
    for name in languages:
        catalogue = updated(name, texts)
        (FOLDER / f"{name}.po").write_bytes(as_file(catalogue))
        (SCRIPT_WORDS / f"{name}.js").write_text(as_script(name, catalogue), "utf-8")
        missing[name] = sum(not all(forms(message)) for message in catalogue if message.id)
    return missing


if __name__ == "__main__":
    for language, number in main().items():
        print(f"{language}: {number} texts without a translation")
    sys.exit(0)
