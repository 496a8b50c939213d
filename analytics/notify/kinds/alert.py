"""An alert of a severity begins, whichever rule made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from analytics.base.words import N_, _
from analytics.notify.json_fields import FieldReader, Fields, choice
from analytics.notify.kinds.kind import AlertWhen, RuleKind, Wording
from analytics.notify.rule import Severity

ALERT = "alert"
SEVERITIES = list(Severity)
SENTENCES: Mapping[Severity, str] = {
    Severity.INFO: N_("an alert begins"),
    Severity.WARNING: N_("an alert begins that is a warning or worse"),
    Severity.ERROR: N_("an alert begins that is an error or worse"),
    Severity.CRITICAL: N_("a critical alert begins"),
}


@dataclass(frozen=True, slots=True)
class AlertBegins(AlertWhen):
    """When an alert begins that is at least so severe."""

    severity: Severity

    def concerns(self, severity: str) -> bool:
        """As `AlertWhen`."""
        return severity in SEVERITIES[SEVERITIES.index(self.severity) :]

    def plain(self) -> dict[str, Any]:
        """As `When`."""
        return {ALERT: str(self.severity)}

    def sentence(self, wording: Wording) -> str:
        """As `When`."""
        return _(SENTENCES[self.severity])


def _read(reading: FieldReader, given: Fields, _mark: str) -> AlertBegins:
    fields = reading.fields_of("when.", given, (ALERT,), ())
    return AlertBegins(reading.field(fields, ALERT, partial(choice, Severity), Severity.CRITICAL, "when."))


KIND = RuleKind("alert", (ALERT,), _read)
