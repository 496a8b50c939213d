"""The card in a foreign Dash application that mounts the collector, in a real browser."""

from __future__ import annotations

from reader import Reader, chromium
from selenium.webdriver.common.by import By
from stream_server import until

from analytics.base.config import Config
from tests.support.foreign import DASH, foreign
from tests.support.proxy import free_port
from tests.support.serving import SITE, pageview, run_command, with_data

PANEL = """
from pathlib import Path
panel = Path("panel.html")
app.index_string = app.index_string.replace("{%app_entry%}", "{%app_entry%}" + panel.read_text())
"""


def test_a_foreign_dash_application_shows_the_card_of_what_it_collects(tmp_path):
    config, port = with_data(Config(data_dir=tmp_path / "data")), free_port()
    snippet = run_command(config, "site", "add", SITE).stdout.splitlines()[-1].replace("http://127.0.0.1:8050", "")
    card = run_command(config, "embed", "add", "--site", SITE, "--host", f"127.0.0.1:{port}").stdout
    (tmp_path / "panel.html").write_text(snippet + card.replace("http://127.0.0.1:8050", ""))
    with foreign(config, tmp_path, DASH + PANEL, port=port) as shop, chromium(tmp_path / "profile") as driver:
        reader = Reader(driver, shop)
        reader.open()
        until(lambda: "A shop of our own" in reader.texts("h1"))
        driver.find_element(By.ID, "word").send_keys("tea")
        reader.see("echo", "you typed tea")
        driver.switch_to.frame(driver.find_element(By.TAG_NAME, "iframe"))
        reader.see("active", "1")  # the page itself, by the script in it
        shop.collect(pageview("page-another"), {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
        reader.see("active", "2")
