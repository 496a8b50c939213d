"""Recognises the user agents of robots, and the name under which each is counted."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache, lru_cache

from crawlerdetect.providers import crawlers, exclusions

from collector.ingest.robot_patterns import AUTOMATED, MARKS, SERVICES, SHAPES, without_lookalikes

MAX_USER_AGENT = 1_024
"""User agents are cut to this many characters before they are searched."""

CACHE_SIZE = 8_192
"""How many user agents are cached."""

UNNAMED = "unnamed"
"""The name for an empty user agent."""

MAX_NAME = 40
MAX_DIGITS = 4  # more could be an address or a phone number

NAMES = {
    "adsbot-google": "AdsBot-Google",
    "ahrefsbot": "AhrefsBot",
    "aiohttp": "aiohttp",
    "amazonbot": "Amazonbot",
    "apache-httpclient": "Apache HttpClient",
    "applebot": "Applebot",
    "axios": "axios",
    "baiduspider": "Baiduspider",
    "bingbot": "Bingbot",
    "bingpreview": "BingPreview",
    "bytespider": "Bytespider",
    "ccbot": "CCBot",
    "chatgpt-user": "ChatGPT-User",
    "claudebot": "ClaudeBot",
    "curl": "curl",
    "cypress": "Cypress",
    "discordbot": "Discordbot",
    "dotbot": "DotBot",
    "duckduckbot": "DuckDuckBot",
    "facebookexternalhit": "Facebook",
    "go-http-client": "Go",
    "googlebot": "Googlebot",
    "googlebot-image": "Googlebot-Image",
    "googleother": "GoogleOther",
    "gptbot": "GPTBot",
    "guzzlehttp": "Guzzle",
    "headlesschrome": "Headless Chrome",
    "ia_archiver": "Internet Archive",
    "java": "Java",
    "lighthouse": "Lighthouse",
    "linkedinbot": "LinkedInBot",
    "meta-externalagent": "Meta",
    "mj12bot": "MJ12bot",
    "node-fetch": "node-fetch",
    "oai-searchbot": "OAI-SearchBot",
    "okhttp": "OkHttp",
    "perplexitybot": "PerplexityBot",
    "perplexity-user": "Perplexity-User",
    "petalbot": "PetalBot",
    "phantomjs": "PhantomJS",
    "playwright": "Playwright",
    "postmanruntime": "Postman",
    "ptst": "WebPageTest",
    "puppeteer": "Puppeteer",
    "python-httpx": "Python HTTPX",
    "python-requests": "Python Requests",
    "python-urllib": "Python urllib",
    "scrapy": "Scrapy",
    "selenium": "Selenium",
    "semrushbot": "SemrushBot",
    "slackbot": "Slackbot",
    "slackbot-linkexpanding": "Slackbot",
    "telegrambot": "TelegramBot",
    "twitterbot": "Twitterbot",
    "uptimerobot": "UptimeRobot",
    "googleimageproxy": "Google image proxy",
    "wget": "Wget",
    "whatsapp": "WhatsApp",
    "yahoomailproxy": "Yahoo mail proxy",
    "yandexbot": "YandexBot",
}
"""How the names of well-known robots are written."""


def name_of(user_agent: str) -> str:
    """The robot's name; "" if the user agent is not a robot's.

    Robots are the crawlers of the `crawlerdetect` package, automated browsers that identify themselves, and clients
    without a user agent. The name is one of `NAMES`, `UNNAMED`, or the word of the agent that matched: at most 40
    lower-case letters, blanks, `._-` and a few digits, without a version.
    """
    return name_cached(user_agent[:MAX_USER_AGENT])


@lru_cache(CACHE_SIZE)
def name_cached(user_agent: str) -> str:
    """As `name_of`, for an agent that is already cut; cached."""
    agent = user_agent.strip()
    if not agent:
        return UNNAMED
    plain = agent.translate(_ODD_LETTERS).lower()
    telling = _harmless().sub("", plain)
    found = _robots().search(telling)
    if found and (reduced := without_lookalikes(plain)) != plain:
        telling = _harmless().sub("", reduced)
        found = _robots().search(telling)
    return _named(telling, *found.span()) if found else _by_shape(plain)


def warm_up() -> None:
    """Loads the patterns now (0.1 s), so that the first visitor does not wait for them."""
    _harmless()
    _robots()
    _known()


# `crawlerdetect` removes harmless words from the agent and searches the rest for about 1,460 patterns, in one
# alternation that ignores case: 100 to 600 µs. Searching lower-cased text for lower-cased patterns that are grouped by
# their first letter finds the same in 10 µs, because most positions fail at their first letter.

_ODD_LETTERS = str.maketrans("İıſ\u212a", "iisk")  # letters that equal i, s and k if case is ignored
_OPTIONAL_START = re.compile(r"\(([a-z ]+)\)\?(.+)")
_ANY_RUN_THEN_CHOICE = re.compile(r"\[[^\]]*\]\*\(([^()]*)\)")
_STARTS_WITH_LETTER = re.compile(r"[a-z0-9](?![*+?{|])[^|(]*")
_BEFORE, _AFTER = re.compile(r"[a-z0-9_-]*\Z"), re.compile(r"[a-z0-9_-]*")
_WORD = re.compile(r"(?<![a-z0-9])(?!https?\b|mozilla)[a-z][a-z0-9._-]+")
_DIGITS = re.compile(r"\d")
_NO_PART_OF_A_NAME = re.compile(r"[^a-z0-9._-]+")


def _by_shape(plain: str) -> str:
    """The name of a robot that only the shape of its agent reveals: the name in the shape, else the first word."""
    for shape in SHAPES:
        if found := shape.search(plain):
            return _plain_name(found["name"] or _first_word(plain))
    return _plain_name(_first_word(plain)) if any(mark in plain for mark in MARKS) else ""


def _first_word(plain: str) -> str:
    found = _WORD.search(_harmless().sub("", plain))
    return found[0] if found else ""


def _named(telling: str, start: int, end: int) -> str:
    """A well-known name, else the whole word around the match: "foobot" for `bot` in "(; foobot/2.1)"."""
    if known := _known().search(telling):
        return NAMES[known[0]]
    matched, slash, _ = telling[start:end].partition("/")
    before = _BEFORE.search(telling[max(0, start - MAX_NAME) : start])
    after = None if slash else _AFTER.match(telling, end)
    word = (before[0] if before else "") + matched + (after[0] if after else "")
    return _plain_name(word)


def _plain_name(word: str) -> str:
    if known := _known().search(word):
        return NAMES[known[0]]
    if sum(map(str.isdigit, word)) > MAX_DIGITS:
        word = _DIGITS.sub("", word)
    return _NO_PART_OF_A_NAME.sub(" ", word)[:MAX_NAME].strip(" ._-") or UNNAMED


@cache
def _known() -> re.Pattern[str]:
    longest_first = sorted(NAMES, key=len, reverse=True)
    return re.compile(f"(?<![a-z0-9])(?:{'|'.join(map(re.escape, longest_first))})(?![a-z0-9])")


@cache
def _harmless() -> re.Pattern[str]:
    """Words that browsers use too. Their order matters: earlier patterns match first."""
    patterns: list[str] = []
    for pattern in map(str.lower, exclusions.data):
        optional = _OPTIONAL_START.fullmatch(pattern)
        patterns += [optional[1] + optional[2], optional[2]] if optional else [pattern]
    return re.compile("|".join(patterns))


@cache
def _robots() -> re.Pattern[str]:
    """Words that only robots use. Order does not matter: one match is enough."""
    patterns: list[str] = [*AUTOMATED, *SERVICES]
    for pattern in map(str.lower, crawlers.data):
        choice = _ANY_RUN_THEN_CHOICE.fullmatch(pattern)  # a leading run of anything does not change a search
        patterns += choice[1].split("|") if choice else [pattern]
    return re.compile("|".join(_by_first_letter(patterns)))


def _by_first_letter(patterns: Iterable[str]) -> list[str]:
    """The same alternatives grouped by first letter (or ^), then those that cannot be grouped."""
    tails: defaultdict[str, list[str]] = defaultdict(list)
    others = []
    for pattern in patterns:
        if _STARTS_WITH_LETTER.fullmatch(pattern) or (pattern[0] == "^" and "|" not in pattern):
            tails[pattern[0]].append(pattern[1:])
        else:
            others.append(pattern)
    return [f"{first}(?:{'|'.join(rest)})" for first, rest in tails.items()] + others
