"""The tables of the documents that are made from lists in the code: `make docs` writes them.

A table is between `<!-- made: NAME -->` and `<!-- /made -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path

import click

from analytics.base.config import SETTINGS, Config, Setting
from analytics.live.reasons import REASONS
from analytics.query.dimensions import DIMENSIONS
from analytics.query.metrics import METRICS
from collector.doors.openapi import CREDENTIALS
from collector.doors.table import DOORS

ROOT = Path(__file__).parents[2]
MAX_CHOICES = 4
FIRST = ("serve", "demo")
UNSHOWN = {"data_dir", "workers"}  # an option of every command, and one without use yet


def row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def settings() -> Iterator[str]:
    yield row(("variable", "unit", "default", ""))
    yield "|---|---|---|---|"
    for setting in SETTINGS:
        yield row((f"`{setting.variable}`", setting.unit, shown_default(setting), setting.help))


def shown_default(setting: Setting) -> str:
    value = next(field.default for field in fields(Config) if field.name == setting.name)
    if value in ("", None):
        return "empty"
    if value == ():
        return "none"
    return f"`{'on' if value is True else 'off' if value is False else value}`"


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Every command of the tree by its words: first those with which people begin, then in the order of the tree."""
    from app import cli

    found = dict(_below("", cli))
    yield from ((words, found.pop(words)) for words in FIRST)
    yield from found.items()


def _below(words: str, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from _below(f"{words}{name} ", one)
        else:
            yield f"{words}{name}", one


def commands() -> Iterator[str]:
    yield row(("command", "what it does"))
    yield "|---|---|"
    for words, one in every_command():
        yield row((f"`{' '.join([words, *usage(one)])}`", said(one)))


def usage(one: click.Command) -> list[str]:
    """The arguments of a command, then its options."""
    shown = [parameter for parameter in one.params if parameter.name not in UNSHOWN]
    arguments = [_argument(parameter) for parameter in shown if isinstance(parameter, click.Argument)]
    return arguments + [_option(parameter) for parameter in shown if isinstance(parameter, click.Option)]


def _argument(one: click.Argument) -> str:
    name = one.make_metavar(click.Context(click.Command("any"))).replace("...", "…")
    return name if one.required or name.startswith("[") else f"[{name}]"


def _option(one: click.Option) -> str:
    text = one.opts[0] if one.is_flag else f"{one.opts[0]} {_value(one)}"
    return (text if one.required else f"[{text}]") + ("…" if one.multiple else "")


def _value(one: click.Option) -> str:
    if isinstance(one.type, click.Choice):
        choices = list(map(str, one.type.choices))
        return r"\|".join(choices if len(choices) <= MAX_CHOICES else [choices[0], "…"])
    if one.show_default:
        return f"{one.default:g}" if isinstance(one.default, float) else str(one.default)
    return one.metavar or "…"


def said(one: click.Command) -> str:
    """The help as one line, without its examples."""
    paragraphs = [part for part in (one.help or "").split("\n\n") if "\b" not in part]
    text = " ".join(" ".join(paragraphs).split()).replace("|", r"\|")
    return re.sub(r"(--[a-z][a-z-]*(?: (?:0|::|unix:\S+)(?!\w))?|<iframe>)", r"`\1`", text)


# ── doors ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def doors() -> Iterator[str]:
    yield row(("address", "who", "what it is"))
    yield "|---|---|---|"
    for door in DOORS:
        if door.docs:
            who = " ".join(CREDENTIALS[one].removesuffix(".") + "." for one in door.credentials) or "Anybody."
            yield row((f"`{door.methods[0]} {door.path}`", who, f"{door.docs.summary}. {door.docs.description}"))


# ── reasons ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def reasons() -> Iterator[str]:
    yield row(("outcome", "reason", "on the Traffic page", "why, and what to do"))
    yield "|---|---|---|---|"
    for outcome, kind in REASONS.items():
        for one in kind:
            yield row((outcome, f"`{one}`" if one else "", one.label, one.advice))


# ── metrics and dimensions ───────────────────────────────────────────────────────────────────────────────────────────


def metrics() -> Iterator[str]:
    yield row(("name", "on pages", "unit", "what it counts"))
    yield "|---|---|---|---|"
    for one in METRICS.values():
        yield row((f"`{one.id}`", one.label, one.unit, one.definition))


def dimensions() -> Iterator[str]:
    yield row(("name", "in Plausible's API", "on pages", "a fact of a", "where there is none"))
    yield "|---|---|---|---|---|"
    for one in DIMENSIONS.values():
        yield row((f"`{one.id}`", f"`{one.wire}`", one.label, one.of, "" if one.of == "time" else one.none))


MADE: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "settings": ("README.md", settings),
    "commands": ("README.md", commands),
    "doors": ("docs/reference.md", doors),
    "reasons": ("docs/reference.md", reasons),
    "metrics": ("docs/reference.md", metrics),
    "dimensions": ("docs/reference.md", dimensions),
}
"""By name: the document, and the function that makes the lines of the table."""


def written(name: str) -> str:
    """The table as it is in its document."""
    return _place(name).search((ROOT / MADE[name][0]).read_text("utf-8"))[1]  # type: ignore[index]


def made(name: str) -> str:
    """The table as the code makes it."""
    return "".join(f"{line}\n" for line in MADE[name][1]())


def _place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- made: {name} -->\n)(.*?)(?=<!-- /made -->)", re.DOTALL)


def write(name: str) -> None:
    path = ROOT / MADE[name][0]
    text = path.read_text("utf-8")
    path.write_text(_place(name).sub(lambda _: made(name), text, count=1), "utf-8")


if __name__ == "__main__":
    for each in MADE:
        write(each)
    sys.exit(0)
