"""Databases that people of a page name: in which networks they may be, and with what of this machine they are reached.

A page is used by people who administer sites, not this machine. So its sources are on the public internet or in
`FOOTFALL_ALLOWED_TARGETS`, and a connection to one uses nothing that lies on this machine: no socket, password file,
client certificate or ticket. Sources of the command line are those of people who may use all of that anyway.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from analytics.base.addresses import Network
from analytics.base.errors import InvalidInput, message
from analytics.base.name_lookup import Resolve, addresses_of
from analytics.base.program import command
from analytics.base.public_address import BlockedAddress, UnknownHost, checked_host

Allowed = Sequence[Network] | None
"""Networks that a source may be in besides the public internet; None: it may be anywhere."""

NEEDED = ("host", "user", "password", "dbname")
PARAMETERS = (*NEEDED, "port", "sslmode", "sslnegotiation", "channel_binding", "connect_timeout")
OF_THIS_MACHINE = {"passfile": os.devnull, "sslcertmode": "disable", "gssencmode": "disable"}
# A server that lets in everybody who reaches it would otherwise let in every admin, past its owner.
WITH_PASSWORD = {"require_auth": "scram-sha-256,md5,password"}
MAX_ADDRESSES = 2
PORT, MAX_PORT, MAX_PORT_DIGITS = 5432, 65_535, 5


def guarded(given: Mapping[str, Any], allowed: Sequence[Network], resolve: Resolve = addresses_of) -> dict[str, Any]:
    """The parameters of a connection to that source, whose name is looked up once: it leads nowhere else later.

    `InvalidInput` says which parameter is missing or not allowed, that there is no such host, or that its address is
    not allowed.
    """
    other = next((name for name in given if name not in PARAMETERS), None)
    if other is not None:
        raise InvalidInput(message("{name} cannot be set in a page; only {known}", name=other, known=_listed()))
    missing = next((name for name in NEEDED if not given.get(name)), None)
    if missing is not None:
        raise InvalidInput(
            message("the source needs a host, a user, a password and a database; {one} is missing", one=missing)
        )
    host = str(given["host"])
    addresses = _addresses(host, _port(given), allowed, resolve)[:MAX_ADDRESSES]
    hosts = {"host": ",".join([host] * len(addresses)), "hostaddr": ",".join(addresses)}
    return {**given, **hosts, "port": _port(given), **OF_THIS_MACHINE, **WITH_PASSWORD}


def _listed() -> str:
    return ", ".join(PARAMETERS)


def _port(given: Mapping[str, Any]) -> int:
    text = str(given.get("port") or PORT)
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_PORT_DIGITS and 0 < int(text) <= MAX_PORT):
        raise InvalidInput(message("{port} is no port", port=text[:20]))
    return int(text)


def _addresses(host: str, port: int, allowed: Sequence[Network], resolve: Resolve) -> tuple[str, ...]:
    try:
        return checked_host(host, port, allowed, resolve)
    except UnknownHost as refused:
        raise InvalidInput(str(refused)) from None
    except BlockedAddress:
        said = message(
            "{host} leads to an address that is not public; FOOTFALL_ALLOWED_TARGETS may allow its network, or add the "
            "watch on the machine itself with {command}",
            host=host,
            command=command("watch add"),
        )
        raise InvalidInput(said) from None
