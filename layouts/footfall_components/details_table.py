"""A whole list, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

from layouts.footfall_components.own import Id, OwnComponent
from layouts.footfall_components.ranking import ChoiceItem, EmptyState
from layouts.footfall_components.site_list import WrongAddress


class DetailsColumn(TypedDict):
    """A column: a click on its heading makes `change`, which sorts by it."""

    key: str
    label: str
    change: str
    order: Literal["none", "up", "down"]


class DetailsRow(TypedDict):
    """A row: its label with the changes of a click as in a `RankingRow`, and its cells; `share` stands in the first."""

    key: str
    label: str
    cells: Sequence[str]
    share: NotRequired[str]
    change: NotRequired[str]
    out: NotRequired[str]
    about: NotRequired[str]


class WrongDetails(WrongAddress):
    """What is wrong in the query string `search`, with the heading in place of a list's."""

    title: str
    search: str


class DetailsTable(OwnComponent):
    """The list that `details` in the address names, searched, sorted and cut as the address says.

    - closes: the change of the address that closes it
    - of: the name of the list; a skeleton is shown while the address names another
    - title: its heading
    - noun: its rows within a sentence
    - searchable: whether it has a field for a search
    - naming: a switch next to the heading of the labels, for another name of the rows
    - longest: how long a search may be
    - columns: its columns, the label first
    - rows: its rows
    - count: which of how many rows these are
    - before: the change to the page before; "" where there is none, None where there is one page
    - after: the change to the page after, likewise
    - file: the address of its file
    - empty: the words where there are no rows
    - wrong: shown in place of the list while the address has its query string
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        closes: str = "",
        of: str | None = None,
        title: str = "",
        noun: str = "",
        searchable: bool = True,
        naming: ChoiceItem | None = None,
        longest: int = 0,
        columns: Sequence[DetailsColumn] = (),
        rows: Sequence[DetailsRow] = (),
        count: str = "",
        before: str | None = None,
        after: str | None = None,
        file: str = "",
        empty: EmptyState | None = None,
        wrong: WrongDetails | None = None,
    ) -> None:
        super().__init__(
            id=id,
            closes=closes,
            of=of,
            title=title,
            noun=noun,
            searchable=searchable,
            naming=naming,
            longest=longest,
            columns=columns,
            rows=rows,
            count=count,
            before=before,
            after=after,
            file=file,
            empty=empty,
            wrong=wrong,
        )
