"""The SQL of a question about facts: one SELECT for each, the same for SQLite, PostgreSQL and DuckDB.

A visit belongs to a period when a part of it lies within the period, as in Plausible. With a filter by facts
of hits (page, event …), the visits count in which a pageview or event matches it. Split by page or host, metrics of
whole visits count those that entered there; split by time, those that began then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)

from analytics.base.ids import NO_VISITOR, first_id
from analytics.base.limits import MAX_VISIT_S
from analytics.calendar.period import Span
from analytics.query import facts as query_facts
from analytics.query.column_sql import (
    EXPRESSIONS,
    bucket_begin,
    bucket_number,
    dimension_value,
    dimension_value_of_visit,
)
from analytics.query.dialects import bytewise, either, replica_only
from analytics.query.dimensions import Dimension, dimension
from analytics.query.filter_sql import condition
from analytics.query.filters import Every, Filter, dimensions_in, has_done
from analytics.query.metrics import PAGEVIEW, Grain, Metric
from analytics.query.query import Query
from analytics.storage import schema


def statement(query: Query, span: Span) -> Select[Any]:
    """The SELECT of a question: its dimensions, its metrics, and the number of all rows.

    Time is the number of the bucket within the span. One row without dimensions where nothing is split.
    """
    split = query.split
    grains = {one: _grain(one, split) for one in query.resolved_metrics}
    sides = [
        _side(grain, query, span, split, [one if grains[one] is grain else None for one in query.resolved_metrics])
        for grain in Grain
        if grain in grains.values()
    ]
    merged = _merged(sides, split, query.resolved_metrics, by_hits=Grain.HITS in grains.values())
    keys = [merged.c[_key(number)] for number in range(len(split))]
    values = [_value(one, merged.c[one.id], query, span) for one in query.resolved_metrics]
    found = select(*keys, *values, func.count().over().label("total"))
    if not split:
        return found
    found = found.order_by(*_order(query, split, keys, values))
    return found if query.every_bucket else found.limit(query.limit).offset(query.offset)


def first_ids(site_id: int) -> Select[Any]:
    """The SELECT of the first id among a site's pageviews, and among its events; NULL where there is none."""
    return select(
        *(
            select(func.min(facts.c.id)).where(facts.c.site_id == site_id).scalar_subquery()
            for facts in (schema.pageviews, schema.events)
        )
    )


def property_sets(query: Query, span: Span) -> Select[Any]:
    """The SELECT of the properties (JSON) of events that match the filters, and how many carry exactly those; the most
    frequent first, `query.limit` at most.
    """
    hits, visits, seen = _hits(query.site_id, span, _denormalised(query.filters)), schema.visits.alias(), func.count()
    sets = select(hits.c.props, seen).where(hits.c.props != "{}").group_by(hits.c.props)
    sets = sets.order_by(seen.desc(), bytewise(hits.c.props)).limit(query.limit)
    return _suiting(sets, query.filters, query, span, hits, visits, with_visits=False)


def page_titles(site_id: int, span: Span, paths: Sequence[str]) -> Select[Any]:
    """The SELECT of the last title that each of these pages had in the span; pages without one are left out."""
    views = schema.pageviews.c
    within = (views.site_id == site_id, views.id >= first_id(span.begin), views.id < first_id(span.end))
    last = select(func.max(views.id)).where(*within, views.path.in_(paths), views.title != "").group_by(views.path)
    return select(views.path, views.title).where(views.site_id == site_id, views.id.in_(last))


def _grain(one: Metric, split: Sequence[Dimension]) -> Grain:
    """The cheapest grain of the metric. Hits are counted where the split is by facts of hits."""
    if not one.grains:
        raise TypeError(f"{one.id} is computed from minutes, not from facts")
    within = any(part.of in ("hit", "time") for part in split)
    order = (Grain.HITS, Grain.VISITS) if within else (Grain.VISITS, Grain.HITS)
    return next(grain for grain in (*order, Grain.READINGS) if grain in one.grains)


def _key(number: int) -> str:
    return f"key_{number}"


def _side(
    grain: Grain, query: Query, span: Span, split: Sequence[Dimension], metrics: Sequence[Metric | None]
) -> Select[Any]:
    """The metrics of this grain for each key; NULL for the others."""
    rows = _ROWS[grain](query, span, split).subquery(grain.value)
    keys = [rows.c[_key(number)] for number in range(len(split))]
    values = [
        EXPRESSIONS[grain][one.id](rows) if one else cast(null(), _type(other))
        for one, other in zip(metrics, query.resolved_metrics, strict=True)
    ]
    named = [value.label(one.id) for value, one in zip(values, query.resolved_metrics, strict=True)]
    hits = literal_column(str(int(grain is Grain.HITS)), Integer).label("hits")
    return select(*keys, *named, hits).group_by(*keys)


def _merged(
    sides: Sequence[Select[Any]], split: Sequence[Dimension], metrics: Sequence[Metric], *, by_hits: bool
) -> Subquery:
    """One row for each key; `by_hits`: only for those that have hits."""
    if len(sides) == 1:
        return sides[0].subquery("merged")
    both = union_all(*sides).subquery("sides")
    keys = [both.c[_key(number)] for number in range(len(split))]
    values = [func.max(both.c[one.id]).label(one.id) for one in metrics]
    statement = select(*keys, *values).group_by(*keys)
    return (statement.having(func.max(both.c.hits) == 1) if by_hits and split else statement).subquery("merged")


def _type(one: Metric) -> BigInteger | Double[Any]:
    return BigInteger() if one.unit == "count" or one.of_all else Double()


def _value(one: Metric, column: ColumnElement[Any], query: Query, span: Span) -> ColumnElement[Any]:
    if one.of_all:
        everybody = _visit_rows(query, span, ()).subquery("everybody")
        whole = select(EXPRESSIONS[Grain.VISITS][one.id](everybody)).scalar_subquery()
        return (cast(column, Double) / func.nullif(whole, 0)).label(one.id)
    return (func.coalesce(column, 0) if one.unit == "count" else column).label(one.id)


def _order(
    query: Query, split: Sequence[Dimension], keys: Sequence[ColumnElement[Any]], values: Sequence[ColumnElement[Any]]
) -> Iterable[ColumnElement[Any]]:
    sorts = [key if one.of == "time" else bytewise(key) for one, key in zip(split, keys, strict=True)]
    columns = dict(zip(query.metrics, values, strict=True)) | {
        one.id: sort for one, sort in zip(split, sorts, strict=True)
    }
    for by, descending in query.order:
        if by in columns:
            yield (columns[by].desc() if descending else columns[by].asc()).nulls_last()
    times = [key for one, key in zip(split, keys, strict=True) if one.of == "time"]
    if not query.order and not times:
        yield values[0].desc().nulls_last()
    yield from times if not query.order else ()
    yield from sorts


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _visit_rows(query: Query, span: Span, split: Sequence[Dimension]) -> Select[Any]:
    visits = query_facts.VISITS.alias()
    began = case((visits.c.started_at < span.begin, span.begin), else_=visits.c.started_at)
    keys = [_visit_key(one, visits, began, query, span) for one in split]
    columns = visits.c.visitor, visits.c.id.label("visit_id"), visits.c.bounce, visits.c.duration_s, visits.c.pageviews
    before = _seen_before(split, query, query_facts.BY_VISIT, whole="none")
    first = [_first(replica_only(visits.c[before]), literal(span.begin, BigInteger))] if before else []
    statement = select(*_labelled(keys), *columns, *first).where(
        *_around(visits, query.site_id, span),
        visits.c.started_at < span.end,
        visits.c.last_at >= span.begin,
        visits.c.pageviews + visits.c.events > 0,  # without visits of which only a heartbeat is known
    )
    whole, within = _partitioned(query.filters)
    found = _visits_with(query, span)
    statement = statement.where(*(condition(one, visits, None, visits.c.id, found) for one in whole))
    return statement.where(visits.c.id.in_(found(Every(within)))) if within else statement


def _visit_key(
    one: Dimension, visits: FromClause, began: ColumnElement[int], query: Query, span: Span
) -> ColumnElement[Any]:
    if one.of == "time":
        return bucket_number(began, one, query, span)
    return dimension_value_of_visit(one, visits)


def _hit_rows(query: Query, span: Span, split: Sequence[Dimension]) -> Select[Any]:
    before = _seen_before(split, query, query_facts.BY_HIT, whole="time")
    further = (*filter(None, (before,)), *_denormalised(query.filters))
    hits, visits = _hits(query.site_id, span, further), schema.visits.alias()
    keys = [
        bucket_number(hits.c.at, one, query, span)
        if one.of == "time"
        else dimension_value(one, visits if one.of == "visit" else hits)
        for one in split
    ]
    names = "visitor", "visit_id", "name", "value", "currency", "path", "engaged_ms", "scroll"
    seen = case((hits.c.visitor.is_not(None), hits.c[before])) if before else None
    first = [] if seen is None else [_first(seen, bucket_begin(hits.c.at, split, query, span))]
    statement = select(*_labelled(keys), *(hits.c[name] for name in names), *first)
    with_visits = any(one.of == "visit" for one in split)
    return _suiting(statement, query.filters, query, span, hits, visits, with_visits)


def _seen_before(split: Sequence[Dimension], query: Query, columns: Iterable[str], whole: str) -> str | None:
    """The `first_seen` column of the replica for rows with that split. None where visitors have to be counted
    otherwise. `whole` is the kind of split that needs no column of its own.
    """
    if len(split) > 1 or not _by_key_alone(query.filters, split):
        return None
    kind = split[0].of if split else "none"
    name = "before" if kind == whole else f"before_{split[0].id}" if split else ""
    return name if name in columns else None


def _by_key_alone(filters: Sequence[Filter], split: Sequence[Dimension]) -> bool:
    """Whether the filters use only the keys, so that all rows of a group match them or none does."""
    keys = {one.id for one in split}
    return all(dimensions_in(one) <= keys and not has_done(one) for one in filters)


def _reading_rows(query: Query, span: Span, split: Sequence[Dimension]) -> Select[Any]:
    hits = _hit_rows(query, span, split).subquery("readings")
    keys = [hits.c[_key(number)] for number in range(len(split))]
    reported = or_(hits.c.engaged_ms > 0, hits.c.scroll > 0)
    return (
        select(*keys, func.sum(hits.c.engaged_ms).label("engaged_ms"), func.max(hits.c.scroll).label("scroll"))
        .where(hits.c.name == PAGEVIEW, reported)
        .group_by(*keys, hits.c.visit_id, hits.c.path)
    )


_ROWS = {Grain.VISITS: _visit_rows, Grain.HITS: _hit_rows, Grain.READINGS: _reading_rows}


def _suiting(
    statement: Select[Any],
    filters: Sequence[Filter],
    query: Query,
    span: Span,
    hits: Subquery,
    visits: FromClause,
    with_visits: bool,
) -> Select[Any]:
    """The hits that match all filters; joined with their visits where `with_visits`, or where a filter needs them."""
    names = () if with_visits else _denormalised(filters)
    if with_visits or (not names and any(map(_of_visits, filters))):
        statement = statement.select_from(hits.join(visits, visits.c.id == hits.c.visit_id)).where(
            *_around(visits, query.site_id, span)
        )
    found = _visits_with(query, span)
    conditions = [
        _denormalised_condition(one, hits, visits, query, span)
        if names and _of_visits(one)
        else condition(one, visits, hits, hits.c.visit_id, found)
        for one in filters
    ]
    return statement.where(*conditions)


def _of_visits(one: Filter) -> bool:
    return any(dimension(name).of == "visit" for name in dimensions_in(one))


def _denormalised(filters: Sequence[Filter]) -> tuple[str, ...]:
    """The facts of visits that these filters use, where the replica copies all of them to its hits; else none."""
    names = set().union(*(dimensions_in(one) for one in filters if _of_visits(one)))
    return tuple(sorted(names)) if names <= set(query_facts.OF_VISIT) else ()


def _denormalised_condition(
    one: Filter, hits: Subquery, visits: FromClause, query: Query, span: Span
) -> ColumnElement[bool]:
    """A filter by a visit's facts: in the database by its visit, in the replica by the columns of the hit."""
    found = _visits_with(query, span)
    around = _around(visits, query.site_id, span)
    visit_ids = select(visits.c.id).where(*around, condition(one, visits, None, visits.c.id, found))
    begin, end = (literal(first_id(moment), BigInteger) for moment in _near(span))
    near = and_(hits.c.visit_id >= begin, hits.c.visit_id < end)
    return either(hits.c.visit_id.in_(visit_ids), and_(near, condition(one, hits, hits, hits.c.visit_id, found)))


def _visits_with(query: Query, span: Span) -> Callable[[Filter], Select[Any]]:
    """The ids of visits in which a hit of the span matches a filter."""

    def found(one: Filter) -> Select[Any]:
        hits, visits = _hits(query.site_id, span, _denormalised((one,))), schema.visits.alias()
        return _suiting(select(hits.c.visit_id), (one,), query, span, hits, visits, with_visits=False)

    return found


def _partitioned(filters: Sequence[Filter]) -> tuple[list[Filter], tuple[Filter, ...]]:
    """The filters that only use facts of visits, and the others."""
    flat: list[Filter] = []
    for one in filters:
        flat.extend(one.parts if isinstance(one, Every) else (one,))
    within = tuple(one for one in flat if any(dimension(name).of == "hit" for name in dimensions_in(one)))
    return [one for one in flat if one not in within], within


def _first(before: ColumnElement[int], begin: ColumnElement[int]) -> ColumnElement[Any]:
    """1 in the first of a visitor's rows from the second `begin` on, else NULL."""
    return case((before < begin, 1)).label("first")


def _hits(site_id: int, span: Span, further: Sequence[str] = ()) -> Subquery:
    """Pageviews and events of the span; `further` are columns that only the replica has."""
    views, events = query_facts.PAGEVIEWS, query_facts.EVENTS
    sides = (
        select(
            *_common(views, further, views.c.visitor),
            literal_column(f"'{PAGEVIEW}'", Text).label("name"),
            literal_column("'{}'", Text).label("props"),
            cast(null(), Double).label("value"),
            literal_column("''", Text).label("currency"),
            views.c.engaged_ms,
            views.c.scroll,
        ).where(*_within(views, site_id, span)),
        select(
            *_common(events, further, func.nullif(events.c.visitor, NO_VISITOR)),
            events.c.name,
            events.c.props,
            cast(events.c.value, Double).label("value"),
            events.c.currency,
            literal_column("0", BigInteger).label("engaged_ms"),
            literal_column("0", Integer).label("scroll"),
        ).where(*_within(events, site_id, span)),
    )
    return union_all(*sides).subquery()


def _common(facts: FromClause, further: Sequence[str], visitor: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    names = "visit_id", "at", "host", "path"
    known = (type_coerce(replica_only(facts.c[name]), facts.c[name].type).label(name) for name in further)
    return [visitor.label("visitor"), *(facts.c[name] for name in names), *known]


def _within(facts: FromClause, site_id: int, span: Span) -> tuple[ColumnElement[bool], ...]:
    """A hit's id begins with its time, so this is exact, and by the primary key. Every table is restricted to the
    site, so that joins need not be.
    """
    begin, end = (literal(first_id(one), BigInteger) for one in span)
    return facts.c.site_id == site_id, facts.c.id >= begin, facts.c.id < end


def _around(visits: FromClause, site_id: int, span: Span) -> tuple[ColumnElement[bool], ...]:
    """Visits that may touch the span, by the primary key."""
    return _within(visits, site_id, _near(span))


def _near(span: Span) -> Span:
    return Span(max(0, span.begin - MAX_VISIT_S), span.end + MAX_VISIT_S)


def _labelled(keys: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    return [key.label(_key(number)) for number, key in enumerate(keys)]
