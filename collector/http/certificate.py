"""A certificate and its key, for a server that speaks TLS itself."""

from __future__ import annotations

import ssl
from pathlib import Path


class Certificate:
    """Two PEM files and the context that serves them: TLS 1.2 or newer, HTTP/1.1. Raises `ValueError` or `OSError`."""

    def __init__(self, chain: Path, key: Path) -> None:
        self.chain, self.key = chain, key
        self.context = self._context()

    def load(self) -> None:
        """Reads the files again, for the connections that come then. Where they do not fit, all stays as it was."""
        self._context()  # half of a pair would leave the context that serves without a key
        self.context.load_cert_chain(self.chain, self.key, password=_no_password)

    def _context(self) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.set_alpn_protocols(["http/1.1"])
        made.load_cert_chain(self.chain, self.key, password=_no_password)
        return made


def _no_password() -> str:
    """Nobody is there to be asked; OpenSSL would ask on the terminal, and wait."""
    raise ValueError("the key has a password")
