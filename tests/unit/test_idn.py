"""Host names in Unicode and in ASCII."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.base.idn import in_ascii, in_letters, to_ascii, to_letters


@pytest.mark.parametrize(
    ("letters", "ascii_form"),
    [
        ("müller.example", "xn--mller-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("россия.рф", "xn--h1alffa9f.xn--p1ai"),
        ("日本語.jp", "xn--wgv71a119e.jp"),
        ("東京tokyo.jp", "xn--tokyo-w91hq39l.jp"),
        ("カー.jp", "xn--lck0i.jp"),
        ("سلام.example", "xn--mgbx5cf.example"),
        ("ไทย.example", "xn--o3cw4h.example"),
        ("l·l.example", "xn--ll-0ea.example"),
        ("my_shop.müller.example", "my_shop.xn--mller-kva.example"),
    ],
)
def test_a_host_is_stored_in_ascii_and_shown_in_letters(letters, ascii_form):
    assert to_ascii(letters) == ascii_form
    assert to_ascii(ascii_form.upper()) == ascii_form
    assert to_letters(ascii_form) == letters


@pytest.mark.parametrize(
    ("typed", "ascii_form"),
    [
        ("MÜLLER.example", "xn--mller-kva.example"),
        ("mu\u0308ller.example", "xn--mller-kva.example"),
        ("müller。example", "xn--mller-kva.example"),
        ("ｅｘａｍｐｌｅ.com", "example.com"),
        ("i❤.ws", "xn--i-7iq.ws"),
        ("Example.COM", "example.com"),
        ("℀.example", ""),
        ("ab1٣.example", ""),
        ("a\u200db.example", ""),
        ("ü" * 70 + ".example", ""),
        ("ü." * 300, ""),
        ("ü b.example", ""),
        ("ü\ud800.example", ""),
    ],
)
def test_whatever_is_typed_is_one_name_or_none(typed, ascii_form):
    assert to_ascii(typed) == ascii_form


@pytest.mark.parametrize(
    "host",
    [
        "xn--80ak6aa92e.example",  # аррӏе, in Cyrillic
        "xn--pypal-4ve.example",  # a Cyrillic а in the Latin paypal
        "xn--le-6kc8da.example",
        "xn--i-7iq.ws",  # a heart
        "xn--mgbn2ecje63gr19l.example",  # a joiner that nobody sees
        "xn--zz",
        "xn--.example",
        "xn--mller-kva-.example",
        "example.com",
        "localhost:3000",
        "[::1]:3000",
        "",
    ],
)
def test_a_name_that_looks_like_another_is_shown_in_ascii(host):
    assert to_letters(host) == host


def test_a_name_of_letters_that_look_latin_is_shown_below_an_ending_in_the_same_script():
    assert to_letters(to_ascii("хор.рф")) == "хор.рф"


def test_hosts_within_a_text_are_shown_in_letters():
    assert in_letters("https://xn--mller-kva.example:8080/a?b=xn--strae-oqa.example") == (
        "https://müller.example:8080/a?b=straße.example"
    )
    assert to_letters("xn--mller-kva.example:3000") == "müller.example:3000"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("*.müller.example", "*.xn--mller-kva.example"),
        ("müller", "xn--mller-kva"),
        ("mül*er.example", "mül*er.example"),
        ("a.B", "a.B"),
    ],
)
def test_patterns_of_hosts_become_ascii_label_by_label(text, kept):
    assert in_ascii(text) == kept


@given(st.text(max_size=60))
def test_no_text_raises_and_a_name_is_its_own_ascii_form(text):
    name = to_ascii(text)
    assert name.isascii()
    assert to_ascii(to_letters(name)) == name
    in_ascii(text)
    in_letters(f"xn--{text}")


@pytest.mark.parametrize("text", ["a." * 20_000 + "xn--", "xn--" * 10_000, "ü" * 100_000, "ü." * 50_000, "۱" * 250])
def test_no_text_takes_long(text):
    started = time.process_time()
    to_ascii(text)
    to_letters(text)
    in_letters(text)
    assert time.process_time() - started < 0.1
