"""The bell with its toasts, and the list of notifications; their functions are in assets/components/notices.js."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from layouts.footfall_components.own import Id, OwnComponent


class Changed(TypedDict):
    """How much one value of a dimension has changed (`analytics.notify.difference`)."""

    dimension: str
    value: str
    before: float
    now: float


class Notice(TypedDict, total=False):
    """A notification as the stream tells it (`analytics.notify.notification.as_json`), and whether it is read.

    On the stream `sent_at` is the server's second as it was sent.
    """

    id: str
    site: str
    alert: int | None
    type: str
    priority: str
    severity: str
    title: str
    message: str
    link: str
    link_label: str
    value: float | None
    threshold: float
    why: Sequence[Changed]
    currency: str
    count: int
    timestamp: int
    last: int
    sent_at: int
    read: bool


class NoticesAsked(TypedDict, total=False):
    """What the person does: `action` is look, read (the one with `id`), read_all, clear or more (before `before`).

    `priority` and `type` filter the list; "" for all. `at` is another number with each action.
    """

    action: str
    id: str
    before: str
    priority: str
    type: str
    at: int


class NoticesAnswered(TypedDict):
    """The list, the newest first; `more` says that it goes on, `added` that it continues the list before. `unread` is
    counted up to 10. List and number are of those up to `last_id`. `to` is the `at` of the action that it answers.
    """

    rows: Sequence[Notice]
    unread: int
    last_id: int
    more: bool
    added: bool
    to: int


class Bell(OwnComponent):
    """The button with the number of unread notifications, and the toasts of those that arrive.

    - id: its id in callbacks
    - stream: the address of the stream of notifications
    - unread: how many are unread as the page is made, counted up to 10
    - last_id: the id of the newest notification before that: the stream begins after it
    - controls: the id of the panel that it opens
    - base_path: what addresses of ours begin with
    - asked: what the person does
    - answered: the list as the server knows it
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        stream: str = "",
        unread: int = 0,
        last_id: str = "",
        controls: str = "",
        base_path: str = "",
        asked: NoticesAsked | None = None,
        answered: NoticesAnswered | None = None,
    ) -> None:
        super().__init__(
            id=id,
            stream=stream,
            unread=unread,
            last_id=last_id,
            controls=controls,
            base_path=base_path,
            asked=asked,
            answered=answered,
        )


class NoticeList(OwnComponent):
    """The notifications, filtered by type and priority, to be marked as read and cleared. The bell asks for it.

    - id: its id in callbacks
    - whole: on a page of its own, it goes on as far as there are some
    - all_at: the address of that page; "" on the page itself
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        whole: bool = False,
        all_at: str = "",
    ) -> None:
        super().__init__(id=id, whole=whole, all_at=all_at)
