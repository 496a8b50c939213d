"""The bodies of messages in each format, written out."""

from __future__ import annotations

import json
import re
import ssl
from html.parser import HTMLParser

import pytest

from analytics.base.errors import InvalidInput
from analytics.notify.channel import NotificationChannel
from analytics.notify.difference import Difference
from analytics.notify.outbound import apprise, discord, email, slack, webhook
from analytics.notify.outbound.answer import failure
from analytics.notify.outbound.message import Covered, RuleCount, lines_of, links_of
from analytics.notify.outbound.outside import Outside
from analytics.notify.outbound.sending import send
from tests.support.channels import outbound_message
from tests.support.factories import NOW

PAYMENT = outbound_message(
    "Payment over 100",
    text="Ann paid 120.5 EUR",
    id=7,
    rule=3,
    priority="high",
    link="https://shop.example.com/orders/9?a=1&b=2",
    link_label="The order",
    value=120.5,
    currency="EUR",
    events=3,
    timezone="Europe/Berlin",
    open_url="https://stats.example.com/notifications",
)
FIRING = outbound_message(
    "Nobody is here",
    type="alert.firing",
    id=8,
    rule=4,
    priority="urgent",
    severity="critical",
    value=0.0,
    open_url="https://stats.example.com/alerts/1",
    snooze_url="https://stats.example.com/alerts/1/snooze?token=t",
)
CROWD = outbound_message(
    "A crowd",
    type="alert.firing",
    id=11,
    rule=5,
    priority="high",
    severity="warning",
    value=120.0,
    threshold=100.0,
    alert=3,
    alert_url="https://stats.example.com/alerts/example.com/alert?id=3",
    metric="active_sessions",
    rule_name="Crowds",
    why=(
        Difference("source", "newsletter", 0, 90),
        Difference("page", "/" + "talk" * 20, 1, 88),
        Difference("country", "DE", 10, 60),
        Difference("user_type", "", 6, 50),
    ),
)
CATCH_UP = outbound_message(
    "43 notifications since 2027-01-14 23:00 CET",
    events=43,
    timezone="Europe/Berlin",
    covered=(
        Covered(7, "Payment over 100", NOW - 60, 120.5, "EUR", rule=3),
        Covered(8, "Nobody is here", NOW, 0.0, "", "still firing", rule=4, type="alert.firing"),
    ),
    more=41,
)
HOSTILE = outbound_message(
    "<!channel> [win](https://evil.example) <script>alert(1)</script>\r\nBcc: x@example.com",
    text="@everyone <@U1> *b* https://evil.example `x` <img src=x onerror=alert(1)>",
    link="javascript:alert(1)",
    id=9,
)


def as_sent(body: bytes) -> object:
    return json.loads(body)


@pytest.mark.parametrize(
    ("message", "data"),
    [
        (
            PAYMENT,
            {
                "id": "7",
                "site": "example.com",
                "rule": 3,
                "priority": "high",
                "title": "Payment over 100",
                "message": "Ann paid 120.5 EUR",
                "value": 120.5,
                "count": 3,
                "link": "https://shop.example.com/orders/9?a=1&b=2",
                "currency": "EUR",
            },
        ),
        (
            FIRING,
            {
                "id": "8",
                "site": "example.com",
                "rule": 4,
                "priority": "urgent",
                "title": "Nobody is here",
                "message": "",
                "value": 0.0,
                "count": 1,
                "severity": "critical",
                "link": "https://stats.example.com/alerts/1",
            },
        ),
        (
            CROWD,
            {
                "id": "11",
                "site": "example.com",
                "rule": 5,
                "priority": "high",
                "title": "A crowd",
                "message": "",
                "value": 120.0,
                "count": 1,
                "severity": "warning",
                "alert": 3,
                "metric": "active_sessions",
                "alert_link": "https://stats.example.com/alerts/example.com/alert?id=3",
                "threshold": 100.0,
                "why": [
                    {"dimension": "source", "value": "newsletter", "before": 0, "now": 90},
                    {"dimension": "page", "value": "/" + "talk" * 20, "before": 1, "now": 88},
                    {"dimension": "country", "value": "DE", "before": 10, "now": 60},
                    {"dimension": "user_type", "value": "", "before": 6, "now": 50},
                ],
            },
        ),
        (
            CATCH_UP,
            {
                "id": None,
                "site": "example.com",
                "rule": None,
                "priority": "medium",
                "title": "43 notifications since 2027-01-14 23:00 CET",
                "message": "",
                "value": None,
                "count": 43,
                "notifications": [
                    {
                        "id": "7",
                        "type": "notification.created",
                        "rule": 3,
                        "title": "Payment over 100",
                        "timestamp": "2027-01-15T07:59:00Z",
                        "value": 120.5,
                    },
                    {
                        "id": "8",
                        "type": "alert.firing",
                        "rule": 4,
                        "title": "Nobody is here",
                        "timestamp": "2027-01-15T08:00:00Z",
                        "value": 0.0,
                        "outcome": "still firing",
                    },
                ],
            },
        ),
    ],
    ids=["event", "alert", "alert of a line", "catch-up"],
)
def test_the_body_of_a_webhook(message, data):
    assert as_sent(webhook.body_of(message)) == {
        "type": message.type,
        "timestamp": "2027-01-15T08:00:00Z",
        "data": data,
    }


def test_the_body_of_a_webhook_is_shorter_than_20_kb():
    covered = tuple(Covered(number, "🙂" * 300, NOW) for number in range(40))
    for text in ("x" * 100_000, "\x00" * 100_000, "🙂" * 100_000, ""):
        why = (Difference("page", "🙂" * 2_000, 0, 9),) * 5
        body = webhook.body_of(PAYMENT._replace(text=text, title="🙂" * 1_000, covered=covered, more=2, why=why))
        assert len(body) < webhook.MAX_BODY
        sent = json.loads(body)["data"]
        assert sent["title"] == "🙂" * 250
        assert text.startswith(sent["message"])


def test_slack_gets_blocks():
    assert slack.body_of(PAYMENT) == {
        "text": "Payment over 100, and 2 more",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Payment over 100, and 2 more", "emoji": False}},
            {"type": "section", "text": {"type": "plain_text", "text": "Ann paid 120.5 EUR", "emoji": False}},
            {
                "type": "context",
                "elements": [
                    {
                        "type": "plain_text",
                        "text": "example.com · Priority: high · Value: 120.5 EUR · Events: 3 · 2027-01-15 09:00 CET",
                        "emoji": False,
                    }
                ],
            },
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "text": "<https://shop.example.com/orders/9?a=1&amp;b=2|The order> | "
                    "<https://stats.example.com/notifications|Open in Footfall>",
                },
            },
        ],
    }


def test_discord_gets_an_embed():
    assert discord.body_of(FIRING) == {
        "embeds": [
            {
                "title": "Nobody is here",
                "description": "[Open in Footfall](<https://stats.example.com/alerts/1>) · "
                "[Snooze](<https://stats.example.com/alerts/1/snooze?token=t>)",
                "color": 0xDC3545,
                "timestamp": "2027-01-15T08:00:00Z",
                "fields": [
                    {"name": "Site", "value": "example.com", "inline": True},
                    {"name": "Priority", "value": "urgent", "inline": True},
                    {"name": "Severity", "value": "critical", "inline": True},
                    {"name": "Value", "value": "0", "inline": True},
                ],
            }
        ],
        "allowed_mentions": {"parse": []},
    }


def test_an_alert_has_its_value_the_line_that_it_crossed_and_what_makes_the_difference():
    page = f"Page: /{'talk' * 20}"[:60]
    why = f"Source: newsletter 0 → 90; {page}… 1 → 88; Country: Germany 10 → 60"
    lines = (
        "Site: example.com\nPriority: high\nSeverity: warning\n"
        "Rule: Crowds\nMetric: active_sessions\nValue: 120 (above 100)\nTime: 2027-01-15 08:00 UTC\n"
        f"What makes the difference: {why}"
    )
    assert apprise.text_of(CROWD) == lines
    assert email.text_of(CROWD) == f"A crowd\n\n{lines}\n"
    assert {"What makes the difference", why} <= set(Reader(email.html_of(CROWD)).words)
    (context,) = slack.body_of(CROWD)["blocks"][1]["elements"]
    assert context["text"].endswith(f"Value: 120 (above 100) · 2027-01-15 08:00 UTC · What makes the difference: {why}")
    fields = {one["name"]: one["value"] for one in discord.body_of(CROWD)["embeds"][0]["fields"]}
    assert fields["Value"].replace("\\", "") == "120 (above 100)"
    assert fields["What makes the difference"].startswith(r"Source\: newsletter 0 → 90; Page\: \/talktalk")
    assert len(fields["What makes the difference"]) <= discord.MAX_FIELD


def test_a_catch_up_is_a_line_for_each():
    lines = [
        "2027-01-15 08:59 CET: Payment over 100; 120.5 EUR",
        "2027-01-15 09:00 CET: Nobody is here; 0; still firing",
        "and 41 more",
    ]
    assert lines_of(CATCH_UP) == lines
    assert slack.body_of(CATCH_UP)["blocks"][1]["text"]["text"] == "\n".join(lines)
    assert discord.body_of(CATCH_UP)["embeds"][0]["description"].count("\n") == 2
    assert "\n".join(lines) in email.text_of(CATCH_UP)
    assert "\n".join(lines) in apprise.text_of(CATCH_UP)


def test_a_mail_is_text_and_html():
    mail = email.mail_of(PAYMENT, "Footfall <stats@example.com>", "ann@example.com", NOW)
    assert dict(mail.items()) == {
        "From": "Footfall <stats@example.com>",
        "To": "ann@example.com",
        "Subject": "[example.com] Payment over 100, and 2 more",
        "Date": "Fri, 15 Jan 2027 08:00:00 +0000",
        "Message-ID": "<msg_1@example.com>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
        "Content-Type": mail["Content-Type"],
    }
    assert mail.get_content_type() == "multipart/alternative"
    text, html = (part.get_content() for part in mail.iter_parts())
    assert text == (
        "Payment over 100, and 2 more\n\nAnn paid 120.5 EUR\n\n"
        "Site: example.com\nPriority: high\nValue: 120.5 EUR\nEvents: 3\n"
        "Time: 2027-01-15 09:00 CET\n\nThe order: https://shop.example.com/orders/9?a=1&b=2\n"
        "Open in Footfall: https://stats.example.com/notifications\n"
    )
    read = Reader(html)
    assert " | ".join(read.words) == (
        "Payment over 100, and 2 more | Payment over 100, and 2 more | Ann paid 120.5 EUR | "
        "Site | example.com | Priority | high | Value | 120.5 EUR | Events | 3 | "
        "Time | 2027-01-15 09:00 CET | The order | Open in Footfall"
    )
    assert read.links == ["https://shop.example.com/orders/9?a=1&b=2", "https://stats.example.com/notifications"]


TAGS = {"html", "head", "meta", "title", "body", "div", "h1", "p", "ul", "li", "table", "tr", "th", "td", "a"}


class Reader(HTMLParser):
    """The words, links and tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data):
        self.words += [data.strip()] if data.strip() else []


def test_a_mail_needs_no_picture_and_nothing_from_elsewhere():
    for message in (PAYMENT, FIRING, CATCH_UP, HOSTILE):
        html = email.html_of(message)
        assert Reader(html).tags <= TAGS
        assert "url(" not in html
        assert Reader(html).links == [link.url for link in links_of(message)]


def test_what_visitors_wrote_stays_text_everywhere():
    assert [link.url for link in links_of(HOSTILE)] == []
    in_slack = slack.body_of(HOSTILE)
    assert in_slack["text"].startswith("&lt;!channel&gt; [win]")
    assert {block["type"] for block in in_slack["blocks"]} == {"header", "section", "context"}
    assert "mrkdwn" not in json.dumps(in_slack)
    embed = discord.body_of(HOSTILE)["embeds"][0]
    assert embed["description"].startswith(r"\@everyone \<\@U1\> \*b\* https\:\/\/evil.example \`x\`")
    assert r"\[win\]\(https\:\/\/evil.example\)" in embed["title"]
    mail = email.mail_of(HOSTILE, "Footfall <stats@example.com>", "ann@example.com", NOW)
    assert mail["Bcc"] is None
    assert mail["Subject"].endswith("Bcc: x@example.com")
    assert "onerror=alert(1)&gt;" in email.html_of(HOSTILE)
    assert not re.search("<(script|img)", email.html_of(HOSTILE))


def test_limits_of_slack_and_discord_are_kept():
    long = PAYMENT._replace(title="*" * 5_000, text="\\*" * 50_000, link_label="x" * 5_000, covered=CATCH_UP.covered)
    blocks = slack.body_of(long)["blocks"]
    assert [len(block["text"]["text"]) for block in blocks[:2]] == [150, 3_000]
    assert len(blocks[3]["text"]["text"]) <= 3_000
    embed = discord.body_of(long)["embeds"][0]
    assert (len(embed["title"]), len(embed["description"]) <= 4_096) == (256, True)
    assert len(embed["title"]) + len(embed["description"]) + sum(len(str(one)) for one in embed["fields"]) < 6_000


def test_a_message_without_words_has_none_of_their_parts():
    bare = outbound_message()
    assert [block["type"] for block in slack.body_of(bare)["blocks"]] == ["header", "context"]
    assert discord.body_of(bare)["embeds"][0]["description"] == ""
    assert email.text_of(bare) == ("A title\n\nSite: example.com\nPriority: medium\nTime: 2027-01-15 08:00 UTC\n")


@pytest.mark.parametrize("text", ["", "hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", f"whsec_{'QUJD' * 22}"])
def test_a_secret_that_is_none_is_refused(text):
    with pytest.raises(InvalidInput, match=r"^secret: give whsec_ and 24 to 64 bytes in Base64$"):
        webhook.checked_secret(text)


def test_secrets_are_one_or_two():
    one, two = webhook.new_secret(), webhook.new_secret()
    assert webhook.checked_secret(one) == one
    assert webhook.checked_secret(f"{one}  {two}") == f"{one} {two}"
    assert len(webhook.signatures(f"{one} {two}", "msg_1", NOW, b"{}").split()) == 2


def test_a_message_that_breaks_its_format_is_an_answer_too():
    channel = NotificationChannel(1, 1, "slack", "", "https://hooks.example.com", "")
    settings = Outside((), None, ssl.create_default_context())
    broken = PAYMENT._replace(timezone="Nowhere/Never")
    assert send(channel, broken, settings, NOW) == failure("it could not be sent (ZoneInfoNotFoundError)")


def test_a_message_of_several_begins_with_what_each_rule_has():
    rules = (
        RuleCount(4, "Nobody is here", alerts=1, firing=1),
        RuleCount(5, "A crowd", alerts=3, firing=1),
        RuleCount(6, "Errors", alerts=2),
        RuleCount(3, "Payment over 100", events=41),
        RuleCount(7, "Refund", events=1),
    )
    message = CATCH_UP._replace(rules=rules, more_rules=2)
    assert lines_of(message)[:7] == [
        "Nobody is here: 1 alert, still firing",
        "A crowd: 3 alerts, 1 still firing",
        "Errors: 2 alerts, over",
        "Payment over 100: 41 times",
        "Refund: 1 time",
        "and 2 more rules",
        "2027-01-15 08:59 CET: Payment over 100; 120.5 EUR",
    ]
    said = json.loads(webhook.body_of(message))["data"]["rules"]
    assert said[1] == {"rule": 5, "name": "A crowd", "events": 0, "alerts": 3, "firing": 1}
