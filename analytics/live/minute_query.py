"""How many people were active at each minute, computed from the stored heartbeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import (
    CTE,
    Integer,
    Select,
    String,
    case,
    cast,
    column,
    func,
    select,
    true,
    values,
)

from analytics.base.ids import LOW_BITS, first_id, time_ms
from analytics.calendar.minute_series import MINUTE
from analytics.live.beat import PageState
from analytics.storage import schema
from analytics.storage.database import Database
from analytics.storage.reader import Readable

SECOND = 1000 << LOW_BITS  # the ids of one second
SETTLED_S = 2  # beats are committed within milliseconds, so two seconds later a minute is final

KeptSince = Callable[[int], int]
"""Returns, for a site's id, the first second (epoch) from which on none of its heartbeats has been purged."""


def people_at(database: Readable, site_id: int, moments: Sequence[int], window_s: int) -> dict[int, int]:
    """How many people were active on a site at each of these moments (epoch s); 0 if there were none."""
    return people_on(database, [site_id], moments, window_s)[site_id]


def people_on(
    database: Readable, site_ids: Sequence[int], moments: Sequence[int], window_s: int
) -> dict[int, dict[int, int]]:
    """How many people were active on each site at each moment (epoch s), by site; 0 if there were none.

    The rule is that of `analytics.live.presence`. A tab counts by its last beat within the window, unless that was a
    leave. A visitor is the person of the latest such beat. A person counts once.
    """
    found = {site_id: dict.fromkeys(moments, 0) for site_id in site_ids}
    if not moments or not site_ids:
        return found
    sites = values(column("site", Integer), name="site_ids").data([(one,) for one in site_ids]).cte("sites_of_moments")
    wanted = values(column("t", Integer), name="times").data([(moment,) for moment in moments]).cte("moments")
    with database.read() as connection:
        for site_id, t, people in connection.execute(_people(_tabs_at(sites, wanted, window_s))):
            found[int(site_id)][int(t)] = int(people)
    return found


def people_each_minute(database: Database, site_id: int, begin: int, end: int, window_s: int) -> dict[int, int]:
    """How many people were active on a site at each minute from `begin` to before `end` (epoch s, whole minutes).

    Minutes without anybody have no entry. The rule is the same. It reads every beat once, so it takes long; no page
    waits for it.
    """
    tabs = _tabs_each_minute(site_id, begin, end, window_s)
    with database.read_without_timeout() as connection:
        return {int(t): int(people) for _, t, people in connection.execute(_people(tabs))}


def _tabs_at(sites: CTE, moments: CTE, window_s: int) -> CTE:
    """The last beat within the window of every tab, of each `site` at each `t`."""
    beats = schema.heartbeats
    site, moment = cast(sites.c.site, beats.c.site_id.type), cast(moments.c.t, beats.c.at.type)
    return (
        select(sites.c.site, moments.c.t, func.max(beats.c.id).label("last"))
        .select_from(sites.join(moments, true()))
        .join(
            beats,
            (beats.c.site_id == site)
            & (beats.c.id >= (moment - (window_s - 1)) * SECOND)
            & (beats.c.id < (moment + 1) * SECOND),
        )
        .group_by(sites.c.site, moments.c.t, beats.c.tab)
        .cte("tabs")
    )


def _tabs_each_minute(site_id: int, begin: int, end: int, window_s: int) -> CTE:
    """The same at every minute: each beat is joined with the minutes of the window that begins with it.

    Joining minutes with beats instead makes PostgreSQL, once it has analysed the table, compare every pair: a day of
    two sites took a minute instead of three seconds.
    """
    beats = schema.heartbeats
    many = -(-window_s // MINUTE)
    nth = values(column("nth", Integer), name="each_minute").data([(n,) for n in range(many)]).cte("minutes")
    second = beats.c.id // SECOND
    t = (second + (MINUTE - 1)) // MINUTE * MINUTE + nth.c.nth * MINUTE
    each = (
        select(beats.c.site_id.label("site"), t.label("t"), second.label("second"), beats.c.tab, beats.c.id)
        .select_from(beats.join(nth, true()))
        .where(beats.c.site_id == site_id)
        .where(beats.c.id >= first_id(begin - window_s + 1), beats.c.id < first_id(end))
        .subquery()
    )
    return (
        select(each.c.site, each.c.t, func.max(each.c.id).label("last"))
        .where(each.c.t - each.c.second < window_s, each.c.t >= begin, each.c.t < end)
        .group_by(each.c.site, each.c.t, each.c.tab)
        .cte("tabs")
    )


def _people(tabs: CTE) -> Select[int, int, int]:
    """Site, moment and number of people, from the last beats of the tabs; no row if there were none."""
    beats = schema.heartbeats
    visitors = (
        select(tabs.c.site, tabs.c.t, beats.c.visitor, func.max(tabs.c.last).label("last"))
        .join_from(tabs, beats, (beats.c.site_id == tabs.c.site) & (beats.c.id == tabs.c.last))
        .where(beats.c.state != PageState.LEFT)
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


def first_beat(database: Readable, site_id: int) -> int | None:
    """The second (epoch) of a site's oldest stored heartbeat; None if there is none."""
    oldest = select(func.min(schema.heartbeats.c.id)).where(schema.heartbeats.c.site_id == site_id)
    with database.read() as connection:
        row_id = connection.execute(oldest).scalar()
    return None if row_id is None else time_ms(row_id) // 1000


def first_beats(database: Readable) -> dict[int, int]:
    """The second (epoch) of each site's oldest stored heartbeat; sites without one are left out."""
    beats = schema.heartbeats
    oldest = select(func.min(beats.c.id)).where(beats.c.site_id == schema.sites.c.id).scalar_subquery()
    with database.read() as connection:
        found = connection.execute(select(schema.sites.c.id, oldest)).all()
    return {site_id: time_ms(row_id) // 1000 for site_id, row_id in found if row_id is not None}
