"""Foreign applications that mount the collector, as processes of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from analytics.base.config import Config
from tests.support.serving import Server, environment_of, eventually

DASH = """
import collector
from dash import Dash, Input, Output, dcc, html

app = Dash(__name__)
app.layout = html.Div([html.H1("A shop of our own"), dcc.Input(id="word"), html.P(id="echo")])

@app.callback(Output("echo", "children"), Input("word", "value"))
def echo(word):
    return f"you typed {word}"

@app.server.get("/healthz")
def health():
    return "theirs"

server = app.server
collector.mount(server)
"""


class Foreign(Server):
    """A running foreign application, in a folder of its own."""

    def __init__(self, config: Config, folder: Path, source: str, words: Sequence[str]) -> None:
        (folder / "shop.py").write_text(source)
        self.config = config
        self.environment = environment_of(config)
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, *words],
            cwd=folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._drainer = threading.Thread(target=self._drain, daemon=True)
        self._drainer.start()

    def listens_at(self, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    def kill(self) -> None:
        os.killpg(self.process.pid, 9)  # the reloader's child too
        self.process.wait(10)


WORDS = "--worker-class gthread --threads 8 --graceful-timeout 2"


@contextmanager
def foreign(config: Config, folder: Path, source: str, *options: str, port: int = 0) -> Iterator[Foreign]:
    """The application under gunicorn, on a free port unless `port` names one."""
    words = ["-m", "gunicorn", *WORDS.split(), "--bind", f"127.0.0.1:{port}", *options, "shop:server"]
    running = Foreign(config, folder, source, words)
    try:

        def listening() -> int:
            found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", "".join(running.errors))
            return int(found[1]) if found else 0

        running.listens_at(eventually(listening, within=60))
        yield running
    finally:
        running.close()
