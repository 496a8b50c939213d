"""What user agents say of browser, system and device."""

from __future__ import annotations

import pytest

from collector.ingest import device
from collector.ingest.device import Device, read

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
    # Version/ and what apps say of the system tell iOS from 26 on; its own place says 18_6 or 18_7
    *(
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS {frozen} like Mac OS X) {APPLE} {says}", Device(*expected, "Mobile"))
        for frozen, says, expected in (
            ("18_7", "Version/26.2 Mobile/15E148 Safari/604.1", ("Safari", "26.2", "iOS", "26.2")),
            ("18_6", "Version/26.0 Mobile/15E148 Safari/604.1", ("Safari", "26.0", "iOS", "26.0")),
            ("18_6_2", "Version/26.0.1 Mobile/15E148 Safari/604.1", ("Safari", "26.0", "iOS", "26.0")),
            ("18_7", "Version/27.1 Mobile/15E148 Safari/604.1", ("Safari", "27.1", "iOS", "27.1")),
            ("18_7", "Version/27 Mobile/15E148 Safari/604.1", ("Safari", "", "iOS", "27")),
            ("26_0", "Version/26.0 Mobile/15E148 Safari/604.1", ("Safari", "26.0", "iOS", "26.0")),
            ("18_6", "Version/18.6 Mobile/15E148 Safari/604.1", ("Safari", "18.6", "iOS", "18.6")),
            ("18_7", "Version/18.7.2 Mobile/15E148 Safari/604.1", ("Safari", "18.7", "iOS", "18.7")),
            ("17_5", "Version/17.5 Mobile/15E148 Safari/604.1 Ddg/26.1", ("DuckDuckGo", "26.1", "iOS", "17.5")),
            ("18_7", "Version/26.2 Mobile/15E148 DuckDuckGo/26 Safari/604.1", ("DuckDuckGo", "26", "iOS", "26.2")),
            ("18_7", "Version/26.0 EdgiOS/141.0.1 Mobile/15E148 Safari/604.1", ("Edge", "141.0", "iOS", "26.0")),
            ("26_1_0", "CriOS/142.0.7444.1 Mobile/15E148 Safari/604.1", ("Chrome", "142.0", "iOS", "26.1")),
            ("18_7", "FxiOS/146.0 Mobile/15E148 Safari/604.1", ("Firefox", "146.0", "iOS", "18.7")),
            ("18_7", "Mobile/15E148 [FBAN/FBIOS;FBAV/540.0;FBSN/iOS;FBSV/26.2]", ("Facebook", "540.0", "iOS", "26.2")),
            (
                "18_7",
                "Mobile/15E148 Instagram 410.0.0 (iPhone17,1; iOS 26_2; de)",
                ("Instagram", "410.0", "iOS", "26.2"),
            ),
            ("18_7", "Mobile/15E148", ("Mobile App", "", "iOS", "18.7")),
        )
    ),
    (
        f"Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) {APPLE} Version/26.2 Mobile/15E148 Safari/604.1",
        Device("Safari", "26.2", "iPadOS", "26.2", "Tablet"),
    ),
    (
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE} Version/26.2 Safari/605.1.15",
        Device("Safari", "26.2", "macOS", "10.15", "Desktop"),
    ),
    *(
        (f"Mozilla/5.0 ({on}) {KHTML} Chrome/114.0.0.0 Safari/537.36  ArkWeb/4.1.6.1 {says}", Device(*expected))
        for on, says, expected in (
            (
                "Phone; OpenHarmony 5.0",
                "Mobile HuaweiBrowser/5.1.3.311",
                ("Huawei Browser", "5.1", "HarmonyOS", "5.0", "Mobile"),
            ),
            (
                "Phone; OpenHarmony 6.0; Android 10",
                "Mobile HuaweiBrowser/5.1.12.351",
                ("Huawei Browser", "5.1", "HarmonyOS", "6.0", "Mobile"),
            ),
            (
                "Tablet; OpenHarmony 5.1",
                "Mobile HuaweiBrowser/5.1.3.311",
                ("Huawei Browser", "5.1", "HarmonyOS", "5.1", "Tablet"),
            ),
            (
                "PC; OpenHarmony 5.0; HarmonyOS 5.1",
                "Mobile HuaweiBrowser/5.1.3.311",
                ("Huawei Browser", "5.1", "HarmonyOS", "5.1", "Desktop"),
            ),
            ("Phone; OpenHarmony 5.0", "Mobile", ("Mobile App", "114.0", "HarmonyOS", "5.0", "Mobile")),
            (
                "Phone; OpenHarmony 5.1",
                "Mobile MicroMessenger/8.0.9.39(0xf3100927) Weixin",
                ("WeChat Browser", "8.0", "HarmonyOS", "5.1", "Mobile"),
            ),
            ("Phone; OpenHarmony 4.1", "Mobile", ("Mobile App", "114.0", "OpenHarmony", "4.1", "Mobile")),
        )
    ),
    (
        f"Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN01; HMSCore 6.13.0.302) {KHTML} Chrome/114.0.5735.196 "
        "HuaweiBrowser/15.0.4.312 Mobile Safari/537.36",
        Device("Huawei Browser", "15.0", "HarmonyOS", "", "Mobile"),
    ),
    (
        f"Mozilla/5.0 (Linux; Android 12; HarmonyOS; MRX-W09; HMSCore 6.13.0.302) {KHTML} Chrome/114.0.5735.196 "
        "HuaweiBrowser/15.0.4.312 Safari/537.36",
        Device("Huawei Browser", "15.0", "HarmonyOS", "", "Tablet"),
    ),
    ("unknown UA", Device()),
]


@pytest.mark.parametrize(("agent", "named"), PEOPLE)
def test_browser_system_and_device_are_named_as_people_know_them(agent, named):
    assert read(agent) == named


def test_an_agent_is_read_as_far_as_1024_characters():
    firefox = " Firefox/127.0"
    assert read("x" * (1_024 - len(firefox)) + firefox).browser_version == "127.0"
    assert read("x" * 1_024 + firefox) == Device()


@pytest.mark.parametrize("agent", ["\ud800 Firefox/127.0", "\0 Firefox/127.0", "😀 Firefox/127.0", "ÿ Firefox/127.0"])
def test_odd_characters_do_not_hide_a_browser(agent):
    assert read(agent) == Device("Firefox", "127.0", "", "", "")


@pytest.mark.parametrize(
    "agent",
    [
        f"(Phone; OpenHarmony {'5' * 900})",
        f"(Phone; OpenHarmony 5.{'1' * 900})",
        f"(Phone; OpenHarmony 5.0; HarmonyOS 6.{'1' * 900})",
        f"(Phone; OpenHarmony {'; ' * 400}",
        f"(iPhone; CPU iPhone OS 18_7 like Mac OS X) Version/26.{'1' * 900} Mobile Safari/604.1",
    ],
)
def test_a_version_is_short_however_long_it_is_told(agent):
    assert len(read(f"Mozilla/5.0 {agent}").os_version) <= 16


@pytest.mark.parametrize("name", ["x" * 100, "a\0b", "a\u202eb", "\ud800"])
def test_a_name_taken_from_the_agent_is_short_and_printable(name):
    found = read(f"{name}/12345678901234567890.1 CFNetwork/1485 Darwin/23.1.0")
    assert len(found.browser) <= 40
    assert found.browser.isprintable()
    assert found.browser_version == "1234567890123456"


def test_no_more_agents_are_remembered_than_the_size_says():
    assert device.CACHE_SIZE == 8_192
    assert device._read.cache_info().maxsize == 8_192
