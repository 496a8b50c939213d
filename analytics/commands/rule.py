"""Rules: when to notify, and whom."""

from __future__ import annotations

import sys
from contextlib import nullcontext

import click

from analytics.base.errors import InvalidInput
from analytics.base.program import command
from analytics.commands.command import (
    SITE,
    Command,
    CommandContext,
    backend_of,
    domains,
    id_argument,
    moment,
    option,
    site_of,
)
from analytics.live.minutes import StillCounting
from analytics.notify import rule_json, rules
from analytics.notify.event_fields import as_text
from analytics.notify.kinds.kind import AS_SENT
from analytics.notify.rule import Rule
from analytics.notify.template import NotificationText
from analytics.notify.trial import AlertTrial, EventTrial, MetricTrial
from analytics.notify.trials import TrialSources, try_rule
from analytics.reports.formats import columns
from analytics.sites import store

MAX_FILE = 64 * 1024  # characters of a rule


def rule_add(context: CommandContext, site: str, definition: str) -> str:
    """Adds a rule from its JSON."""
    found = store.find(context.database, site)
    rule = rules.add(context.database, found.id, rule_json.read_text(definition), now=context.now)
    return f"Rule {rule.id}, {rule.name}, is added: when {rule.when.sentence(AS_SENT)}."


def rule_list(context: CommandContext) -> str:
    """Every rule, one a line."""
    by_id = domains(context)
    rows = [
        (str(rule.id), by_id.get(rule.site_id, "-"), rule.name, rule.when.sentence(AS_SENT), _rule_state(rule))
        for rule in rules.all_rules(context.database)
    ]
    names = "ID", "SITE", "NAME", "WHEN", "STATE"
    return columns(names, rows) or f"No rule yet. {command('rule add --site DOMAIN --json FILE')} adds one."


def _rule_state(rule: Rule) -> str:
    return "on" if rule.enabled else f"off: {rule.wrong}" if rule.wrong else "off"


def rule_test(context: CommandContext, rule_id: int) -> str:
    """Says whether the rule would notify now, and what it would say. Nothing is sent."""
    rule = rules.get(context.database, rule_id)
    site = site_of(context, rule.site_id)
    sources = TrialSources(context.database, backend_of(context), context.window_s)
    try:
        tried = try_rule(rule, site, sources, now=context.now)
    except StillCounting as wait:
        raise InvalidInput(f"{wait}, at night or by {command('maintain')}") from None
    begin = f"Rule {rule.id}, {rule.name}, notifies when {rule.when.sentence(AS_SENT)}."
    return "\n".join([begin, *(_of_metric(tried) if isinstance(tried, MetricTrial) else _of_newest(tried))])


def _of_newest(tried: EventTrial | AlertTrial) -> list[str]:
    of = "events" if isinstance(tried, EventTrial) else "alerts"
    count = f"It would notify of {tried.matching} of the newest {tried.tried} {of}"
    if tried.at is None:
        return [f"{count}."]
    return [f"{count}; of the newest one, of {moment(tried.at)}:", *_lines(tried.text)]


def _of_metric(tried: MetricTrial) -> list[str]:
    is_now = "There is no data now" if tried.value is None else f"It is {as_text(tried.value)} now"
    if not tried.is_breached:
        return [f"{is_now}, so it would not notify."]
    return [f"{is_now}; if it stays so, it notifies:", *_lines(tried.text)]


def _lines(text: NotificationText) -> list[str]:
    link = f"{text.link_label} {text.link}".strip() if text.link else ""
    return [f"  {line}" for line in (text.title, *text.message.split("\n"), link) if line]


def rule_remove(context: CommandContext, rule_id: int) -> str:
    """Removes the rule with that id."""
    return f"The rule {rules.remove(context.database, rule_id)} is removed."


def _from_file(context: click.Context, _: click.Parameter, path: str) -> str:
    """The text of the file, in UTF-8; `-` is standard input."""
    try:
        with nullcontext(sys.stdin) if path == "-" else open(path, encoding="utf-8") as file:
            text = file.read(MAX_FILE + 1)
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not in UTF-8") from None
    except OSError as failed:
        raise InvalidInput(f"{path} cannot be read: {failed.strerror}") from None
    if len(text) > MAX_FILE:
        raise InvalidInput(f"{path} is larger than {MAX_FILE // 1024} kB")
    return text


COMMANDS: tuple[Command, ...] = (
    Command(
        "rule add",
        rule_add,
        (
            SITE,
            option(
                "--json",
                "definition",
                required=True,
                callback=_from_file,
                metavar="FILE",
                help="The rule, as in the API; - is standard input.",
            ),
        ),
        """Add a rule, which says when to notify and whom.

    \b
    {"name": "Large payments", "when": {"event": "payment", "where": [["value", ">", 100]]},
     "notify": {"priority": "high", "title": "Payment of {value} {currency}"}}
    """,
    ),
    Command("rule list", rule_list, help="List the rules."),
    Command(
        "rule test",
        rule_test,
        (id_argument("rule_id"),),
        "Say whether a rule would notify now, and what it would say. Nothing is sent.",
    ),
    Command("rule remove", rule_remove, (id_argument("rule_id"),), "Remove a rule."),
)
