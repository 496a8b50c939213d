"""The documentation of the statistics API. Its schema is made from the lists of metrics and dimensions."""

from __future__ import annotations

from analytics.calendar.period import MAX_DAYS
from analytics.query.dimensions import DIMENSIONS
from analytics.query.filters import GROUPS, OPERATORS
from analytics.query.metrics import METRICS
from analytics.query.query import MAX_ROWS
from collector.api import plausible_query
from collector.api.docs import Docs, Object, RequestBody, parameter, reference

MINUTE_METRICS = [one.id for one in METRICS.values() if one.of_minutes]


def _schema() -> Object:
    dimensions = (plausible_query.TIME, plausible_query.COUNTRY_NAME, *(one.wire for one in DIMENSIONS.values()))
    words = ", ".join(OPERATORS), ", ".join(GROUPS)
    fields: Object = {
        "site_id": {"type": "string", "description": "The site's domain, as added."},
        "metrics": {
            "type": "array",
            "items": {"enum": list(METRICS)},
            "minItems": 1,
            "uniqueItems": True,
            "description": f"What is counted: {', '.join(METRICS)}. {' and '.join(MINUTE_METRICS)} count everybody "
            "on the site: without filters, split by time or not at all.",
        },
        "date_range": {
            "anyOf": [
                {"enum": list(plausible_query.RANGES)},
                {"type": "string", "pattern": "^[1-9][0-9]{0,3}d$"},
                {"type": "array", "items": {"type": "string"}},
            ],
            "description": f"{', '.join(plausible_query.RANGES)}, any number of days (1d to {MAX_DAYS}d), two dates, "
            "or two moments with their offset, both in it.",
        },
        "dimensions": {
            "type": "array",
            "items": {"type": "string"},
            "uniqueItems": True,
            "description": f"By what: {', '.join(dimensions)}, event:props:NAME.",
        },
        "filters": {
            "type": "array",
            "description": f"Lists like [operator, dimension, [values]], which all hold. Operators: {words[0]}. Around "
            f"others: {words[1]}. In matches, * is any text without a slash, ** any text.",
        },
        "order_by": {"type": "array", "description": 'Like [["visitors", "desc"]].'},
        "include": {"type": "object", "description": "time_labels, total_rows: true adds them to meta."},
        "pagination": {"type": "object", "description": f"limit (1 to {MAX_ROWS}) and offset."},
        "timezone": {"type": "string", "description": "An IANA zone in place of the site's."},
    }
    required = ["site_id", "metrics", "date_range"]
    return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}


_EXAMPLE = {
    "site_id": "example.com",
    "metrics": ["visitors", "pageviews"],
    "date_range": "7d",
    "dimensions": ["visit:source"],
    "filters": [["is", "visit:country", ["DE", "AT"]]],
}
QUERY_DOCS = Docs(
    "Statistics",
    "Ask about the past",
    "Plausible's query API. What is unknown is named with what is known. A key has 600 a minute, 10 at once.",
    {"200": "Rows, and the question as it was understood."},
    refusals=("400", "401", "413", "429", "503"),
    body=RequestBody(reference("Query"), _EXAMPLE, {"Query": _schema()}),
    example={
        "results": [{"metrics": [120, 340], "dimensions": ["Google"]}],
        "meta": {},
        "query": _EXAMPLE | {"date_range": ["2026-11-19T00:00:00+00:00", "2026-11-25T23:59:59+00:00"]},
    },
)
REALTIME_DOCS = Docs(
    "Statistics",
    "People of the last five minutes",
    "A bare number.",
    {"200": "The number."},
    refusals=("400", "401", "429", "503"),
    parameters=(parameter("site_id", "The site's domain, as added.", required=True),),
    example=2,
)
