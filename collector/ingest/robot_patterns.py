"""Patterns that tell robots from people, in addition to those of the `crawlerdetect` package; all in lower case.

Every pattern searches an agent of 1,024 characters in linear time.
"""

from __future__ import annotations

import re

AUTOMATED = ("cypress/", "playwright", "puppeteer", "selenium", "slimerjs", "testcafe", "webdriver")
"""Words of automated browsers. `crawlerdetect` has HeadlessChrome and PhantomJS."""

SERVICES = (
    # monitoring and measuring pages
    *("appinsights", "blackbox exporter", "catchpoint", "collectd/", "convertify", "criticalcss", "datadog"),
    *("dejaclick", "diagnostics", "dotcom-monitor", "functionize", "grafana/", "health-?check", "healthservice"),
    *("hotjar ", "matomo/", "measurement", "munin/", "onetrust", "page monitor", "pingdom", "prometheus/", "ptst/"),
    *("rigor[;)]", "rocketmonitor", "silktide", "synthetics", "taginspector", "thousandeyes", "url-monitor"),
    *("watcher/", "webmon/", "xymon"),
    # scanning for vulnerabilities, e-mail addresses and texts
    *("archivebox", "assetnote", "audit", "burpcollaborator", "clamav", "collapsify", "detectify", "foregenix"),
    *("jndi:", "l9explore", "leadgen", "marketgoo", "morningscore", "pageburst", "prospecting", "recon/"),
    *("recon-engine", "research", "[-_ ]scanner", "^scanner", "scanner[.]", "scanning", "sectxt", "securityheaders"),
    *("security-dot-txt", "survey", "verify/", "watchtowr", "webscan", "xtate/"),
    # fetching previews, images and feeds
    *("apple-?pubsub", "cardyb", "castopod/", "episode duration lookup", "external(?:ads|agent|hit)"),
    *("favicon-service", "feeddlerrss", "google-[a-z]", "googleadsenseinfeed", "imageproxy", "librss"),
    *("link-?expander", "mail.ukr.net proxy", "metadata ?parser", "newsblur", "opengraph", "preview-tool"),
    *("scope3/", "screenshot", "steam http client", "urldownloader"),
    # programs that act for a person
    *("[a-z]-user/", "agent/v?[0-9]", "anthropic", "azure-logic-apps", "claude-code/", "cloudflare", "cohere-"),
    *("colly/", "cryptoapi", "[ /]dcv", "devin/", "discourse/", "dummy connection", "githubcopilot", "grpc-[a-z]"),
    *("ifttt", "kendra-customer", "openai/", "rest-client/", "route ?53", "user ?agent", "webhook", "wechatdevtools"),
    *("-worker/",),
)
"""Patterns of automatic services: monitoring, tests, previews, agents of language models."""

_SYSTEMS = (
    "windows|linux|mac|x11|msie|konqueror|opera|gecko/|amiga|beos|brew|haiku|icab|ms-office|omniweb|os/2|palm|risc os"
    "|symbian|syllable"
)
SHAPES = tuple(
    re.compile(pattern)
    for pattern in (
        r"like gecko[;,)]+ ?compatible[;,)]? ?\+?(?P<name>[a-z][\w.-]*)?",  # no browser adds anything behind that
        rf"^mozilla/[\d.]+[;,]? \(compatible[;,) ](?![^)]*(?:{_SYSTEMS})) ?(?P<name>[a-z][\w.-]*)?",  # no system
        r"^mozilla/\d\.\d[;,]?(?: \((?P<name>[^;() ]*)/[^;() ]*\))?"  # no engine and no browser name
        r"(?: (?!firefox/|chrome/|safari/|opera/|edg|umami/v)[a-z][^ ()]*)?$",
        r"@(?P<name>[a-z][a-z0-9-]*)\.[a-z]",  # an e-mail address
        r"\) (?P<name>splash) ",  # no version, unlike browsers
        r"^(?!iphone|.*(?:firefox|chrome|safari|opera))(?P<name>)[^\d(]{3,}$",  # no version, no system: "Hello, world"
    )
)
"""Shapes of agents that no browser has. The group `name` is the robot's name, if the shape has one."""

MARKS = ("://", "www.", "mailto:", "[at]", "${", "{{", "<?", "<class", "w.x.y.z", ":geckoversion", "select(")
"""Web and e-mail addresses of robots; unfilled templates, and attacks."""

FEED_READERS_IN_BROWSERS = ("netnewswire", "quiterss", "feedly")
APPLICATIONS = (
    *("1password", "asana", "grammarly", "mattermost", "outlook-ios", "slack(?:_ssb)?", "stumbleupon", "whatsapp"),
    *FEED_READERS_IN_BROWSERS,
)
"""Applications that show pages in a browser window. Without one (no "like Gecko") the same name fetches previews."""
_APPLICATION = re.compile(rf"(?<![\w.-])(?:{'|'.join(APPLICATIONS)})(?![\w-])(?:/[\w.]+)?")

_AT_WORK = "bot|crawl|cypress|headless|phantom|pingdom|playwright|puppeteer|scrap|selenium|spider|testcafe|webdriver"
# In an Electron application every product is the application's own, unless it names an automated activity.
_PRODUCT = re.compile(rf"(?<![\w.-])(?![\w.-]*(?:{_AT_WORK}))[\w.-]+/[\w.]+")
_ANDROID = re.compile(r"\((?=[^()]*android)(?:linux|android)[^()]*(?:\([^()]*\)[^()]*)*\)")
_TELEVISION = re.compile(r"\b(?:hbbtv|fvc)/[\d.]+ ?\([^)]*\)")
_OFFICE = re.compile(
    r"^(?:microsoft office(?: (?:word|excel|powerpoint|onenote))?|outlook-express|word)/(?=[\d.]+ \()"
    r"|microsoft (?:outlook|powerpoint|word|excel)(?= (?:mail )?\d)"
)
_TEXT_BROWSER = re.compile(r"^(?:amaya|lynx|ncsa_mosaic|vms_mosaic)/.*?libwww(?:-fm)?/")
_LIBRARY = re.compile(r"\bcronet\b|\b(?:com|ru)\.yandex\.[a-z]+/")
_PROBES = ("catchpoint", "rigor", "splunk synthetics")  # in the place of a phone's model


def without_lookalikes(agent: str) -> str:
    """The agent without words that only look like a robot's: device models and application names.

    A phone may be called "Spider 8", a television's maker "Botech", and Slack's desktop application shows pages.
    """
    agent = _ANDROID.sub(_without_model, agent)
    if "electron/" in agent:
        agent = _PRODUCT.sub("", agent)
    if "like gecko)" in agent:
        agent = _APPLICATION.sub("", agent)
    for harmless in (_TELEVISION, _OFFICE, _TEXT_BROWSER, _LIBRARY):
        agent = harmless.sub("", agent)
    return agent


def _without_model(found: re.Match[str]) -> str:
    """Android's parentheses with only the parts that name a product or a monitoring service."""
    parts = found[0][1:-1].split(";")
    kept = (part for part in parts if ("/" in part and "build/" not in part) or part.strip() in _PROBES)
    return f"({';'.join(kept)})"
