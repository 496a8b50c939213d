"""What user agents say of browser, system and device."""

from __future__ import annotations

import pytest

from collector import device
from collector.device import Device, read

KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) {APPLE}"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML}"
PEOPLE = [
    (
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_4) {KHTML} Chrome/70.0.3538.77 Safari/537.36",
        Device("Chrome", "70.0", "macOS", "10.13", "Desktop"),
    ),
    (f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36", Device("Chrome", "126.0", "Windows", "10", "Desktop")),
    (
        f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.68",
        Device("Edge", "126.0", "Windows", "10", "Desktop"),
    ),
    (
        f"{WINDOWS} Chrome/124.0.0.0 Safari/537.36 OPR/110.0.0.0",
        Device("Opera", "110.0", "Windows", "10", "Desktop"),
    ),
    (
        "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
        Device("Internet Explorer", "11.0", "Windows", "7", "Desktop"),
    ),
    (
        "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Tablet PC 2.0)",
        Device("Internet Explorer", "8.0", "Windows", "7", "Desktop"),
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
        Device("Firefox", "127.0", "GNU/Linux", "", "Desktop"),
    ),
    (
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:24.0) Gecko/20100101 Firefox/24.0",
        Device("Firefox", "24.0", "GNU/Linux", "", "Desktop"),
    ),
    (
        "Mozilla/5.0 (X11; FreeBSD amd64; rv:120.0) Gecko/20100101 Firefox/120.0",
        Device("Firefox", "120.0", "FreeBSD", "", "Desktop"),
    ),
    (
        f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KHTML} Chrome/126.0.0.0 Safari/537.36",
        Device("Chrome", "126.0", "Chrome OS", "14541.0", "Desktop"),
    ),
    (
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE} Version/17.4.1 Safari/605.1.15",
        Device("Safari", "17.4", "macOS", "10.15", "Desktop"),
    ),
    (
        f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1",
        Device("Safari", "17.5", "iOS", "17.5", "Mobile"),
    ),
    (
        f"{IPHONE} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1",
        Device("Chrome", "126.0", "iOS", "17.5", "Mobile"),
    ),
    (
        f"{IPHONE} FxiOS/127.0 Mobile/15E148 Safari/605.1.15",
        Device("Firefox", "127.0", "iOS", "17.5", "Mobile"),
    ),
    (
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 16_1 like Mac OS X) {APPLE} Mobile/15E148",
        Device("Mobile App", "", "iOS", "16.1", "Mobile"),
    ),
    (
        f"Mozilla/5.0 (iPad; CPU OS 15_6 like Mac OS X) {APPLE} Version/15.6 Mobile/15E148 Safari/604.1",
        Device("Safari", "15.6", "iPadOS", "15.6", "Tablet"),
    ),
    (
        f"Mozilla/5.0 (iPad; CPU OS 9_3_5 like Mac OS X) {APPLE} Version/9.0 Mobile/13G36 Safari/601.1",
        Device("Safari", "9.0", "iOS", "9.3", "Tablet"),
    ),
    (
        f"Mozilla/5.0 (Linux; Android 10; K) {KHTML} Chrome/126.0.0.0 Mobile Safari/537.36",
        Device("Chrome", "126.0", "Android", "10", "Mobile"),
    ),
    (
        f"Mozilla/5.0 (Linux; Android 10; K) {KHTML} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
        Device("Samsung Browser", "25.0", "Android", "10", "Mobile"),
    ),
    (
        f"Mozilla/5.0 (Linux; Android 9; ANE-LX1; wv) {KHTML} Version/4.0 Chrome/91.0.4472.120 Mobile Safari/537.36",
        Device("Mobile App", "91.0", "Android", "9", "Mobile"),
    ),
    (
        "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0",
        Device("Firefox", "127.0", "Android", "14", "Mobile"),
    ),
    (
        f"Mozilla/5.0 (Linux; Android 13; SM-X700) {KHTML} Chrome/126.0.0.0 Safari/537.36",
        Device("Chrome", "126.0", "Android", "13", "Tablet"),
    ),
    (
        "Mozilla/5.0 (Android 13; Tablet; rv:127.0) Gecko/127.0 Firefox/127.0",
        Device("Firefox", "127.0", "Android", "13", "Tablet"),
    ),
    (
        "Mozilla/5.0 (Linux; U; Android 4.2.2; it-it; Surfing TAB B 9.7 3G Build/JDQ39) "
        "AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Safari/534.30",
        Device("Android Browser", "4.2", "Android", "4.2", "Tablet"),
    ),
    (
        f"Mozilla/5.0 (Linux; Android 9; BRAVIA 4K UR2) {KHTML} Chrome/126.0.0.0 Safari/537.36",
        Device("Chrome", "126.0", "Android", "9", "Desktop"),
    ),
    (
        f"Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) {KHTML} "
        "Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063",
        Device("Edge", "15.15063", "Windows Phone", "10.0", "Mobile"),
    ),
    (
        "Opera/9.80 (J2ME/MIDP; Opera Mini/6.5.27510/34.1624; U; en) Presto/2.8.119 Version/11.10",
        Device("Opera", "6.5", "", "", "Mobile"),
    ),
    ("unknown UA", Device()),
]


@pytest.mark.parametrize(("agent", "told"), PEOPLE)
def test_browser_system_and_device_are_named_as_people_know_them(agent, told):
    assert read(agent) == told


def test_an_agent_is_read_as_far_as_1024_characters():
    firefox = " Firefox/127.0"
    assert read("x" * (1_024 - len(firefox)) + firefox).browser_version == "127.0"
    assert read("x" * 1_024 + firefox) == Device()


@pytest.mark.parametrize("agent", ["\ud800 Firefox/127.0", "\0 Firefox/127.0", "😀 Firefox/127.0", "ÿ Firefox/127.0"])
def test_odd_characters_do_not_hide_a_browser(agent):
    assert read(agent) == Device("Firefox", "127.0", "", "", "")


@pytest.mark.parametrize("name", ["x" * 100, "a\0b", "a\u202eb", "\ud800"])
def test_a_name_taken_from_the_agent_is_short_and_printable(name):
    found = read(f"{name}/12345678901234567890.1 CFNetwork/1485 Darwin/23.1.0")
    assert len(found.browser) <= 40
    assert found.browser.isprintable()
    assert found.browser_version == "1234567890123456"


def test_no_more_agents_are_remembered_than_the_size_says():
    assert device.CACHE_SIZE == 8_192
    assert device._read.cache_info().maxsize == 8_192
