"""Personal data and credentials are not stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.base.redaction import clean_address, clean_path

KEY = "0123456789abcdef0123456789ABCDEF"
JWT = "eyJhbGciOiJIUzI1NiJ9.e30.x"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        (f"/shop/cart.jsp;jsessionid={KEY}", "/shop/cart.jsp"),
        (f"/shop/cart.jsp;JSESSIONID={KEY}.node1!-17", "/shop/cart.jsp"),
        (f"/shop;jsessionid={KEY}/cart", "/shop/cart"),
        (f"/shop/cart.jsp%3Bjsessionid%3D{KEY}", "/shop/cart.jsp"),
        ("/shop/cart.jsp%253Bjsessionid%253DA1B2", "/shop/:redacted"),
        ("/shop/cart.jsp;jsessionid=A1-B2", "/shop/cart.jsp"),
        ("/list;sid=42;sort=price", "/list;sort=price"),
        ("/list;PHPSESSID=42;ASP.NET_SessionId=7;x-csrf-token=8", "/list"),
        ("/x;token=abc/y", "/x/y"),
        (f"/x;v={KEY};w=1/y", "/x;w=1/y"),
        (f"/x;v={JWT}/y", "/x/y"),
        ("/x;mail=ann@example.com/y", "/x/y"),
        (f"/reset-{KEY}", "/:redacted"),
        (f"/reset-{KEY}-now/done", "/:redacted/done"),
        (f"/files/report_{KEY}.pdf", "/files/:redacted"),
        (f"/%30{KEY[1:]}", "/:redacted"),
        ("/login,token=abc/x", "/:redacted/x"),
        ("/token=abc", "/:redacted"),
        ("/reset%3Ftoken%3Dabc", "/:redacted"),
        ("/(S(lit3py55t21z5v55vlm25s55))/page.aspx", "/:redacted/page.aspx"),
        ("/(X(1)S(lit3py55t21z5v55vlm25s55))/page.aspx", "/:redacted/page.aspx"),
        ("/list;wt-session=42;connect.sid=s1;osCsid=7;sort=price", "/list;sort=price"),
        (f"/#/cart;jsessionid={KEY}", "/#/cart"),
        (f"/a#reset-{KEY}", "/a#:redacted"),
    ],
)
def test_a_session_or_a_token_within_a_path_leaves_no_digit(path, kept):
    assert clean_path(path) == kept


@pytest.mark.parametrize(
    "path",
    [
        "/cars;color=red;doors=5/x",
        "/a;b",
        "/a;/b",
        "/price=5",
        "/f(x)/(A)",
        "/550e8400-e29b-41d4-a716-446655440000",  # names a record, and opens nothing
        "/tokens/session/sid",
        "/fair;sessions=3;inside=1",
        f"/{KEY[1:]}",
    ],
)
def test_other_parameters_and_numbers_stay(path):
    assert clean_path(path) == path


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        (f"https://a.example/cart;jsessionid={KEY}?v=1", "https://a.example/cart?v=1"),
        (f"https://a.example/reset-{KEY}.pdf", "https://a.example/:redacted"),
        ("https://a.example/caf%c3%a9?q=%C3%A9", "https://a.example/café?q=%C3%A9"),
        ("https://a.example/x?v=1&PHPSESSID=abc", "https://a.example/x"),
        ("https://a.example/x?v=1#access_token=abc", "https://a.example/x"),
        (f"https://a.example/x#reset-{KEY}", "https://a.example/x#:redacted"),
        (f"https://a.example/x?v=a-{KEY}", "https://a.example/x"),
        ("https://ann:pw@a.example/x", "https://a.example/x"),
        (f"https://{KEY}.a.example/x", f"https://{KEY}.a.example/x"),
        ("https://a.example", "https://a.example"),
        (f"/missing;jsessionid={KEY}", "/missing"),
    ],
)
def test_an_address_keeps_host_path_and_an_innocent_query(address, kept):
    assert clean_address(address) == kept


pieces = st.sampled_from(
    ["/", ";", "#", "%", "%3B", "sid=1", "token=", KEY, "a@b.c", JWT, "x", "=", ":redacted", "%40", "%2540", "é"]
)


@given(st.lists(pieces, max_size=10).map("".join))
def test_a_clean_path_stays_as_it_is(path):
    assert clean_path(clean_path(path)) == clean_path(path)
