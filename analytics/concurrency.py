"""Concurrency: how many people were active at each minute, told from the stored heartbeats."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    case,
    cast,
    column,
    func,
    literal,
    select,
    true,
    values,
)

from analytics import schema
from analytics.beat import State
from analytics.database import Database
from analytics.ids import LOW_BITS, first_id, time_ms

MINUTE = 60
SETTLED_S = 2  # a beat is committed within milliseconds: two seconds later a minute does not change any more


def people_at(database: Database, site_id: int, moments: Sequence[int], window_s: int) -> dict[int, int]:
    """How many people were active on a site at each of these moments (epoch s); moments without anybody are 0."""
    return people_on(database, [site_id], moments, window_s)[site_id]


def people_on(
    database: Database, site_ids: Sequence[int], moments: Sequence[int], window_s: int
) -> dict[int, dict[int, int]]:
    """How many people were active on each of these sites at each of these moments: the rule of `analytics.presence`.

    A tab counts by its last beat within the window unless that was a leave; a visitor is the person of the latest
    such beat; a person counts once. Moments without anybody are 0.
    """
    found = {site_id: dict.fromkeys(moments, 0) for site_id in site_ids}
    if not moments or not site_ids:
        return found
    sites = values(column("site", Integer), name="asked_sites").data([(one,) for one in site_ids]).cte("sites_asked")
    asked = values(column("t", Integer), name="asked").data([(moment,) for moment in moments]).cte("moments")
    with database.read() as connection:
        for site_id, t, people in connection.execute(_counted(sites, asked, window_s)):
            found[int(site_id)][int(t)] = int(people)
    return found


def people_each_minute(database: Database, site_id: int, begin: int, end: int, window_s: int) -> dict[int, int]:
    """How many people were active on a site at each minute from `begin` to before `end` (epoch s); nobody has no entry.

    By the same rule. For work that no page waits for.
    """
    site = select(literal(site_id, Integer).label("site")).cte("sites_asked")
    first = select(literal(begin, BigInteger).label("t")).cte("moments", recursive=True)
    each = first.union_all(select(first.c.t + MINUTE).where(first.c.t < end - MINUTE))
    ids = (
        schema.heartbeats.c.id
    )  # PostgreSQL may know nothing of the table yet, and then reads all that is not ruled out
    within = (ids >= first_id(begin - window_s + 1)) & (ids < first_id(end))
    with database.read_patiently() as connection:
        return {int(t): int(people) for _, t, people in connection.execute(_counted(site, each, window_s, within))}


def _counted(sites: CTE, asked: CTE, window_s: int, within: ColumnElement[bool] | None = None) -> Select[int, int, int]:
    """Site, moment and people, for those with anybody: of each `site` at each `t`. Beats that are not `within` are none
    of these moments.
    """
    beats = schema.heartbeats
    site, moment = cast(sites.c.site, beats.c.site_id.type), cast(asked.c.t, beats.c.at.type)
    step = 1000 << LOW_BITS
    tabs = (
        select(sites.c.site, asked.c.t, func.max(beats.c.id).label("last"))
        .select_from(sites.join(asked, true()))
        .join(
            beats,
            (beats.c.site_id == site)
            & (beats.c.id >= (moment - (window_s - 1)) * step)
            & (beats.c.id < (moment + 1) * step),
        )
        .where(true() if within is None else within)
        .group_by(sites.c.site, asked.c.t, beats.c.tab)
        .cte("tabs")
    )
    visitors = (
        select(tabs.c.site, tabs.c.t, beats.c.visitor, func.max(tabs.c.last).label("last"))
        .join_from(tabs, beats, (beats.c.site_id == tabs.c.site) & (beats.c.id == tabs.c.last))
        .where(beats.c.state != State.LEFT)
        .group_by(tabs.c.site, tabs.c.t, beats.c.visitor)
        .cte("visitors")
    )
    person = case(
        (beats.c.user_id.is_(None), "v" + cast(beats.c.visitor, String)), else_="u" + func.coalesce(beats.c.user_id, "")
    )
    return (
        select(visitors.c.site, visitors.c.t, func.count(person.distinct()))
        .join_from(visitors, beats, (beats.c.site_id == visitors.c.site) & (beats.c.id == visitors.c.last))
        .group_by(visitors.c.site, visitors.c.t)
    )


def first_beat(database: Database, site_id: int) -> int | None:
    """The second (epoch) of a site's oldest stored heartbeat, None where there is none."""
    oldest = select(func.min(schema.heartbeats.c.id)).where(schema.heartbeats.c.site_id == site_id)
    with database.read() as connection:
        row_id = connection.execute(oldest).scalar()
    return None if row_id is None else time_ms(row_id) // 1000
