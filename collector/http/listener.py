"""The address that a server listens on: its sockets are bound before anything else is opened."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import stat
from contextlib import suppress
from typing import NamedTuple

from collector.http.certificate import Certificate

ANY_IPV4, ANY_IPV6 = "0.0.0.0", "::"  # noqa: S104 - what an operator may ask for
UNIX = "unix:"  # the prefix of a --host that is a path
UNIX_MODE = 0o660
LOCAL_HOSTS = {ANY_IPV4: "127.0.0.1", ANY_IPV6: "::1"}  # how this machine reaches them
MAX_ATTEMPTS = 10  # to find a port that is free at every address of a name
NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
ADVICE = {
    errno.EADDRNOTAVAIL: "this machine has no such address; try another --host",
    errno.EAFNOSUPPORT: "this machine does not speak that kind of address; try another --host",
    errno.EACCES: "a port below 1024 takes more rights; try another --port",
}

Address = tuple[socket.AddressFamily, str]


class CannotListen(ValueError):
    """The address cannot be listened on; the text is one line that says why."""


class Listener(NamedTuple):
    """Sockets bound to one port at every address of a host; they accept nothing before `serve` listens on them.

    With a certificate clients speak TLS. Of a Unix socket `host` is the path behind `unix:`, and `port` is 0.
    """

    host: str  # without brackets
    port: int
    sockets: tuple[socket.socket, ...]
    certificate: Certificate | None = None
    inode: int = 0  # of the Unix socket: another server may have replaced it since

    @property
    def scheme(self) -> str:
        """The scheme of its addresses, "http" or "https"."""
        return "https" if self.certificate else "http"

    @property
    def url(self) -> str:
        """Its address with the host as it was configured."""
        return self.host if self.host.startswith(UNIX) else url(self.host, self.port, self.scheme)

    @property
    def local_url(self) -> str:
        """The address at which this machine reaches it."""
        return self._replace(host=LOCAL_HOSTS.get(self.host, self.host)).url

    def close(self) -> None:
        """Closes the sockets and removes the path of a Unix socket, unless another server has replaced it."""
        for one in self.sockets:
            one.close()
        path = self.host.removeprefix(UNIX)
        with suppress(FileNotFoundError):
            if self.inode and os.stat(path).st_ino == self.inode:
                os.unlink(path)


def url(host: str, port: int, scheme: str = "http") -> str:
    """The address of a server, with IPv6 in brackets."""
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def listen_on(host: str, port: int, certificate: Certificate | None = None, *, shared: bool = False) -> Listener:
    """Binds the port at every address of the host; port 0 means any free port. `::` includes IPv4.

    `unix:/path` makes a Unix socket at that path, for its owner and their group. Several servers may bind the same
    `shared` port (`SO_REUSEPORT`); the system distributes the connections. Raises `CannotListen` with one line that
    says why the address cannot be used.
    """
    if host.startswith(UNIX):
        path = host.removeprefix(UNIX)
        return Listener(host, 0, (_unix_socket(path),), certificate, os.stat(path).st_ino)
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    where = url(bare, port).removeprefix("http://")
    try:
        addresses = _addresses(bare)
        for attempt in range(MAX_ATTEMPTS):
            with suppress(_TakenElsewhere):
                sockets = _bound(addresses, port, last=attempt == MAX_ATTEMPTS - 1, shared=shared)
                return Listener(bare, int(sockets[0].getsockname()[1]), sockets, certificate)
    except socket.gaierror as unknown:
        raise CannotListen(f"{where} cannot be served on: {_no_name(bare)} ({unknown.strerror}); see --port") from None
    except (UnicodeError, ValueError):
        raise CannotListen(f"{where} cannot be served on: {_no_name(bare)}; see --port") from None
    except OSError as refused:
        why = ADVICE.get(refused.errno or 0) or f"{os.strerror(refused.errno or 0)}; try another --port"
        raise CannotListen(f"{where} cannot be served on: {why}") from None
    raise AssertionError("the last try raises")


class _TakenElsewhere(Exception):
    """The port that is free at the first address is in use at another."""


def _no_name(host: str) -> str:
    return f"--host takes an address or a name of this machine, like 127.0.0.1 or ::, and {host!r} is none"


def _addresses(host: str) -> list[Address]:
    """Every address of the host once, in the system's order of preference."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(sockaddr[0])) for family, _, _, _, sockaddr in found))


def _bound(addresses: list[Address], port: int, *, last: bool, shared: bool) -> tuple[socket.socket, ...]:
    """A bound socket for each address that this machine has; `OSError` if it has none, or the port is in use."""
    bound: list[socket.socket] = []
    failed = OSError(errno.EADDRNOTAVAIL, "")
    try:
        for family, address in addresses:
            wanted = port or (bound[0].getsockname()[1] if bound else 0)
            try:
                bound.append(_socket(family, address, wanted, shared=shared))
            except OSError as refused:
                failed = refused
                if refused.errno not in NO_SUCH_ADDRESS:
                    raise
    except OSError as refused:
        for one in bound:
            one.close()
        if refused.errno == errno.EADDRINUSE and not port and not last:
            raise _TakenElsewhere from None
        raise
    if not bound:
        raise failed
    return tuple(bound)


def _unix_socket(path: str) -> socket.socket:
    """A socket bound to that path; it replaces a socket that no server listens on."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if not path:
            raise FileNotFoundError(errno.ENOENT, "")  # the system would choose a name
        if _is_left_behind(path):
            os.unlink(path)
        bound.bind(path)
        os.chmod(path, UNIX_MODE)
    except OSError as refused:
        bound.close()
        why = f"{os.strerror(refused.errno)}" if refused.errno else str(refused)
        raise CannotListen(f"{UNIX}{path} cannot be served on: {why}; try another --host") from None
    return bound


def _is_left_behind(path: str) -> bool:
    """Whether the path is a socket that no server listens on."""
    with suppress(FileNotFoundError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return False
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
    return False


def _socket(family: socket.AddressFamily, address: str, port: int, *, shared: bool) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            unspecified = ipaddress.IPv6Address(address.partition("%")[0]).is_unspecified
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not unspecified))
        scope = socket.if_nametoindex(address.partition("%")[2]) if "%" in address else 0
        bound.bind((address, port) if family == socket.AF_INET else (address.partition("%")[0], port, 0, scope))
    except OSError:
        bound.close()
        raise
    return bound
