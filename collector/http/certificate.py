"""A certificate and its key, for a server that terminates TLS itself."""

from __future__ import annotations

import ssl
from pathlib import Path


class Certificate:
    """Two PEM files and their TLS context (TLS 1.2 or newer, HTTP/1.1).

    Raises `OSError` if a file cannot be read or the two do not fit, `ValueError` if the key has a password.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self.chain, self.key = chain, key
        self.context = self._context()

    def load(self) -> None:
        """Reads the files again, for later connections. Raises if they are invalid; the old pair stays in use."""
        self._context()  # checks the pair first: a failed load would leave the serving context without a key
        self.context.load_cert_chain(self.chain, self.key, password=_no_password)

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self.chain, self.key, password=_no_password)
        return context


def _no_password() -> str:
    """Raises, because OpenSSL would otherwise prompt on the terminal and wait."""
    raise ValueError("the key has a password")
