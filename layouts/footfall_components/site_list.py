"""The sites of a person, with search, order and pages; its function is in assets/components/site_list.js."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from layouts.footfall_components.own import Id, OwnComponent


class SiteColumn(TypedDict):
    """One column. A click on its heading sorts by `sort`, like `-active` for the largest first; another click turns the
    order round. "" for a column that does not sort.
    """

    sort: str
    label: str
    window: str
    numeric: bool


class SiteRow(TypedDict):
    """One site: domain, other name ("" for none), address and badge, its trend (`Trend`), its figures with labels."""

    domain: str
    name: str
    href: str
    badge: str
    trend: Sequence[str]
    cells: Sequence[tuple[str, str]]


class SitePage(TypedDict):
    """One page of the list: its rows, its place in words, the pages before and after (0 for none), and its order.

    `sort` is the order as the address has it, like `-active`. `at` is another text with each answer, from which the
    list's numbers have their age.
    """

    rows: Sequence[SiteRow]
    words: str
    to: Sequence[int]
    sort: str
    at: str


class WrongAddress(TypedDict):
    """What is wrong in the address, and a link that changes it."""

    said: str
    way: str
    change: str


class SiteList(OwnComponent):
    """The list of sites below a bar with its title, the search field and `children`.

    The address has its search, order and page: `search`, `sort`, `page`.

    - id: its id in callbacks
    - title: the heading of the page
    - total: the sum of all sites, in words
    - columns: the columns in their order
    - page: the page of the list on show
    - children: what follows the search field
    - wrong: what of the address is left out

    Arrow keys move the focus between the search field and the sites; Escape empties the field.
    """

    def __init__(
        self,
        children: Any = None,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        title: str = "",
        total: str = "",
        columns: Sequence[SiteColumn] = (),
        page: SitePage | None = None,
        wrong: WrongAddress | None = None,
    ) -> None:
        super().__init__(children=children, id=id, title=title, total=total, columns=columns, page=page, wrong=wrong)
