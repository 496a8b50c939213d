"""The activity of a site as it comes in; its function is in assets/components/feed.js."""

from __future__ import annotations

from layouts.footfall_components.own import Id, OwnComponent


class Feed(OwnComponent):
    """The card of the newest pageviews and events, with a pause and filters.

    - id: its id in callbacks
    - label: its heading

    Its rows come from the page's live stream (`window.footfall.feed`): a callback for each event would be too slow.
    """

    def __init__(self, id: Id | None = None, label: str = "") -> None:  # noqa: A002  # as every component of Dash has it
        super().__init__(id=id, label=label)
