"""The day's work, and the check that all numbers agree with the raw rows."""

from __future__ import annotations

from analytics.commands.command import Command, CommandContext, option
from analytics.jobs import daily
from analytics.jobs import verify as verification


def maintain(context: CommandContext) -> str:
    """Does the day's work now (daily counts, purge, salts) and says what was done."""
    options = context.retention_days, context.pause, context.report, context.window_s, context.sample_days
    work = daily.Work(context.database, context.now, *options)
    return "\n".join(daily.run(work)) or "Nothing to do."


def verify(context: CommandContext, repair: bool = False) -> str:
    """Compares the columnar replica with the database, and derived numbers with raw rows.

    `verification.agrees` says whether the text reports no difference. With `repair`, what can be repaired is repaired
    first, and the text ends with a line for each repair.
    """
    assert context.columnar is not None
    settings = verification.Settings(context.window_s, context.retention_days, context.sample_days)
    how = context.columnar, context.pause, context.report, settings
    done = verification.repair(*how) if repair else []
    return "\n".join([verification.as_text(verification.verify(*how)), *(f"Repaired: {line}" for line in done)])


COMMANDS: tuple[Command, ...] = (
    Command(
        "maintain",
        maintain,
        help="Do the day's work now: count daily usage and the minutes of each day, purge old heartbeats and samples, "
        "destroy old salts.",
    ),
    Command(
        "verify",
        verify,
        (option("--repair", is_flag=True, help="Set right what can be; what is left is listed."),),
        "Compare the columnar replica and every derived number with the raw rows; exit 1 and a list where they "
        "differ.\n\nEvery number and every row of the replica is compared with the database, and every derived number "
        "is counted again as far back as raw rows are kept: visits from their pageviews and events, daily usage, "
        "minutes and stored outcomes from heartbeats.",
        failed=lambda text: not verification.agrees(text),
    ),
)
