"""Settings, Channels: a channel is changed, its secret is replaced, and e-mail without a mail server says so."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from house import House, open_house

from analytics.base.config import Config
from analytics.base.mail_server import MailServer, MailTls
from analytics.notify import channels
from analytics.notify.channel import NotificationChannel
from layouts.settings import channels as layout
from tests.support.channels import added_channel, added_delivery, added_notification, channel_now

SITE = "example.com"
OLD = "whsec_" + base64.b64encode(b"k" * 24).decode()
HOOK = "https://93.184.216.34/hooks/t0ken"
ELSEWHERE = "https://93.184.216.34/elsewhere"
NO_MAIL = "There is no mail server: FOOTFALL_SMTP_URL is empty."
MAIL = MailServer("mail.example.com", 587, "", "", "stats@example.com", MailTls.STARTTLS)


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    with open_house(Config(data_dir=tmp_path)) as house:
        house.add_site(SITE)
        house.browsers["admin"] = house.join("admin@example.com", "admin")
        yield house


@pytest.fixture
def hook(house) -> NotificationChannel:
    """A webhook that is off."""
    return added_channel(house.service.database, HOOK, secret=OLD, name="Shop", disabled_at=1, disabled_why="gone")


def now(house: House, channel: NotificationChannel) -> NotificationChannel:
    return channel_now(house.service.database, channel)


def send(house: House, form: str, **fields: str) -> dict[str, object]:
    return house.send(house.browsers["admin"], form, SITE, **fields)


def page(house: House, search: str = "") -> str:
    path = f"/settings/{SITE}/channels"
    text: str = house.call(house.browsers["admin"], "root.children", pathname=path, search=search).text
    return text


def test_a_channel_gets_another_name_and_all_else_stays(house, hook):
    said = send(house, layout.CHANGE, id=str(hook.id), name="The shop", to="")
    assert said == {"message": "The shop is changed", "fill": {"channel-change-to": ""}}
    assert now(house, hook) == hook._replace(name="The shop")


def test_with_another_address_it_keeps_its_secret_and_is_on(house, hook):
    send(house, layout.CHANGE, id=str(hook.id), name="Shop", to=f" {ELSEWHERE} ")
    assert now(house, hook) == hook._replace(address=ELSEWHERE, disabled_at=None, disabled_why="")


@pytest.mark.parametrize(("field", "value"), [("to", "http://127.0.0.1:5432/"), ("to", "x"), ("name", "x" * 121)])
def test_what_is_wrong_is_named_and_nothing_changes(house, hook, field, value):
    said = send(house, layout.CHANGE, **{"id": str(hook.id), "name": "Shop", "to": ""} | {field: value})
    assert list(said["wrong"]) == [field]
    assert now(house, hook) == hook


def test_the_form_of_a_channel_shows_its_name_and_not_what_is_secret_of_its_address(house, hook):
    shown = page(house, f"?channel={hook.id}")
    assert "Change Shop" in shown
    assert "Empty: it stays" in shown
    assert "t0ken" not in shown
    assert OLD not in shown
    for search in ("", "?channel=99", "?channel=x"):
        assert "Change Shop" not in page(house, search)


def test_a_new_secret_is_shown_once_and_signs_with_the_one_before(house, hook):
    said = send(house, layout.ROTATE, key=str(hook.id))
    first = said["once"][layout.ROTATED]
    assert said == {"message": "Shop has a new secret", "once": {"rotated-secret": first}}
    assert now(house, hook) == hook._replace(secret=f"{first} {OLD}")
    second = send(house, layout.ROTATE, key=str(hook.id))["once"][layout.ROTATED]
    assert now(house, hook).secret == f"{second} {first}"
    assert len({OLD, first, second}) == 3
    assert second not in page(house)


def test_only_a_webhook_has_a_secret(house):
    mail = added_channel(house.service.database, "ann@example.com", "email")
    assert send(house, layout.ROTATE, key=str(mail.id))["message"] == "only webhooks are signed"
    assert now(house, mail) == mail
    assert layout.ROTATE + f"-{mail.id}" not in page(house)


def test_a_channel_that_is_not_there_is_neither_changed_nor_signed(house):
    for form, field in ((layout.CHANGE, "id"), (layout.ROTATE, "key")):
        said = send(house, form, **{field: "99", "name": "x", "to": ELSEWHERE})
        assert said["message"].startswith("there is no channel 99")


def test_without_a_mail_server_an_e_mail_channel_says_that_it_sends_nothing(house):
    said = send(house, layout.ADD, kind="email", to="ann@example.com", name="Ann")
    assert said["message"] == f"Ann is added. {NO_MAIL}"
    assert NO_MAIL in page(house)
    (mail,) = channels.of_site(house.service.database, 1)
    channels.disable(house.service.database, mail.id, now=1)
    assert NO_MAIL not in page(house), "it is off anyway"


def test_with_a_mail_server_it_is_on(tmp_path):
    with open_house(Config(data_dir=tmp_path, smtp_url=MAIL)) as house:
        house.add_site(SITE)
        house.browsers["admin"] = house.join("admin@example.com", "admin")
        said = send(house, layout.ADD, kind="email", to="ann@example.com", name="Ann")
        assert said["message"] == "Ann is added"
        assert NO_MAIL not in page(house)


def test_a_public_dashboard_shows_neither_addresses_nor_what_was_sent(tmp_path):
    with open_house(Config(data_dir=tmp_path, public=True)) as house:
        house.add_site(SITE)
        channel = added_channel(house.service.database, "ada@example.com", "email", name="Ada")
        added_delivery(house.service.database, channel, added_notification(house.service.database, title="For admins"))
        house.browsers["admin"] = house.app.server.test_client()
        for search in ("", f"?channel={channel.id}"):
            shown = page(house, search)
            assert "Ada" in shown
            for hidden in ("ada@example.com", "For admins", "Deliveries"):
                assert hidden not in shown
