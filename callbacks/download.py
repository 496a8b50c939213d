"""A CSV file as the answer to a request."""

from __future__ import annotations

import flask


def csv_file(text: str, name: str) -> flask.Response:
    """The text as a file of that name, for this reader alone; blanks in the name become hyphens."""
    answer = flask.make_response("\ufeff" + text)  # the mark by which spreadsheets recognise UTF-8
    answer.mimetype = "text/csv"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers.set("Content-Disposition", "attachment", filename=name.replace(" ", "-"))
    return answer
