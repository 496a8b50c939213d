"""Filters on the rows of a watched table: how they are written, and their SQL."""

from __future__ import annotations

import pytest

from analytics.activity.row_filter import RowFilter, parse
from analytics.activity.row_filter_sql import condition
from analytics.base.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "one", "written"),
    [
        ("status=eq.pending", RowFilter("status", "eq", ("pending",)), "NEW.\"status\" = 'pending'"),
        ("status=neq.a.b", RowFilter("status", "neq", ("a.b",)), "NEW.\"status\" <> 'a.b'"),
        ("n=gt.5", RowFilter("n", "gt", ("5",)), "NEW.\"n\" > '5'"),
        ("n=gte.5", RowFilter("n", "gte", ("5",)), "NEW.\"n\" >= '5'"),
        ("n=lt.5", RowFilter("n", "lt", ("5",)), "NEW.\"n\" < '5'"),
        ("n=lte.-5.5", RowFilter("n", "lte", ("-5.5",)), "NEW.\"n\" <= '-5.5'"),
        ("name=eq.", RowFilter("name", "eq", ("",)), "NEW.\"name\" = ''"),
        ("s=in.(a,b)", RowFilter("s", "in", ("a", "b")), "NEW.\"s\" IN ('a', 'b')"),
        ('s=in.("a,b", c)', RowFilter("s", "in", ("a,b", "c")), "NEW.\"s\" IN ('a,b', 'c')"),
        ("at=is.null", RowFilter("at", "is", ("null",)), 'NEW."at" IS NULL'),
        ("at=is.not.null", RowFilter("at", "is", ("not.null",)), 'NEW."at" IS NOT NULL'),
        ("ok=is.true", RowFilter("ok", "is", ("true",)), 'NEW."ok" IS TRUE'),
        ("ok=is.false", RowFilter("ok", "is", ("false",)), 'NEW."ok" IS FALSE'),
        ("s=changed", RowFilter("s", "changed"), 'OLD."s" IS DISTINCT FROM NEW."s"'),
        (
            "s=changed.pending.paid",
            RowFilter("s", "changed", ("pending", "paid")),
            'OLD."s" IS DISTINCT FROM NEW."s" AND OLD."s" = \'pending\' AND NEW."s" = \'paid\'',
        ),
        (
            's=changed.*."v1.0"',
            RowFilter("s", "changed", ("*", "v1.0")),
            'OLD."s" IS DISTINCT FROM NEW."s" AND NEW."s" = \'v1.0\'',
        ),
        ("s=eq.'; DROP", RowFilter("s", "eq", ("'; DROP",)), "NEW.\"s\" = '''; DROP'"),
        ('a"b=eq.1', RowFilter('a"b', "eq", ("1",)), 'NEW."a""b" = \'1\''),
    ],
)
def test_a_filter_is_read_and_quoted(text, one, written):
    assert parse(text) == one
    assert condition(one, "NEW.", "OLD.").as_string(None) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "status",
        "status=pending",
        "status=like.x",
        "=eq.x",
        "s=eq",
        "s=in.a",
        "s=in.()",
        "s=is.maybe",
        "s=changed.a",
        "s=in.(a\rb)",
        "s=in.(a\nb)",
        "s=eq.a\u202eb",
        "s=eq.\x00",
        "s=eq." + "x" * 1_000,
    ],
)
def test_what_is_no_filter_is_refused_with_examples(text):
    with pytest.raises(InvalidInput, match=r"^filter .*: like status=eq\.pending"):
        parse(text)
