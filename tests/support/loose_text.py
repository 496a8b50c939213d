"""Text that people read and that no catalogue has, found in the source of pages, templates and scripts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

TRANSLATE = {"_", "N_", "ngettext", "pgettext", "message"}
# What is no text in these arguments and calls, whatever it looks like.
OTHER_ARGUMENTS = {
    *("className", "class_name", "toggle_class_name", "input_class_name", "label_class_name", "id", "type", "role"),
    *("href", "src", "autocomplete", "style", "pattern", "target", "rel", "methods", "endpoint", "mimetype"),
}
OTHER_CALLS = {
    *("data", "icon", "compile", "fullmatch", "match", "sub", "split", "partition", "replace", "removesuffix"),
    *("info", "warning", "error", "exception", "describe", "getLogger", "TypeVar", "Input", "Output", "State", "at"),
    *("BadRequest", "NotFound", "Forbidden", "ValueError", "RuntimeError", "KeyError", "UnsupportedMediaType", "get"),
    *("clientside_callback", "run_if_due", "environ", "strftime", "_json_error", "isoformat"),
    *("Code", "_codes", "command", "line"),  # code and commands
}
NAMES = {"Footfall", "UTM", "CSV", "PNG", "SVG", "JSON", "API", "OpenAPI", "UTC", "WordPress", "Plausible", "Umami"}

_NAMES = re.compile(rf"\b(?:{'|'.join(NAMES)})\b")
# Texts that only look like words of a language: keys of other programs, and what no reader sees.
NO_WORDS = {
    *("Escape", "Server", "Allow", "Lax", "Cc", "Cs", "Cn", "natural earth", "status only"),
    "not reached",  # a verdict of the dry run
    "private, no-cache",  # a header
    *("input.form-control, textarea", '"Inter Variable", Inter, system-ui, sans-serif'),
    *("Zoom in", "Zoom out", "Reset axes", "Download plot as a PNG", "Image download succeeded"),  # plotly's
    *("Preparing image - this may take a few seconds", "Sorry, there was a problem downloading your image!"),
    'footfall ${options.address}${options.poll ? " polled" : ""}',
    "${footfall.write.time(epoch * 1000, zone, true)} · ${zone}",
    "${footfall.write.day(ms, zone)}, ${time} · ${zone}",
}

_WORDS = re.compile(r"^\W*[A-Z][a-zäöü]+|[A-Za-z]{2,}[,;:]? [A-Za-z]|^ ?[a-z]{2,} $|^ [a-z]{2,}")
_NO_TEXT = re.compile(
    r"^(?:(?:ff|is|btn|form|dropdown|col|g|mb|me)-[\w-]+\s*)+$"  # classes
    r"|^[A-Z][a-z]+(?:-[A-Z][a-zA-Z]+)+$"  # a header
    r"|^ ?[#.\[/&?<]|^ data-"  # a selector, an address, a tag
    r"|^[a-z-]+-src |[{};]$|^[A-Z][a-z]+[A-Z]\w*$|^[A-Z][a-z]+/[A-Z]"  # a policy, CSS, a name of a class, a zone
)


def is_text(text: str) -> bool:
    """Whether people would read it as words of a language."""
    bare = _NAMES.sub("", text)
    return bool(_WORDS.search(bare)) and not _NO_TEXT.search(text)


class _Finder(ast.NodeVisitor):
    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []
        self.in_f_string = 0

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in TRANSLATE:
            texts = node.args[:2] if name in ("ngettext", "pgettext") else node.args[:1]
            is_literal = all(isinstance(each, ast.Constant) for each in texts)
            if self.in_f_string or (name != "_" and not is_literal) or isinstance(texts[0], ast.JoinedStr):
                self.found.append((node.lineno, f"{name}(…) that `make words` does not find"))
            for each in (*node.args[len(texts) :], *node.keywords):
                self.visit(each)
            return
        if name in OTHER_CALLS:
            return
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in OTHER_ARGUMENTS:
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        if is_text(text):
            self.found.append((node.lineno, text))
        self.in_f_string += 1
        for part in node.values:
            if not isinstance(part, ast.Constant):
                self.visit(part)
        self.in_f_string -= 1

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and is_text(node.value):
            self.found.append((node.lineno, node.value))

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_arguments(self, node: ast.arguments) -> None:
        for each in (*node.defaults, *node.kw_defaults):
            if each:
                self.visit(each)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)  # a key, or an annotation


def in_python(source: str) -> list[tuple[int, str]]:
    """The lines and texts of a module that are in no call of a function that translates."""
    finder = _Finder()
    finder.visit(ast.parse(source))
    return finder.found


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self.pieces: list[str] = []
        self.code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.code += tag in ("script", "style", "code", "pre")
        for name, value in attrs:
            if name in ("aria-label", "title", "placeholder", "alt", "label"):
                self._check(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.code -= tag in ("script", "style", "code", "pre")

    def handle_data(self, data: str) -> None:
        if not self.code:
            self._check(data)

    def _check(self, text: str) -> None:
        self.pieces.append(" ".join(text.split()))
        bare = _NAMES.sub("", text)
        if re.search("[A-Za-z]{2}", bare) and "." not in text.strip(". ") and '="' not in text:
            self.found.append((self.getpos()[0], " ".join(text.split())))


def in_template(source: str) -> list[tuple[int, str]]:
    """The texts of a template outside its expressions."""
    page = _Page()
    page.feed(re.sub(r"\{[{%#].*?[}%#]\}", lambda found: re.sub(r"[^\n]", "·", found[0]), source, flags=re.DOTALL))
    page.close()
    return page.found


def pieces(page: str) -> list[str]:
    """Every text of a page, with the spaces between."""
    read = _Page()
    read.feed(page)
    read.close()
    return read.pieces


_SAY = re.compile(r"""\bsay(?:\.plural)?\(\s*"(?:[^"\\]|\\.)*"(?:\s*,\s*"(?:[^"\\]|\\.)*")?""")
_LITERAL = re.compile(r""""((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`""")
_SCRIPT_TEXT = re.compile(r"^[A-Z][a-z]{2,}(?: |…|$)|[a-z]{2,},? [a-z]{2,}|\} [a-z]{3,}|^[a-z]{2,} \$")
_CODE = re.compile(r"^(?:[a-z]+-[a-z-]+|use strict|[#.\[])|=>|[=;{]\s*$|ff-|is-|^[A-Z][a-z]+[A-Z]|\[|>|^(?:Arrow|Page)")


def in_script(source: str) -> list[tuple[int, str]]:
    """The texts of a script outside `say`."""
    bare = re.sub(r"^\s*//.*$|\s//\s.*$|/\*[\s\S]*?\*/", "", source, flags=re.MULTILINE)
    bare = _SAY.sub("say(", bare)
    return [
        (bare.count("\n", 0, found.start()) + 1, text)
        for found in _LITERAL.finditer(bare)
        if _SCRIPT_TEXT.search(text := found[1] or found[2] or "") and not _CODE.search(text)
    ]


def loose_texts(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a page, a template or a script that are in no catalogue: line and text."""
    read = {".py": in_python, ".html": in_template, ".js": in_script}[path.suffix]
    for line, text in read(path.read_text("utf-8")):
        if text not in NO_WORDS:
            yield line, text
