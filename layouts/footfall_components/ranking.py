"""A list of labels with a bar and a number in each row, whose labels can be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

from layouts.footfall_components.own import Id, OwnComponent


class RankingRow(TypedDict):
    """One row. `key` identifies it, so that the focus stays where it is when the list is drawn again.

    A click on the label follows `href`, or applies `change` to the query string of the address; with Shift, or by the
    button at the end of the row, `out` is applied. Such a change is like `period=7d&interval=`; an empty value removes
    a name. Without any of them the label is text. `about` is a second line below it.
    """

    key: str
    label: str
    bar: float  # 0 to 1
    number: str
    share: NotRequired[str]
    href: NotRequired[str]
    change: NotRequired[str]
    out: NotRequired[str]
    about: NotRequired[str]


class ChoiceItem(TypedDict):
    """One of several: a tab, an interval, a property. `change` is the change of the address."""

    key: str
    label: str
    change: str
    chosen: bool


class FileLink(TypedDict):
    """A link to a file of the question on show: the query string of the page is added to `href`."""

    href: str
    label: str


class DetailsLink(TypedDict):
    """The link to the whole list."""

    label: str
    change: str
    key: str


class EmptyState(TypedDict):
    """Words instead of rows: what is missing, and what will fill it. `href` or `change` with `link` is a way on."""

    title: str
    hint: str
    link: NotRequired[str]
    href: NotRequired[str]
    change: NotRequired[str]


class SecondList(TypedDict):
    """A second list below the first, of the property that is chosen; `note` stands there instead of one."""

    note: NotRequired[str]
    title: NotRequired[str]
    choices: NotRequired[Sequence[ChoiceItem]]
    file: NotRequired[FileLink]
    heading: NotRequired[str]
    rows: NotRequired[Sequence[RankingRow]]


class Ranking(OwnComponent):
    """A list as one component, so that a redraw of it is one update of React.

    - id: its id in callbacks
    - label: its name, the heading where there are no tabs
    - rows: its rows in their order; a skeleton is shown while they are None
    - heading: the heading of the labels
    - naming: a switch next to it, for another name of the rows
    - measure: the heading of the numbers, by default the word for visitors
    - tabs: the lists of the panel, of which one is chosen; arrow keys go from one to the next
    - empty: the words where there are no rows
    - details: the link to the whole list
    - file: the link to its file
    - more: a second list below it
    - children: shown in place of the rows while `pictured` is true, for instance a figure
    - pictured: whether `children` are shown
    - clicked: set by a click on a label or its button: `{"key", "out", "times"}`, for callbacks
    """

    def __init__(
        self,
        children: Any = None,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        label: str = "",
        rows: Sequence[RankingRow] | None = None,
        heading: str = "",
        naming: ChoiceItem | None = None,
        measure: str | None = None,
        tabs: Sequence[ChoiceItem] | None = None,
        empty: EmptyState | None = None,
        details: DetailsLink | None = None,
        file: FileLink | None = None,
        more: SecondList | None = None,
        pictured: bool = False,
        clicked: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            children=children,
            id=id,
            label=label,
            rows=rows,
            heading=heading,
            naming=naming,
            measure=measure,
            tabs=tabs,
            empty=empty,
            details=details,
            file=file,
            more=more,
            pictured=pictured,
            clicked=clicked,
        )
