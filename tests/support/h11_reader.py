"""The same bytes through another parser: h11, a strict one in Python, written independently of ours."""

from __future__ import annotations

from typing import NamedTuple

import h11

from collector.http.messages import Request

MAX_REQUESTS = 64  # of one connection


class Message(NamedTuple):
    """A request in the form that both parsers know. `left` is the number of bytes after its end, -1 where unknown."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    left: int = -1


def of_ours(request: Request, target: str, left: int = -1) -> Message:
    """A request of our parser; `target` is its target as it was sent."""
    headers = {name: value for name, value in request.headers.items() if name != "upgrade"}
    if "transfer-encoding" in headers:
        headers["transfer-encoding"] = headers["transfer-encoding"].lower()  # as h11 returns it
    return Message(request.method, target, tuple(sorted(headers.items())), request.body, left)


def messages(sent: bytes) -> tuple[list[Message], bool]:
    """The requests in these bytes of one connection by h11, and whether it refuses the bytes after them."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=16 * 1024)
    connection.receive_data(sent)
    found: list[Message] = []
    head: h11.Request | None = None
    body = b""
    try:
        while len(found) < MAX_REQUESTS:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                head, body = event, b""
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                found.append(_message(head, body, len(connection.trailing_data[0])))
                if not _answered(connection):
                    return found, False
            else:
                return found, False
    except h11.RemoteProtocolError:
        return found, True
    return found, False


def _answered(connection: h11.Connection) -> bool:
    """Answers the request as if it wanted no tunnel and no other protocol; returns whether another may come."""
    connection.send(h11.Response(status_code=400, headers=[("Content-Length", "0")]))
    connection.send(h11.EndOfMessage())
    if connection.our_state is h11.MUST_CLOSE or connection.their_state is h11.MUST_CLOSE:
        return False
    connection.start_next_cycle()
    return True


def _message(head: h11.Request, body: bytes, left: int) -> Message:
    joined: dict[str, str] = {}
    for raw, value in head.headers:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        if name == "upgrade":
            continue  # ours reads the request as if it were not there
        separator = "; " if name == "cookie" else ", "
        joined[name] = f"{joined[name]}{separator}{text}" if name in joined else text
    target, method = head.target.decode("latin-1"), head.method.decode("latin-1")
    return Message(method, target, tuple(sorted(joined.items())), body, left)
