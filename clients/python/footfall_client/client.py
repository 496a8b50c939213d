"""What the middlewares and the plugin share: where to send, and what every request is measured by."""

from __future__ import annotations

import logging
import os
from typing import NamedTuple

from footfall_client.instance import Instance
from footfall_client.measure import Process, Requests
from footfall_client.sender import Sender

log = logging.getLogger("footfall_client")

SERVER, KEY = "FOOTFALL_SERVER", "FOOTFALL_INGEST_KEY"


class Client(NamedTuple):
    """A sender, and the requests of which it sends the figures."""

    sender: Sender
    requests: Requests


def connect(server: str | None, key: str | None, instance: str | None = None, site: str | None = None) -> Client | None:
    """A client of that server, None if server or key is missing: the application then runs without being measured.

    Server and key are those of the environment if they are None. `instance` names this machine among several that serve
    the same application; its host name by default. `site` is needed for a key of every site. Raises `ValueError` if the
    server is not an address.
    """
    server, key = server or os.environ.get(SERVER), key or os.environ.get(KEY)
    if not server or not key:
        log.warning("nothing is measured: %s and %s, or their arguments, are missing", SERVER, KEY)
        return None
    sender = Sender(server, key, site=site)
    own = Instance(f"{server} {key} {site}", instance)
    requests, process = Requests(own.tags), Process(own.tags)
    for part in (requests, process):
        sender.every_second(part.samples, part.forget)
    sender.every_second(lambda _closing: (), own.forget)
    return Client(sender, requests)
