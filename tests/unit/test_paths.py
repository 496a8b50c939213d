"""Readable paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.base.paths import readable


@pytest.mark.parametrize("path", ["/caf%C3%A9", "/caf%c3%a9", "/caf%c3%A9", "/%63af%C3%A9", "/café"])
def test_every_spelling_of_a_page_is_one_path_in_letters(path):
    assert readable(path) == "/café"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/%D8%B3%D9%84%D8%A7%D9%85", "/سلام"),
        ("/%E6%97%A5%E6%9C%AC/%F0%9F%8D%A3", "/日本/🍣"),
        ("/%D9%85%DB%8C%E2%80%8C%D8%AE%D9%88%D8%A7%D9%87%D9%85", "/می\u200cخواهم"),  # a Persian word has a joiner
        ("/a%20b", "/a b"),
        ("/%7Eann/x%2Dy%3Bz", "/~ann/x-y;z"),
        ("/%3Cb%3E", "/<b>"),
    ],
)
def test_letters_and_signs_are_decoded(path, shown):
    assert readable(path) == shown


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/a%2fb", "/a%2Fb"),  # a slash within a segment is another page
        ("/what%3f", "/what%3F"),
        ("/c%23", "/c%23"),
        ("/100%25", "/100%25"),
        ("/%2541", "/%2541"),  # decoded once, not twice
        ("/%00%0a%1F%7f%C2%85", "/%00%0A%1F%7F%C2%85"),
        ("/%e2%80%aeexe.txt", "/%E2%80%AEexe.txt"),  # from here on right to left: what is shown would lie
        ("/%E2%81%A6%E2%80%8E", "/%E2%81%A6%E2%80%8E"),
        ("/%C2%A0%E3%80%80%E2%80%8B", "/%C2%A0%E3%80%80%E2%80%8B"),  # spaces that look like another, or like nothing
        ("/\u202eexe.txt", "/%E2%80%AEexe.txt"),
        ("/%E9t%e9", "/%E9t%E9"),  # Latin-1, no UTF-8
        ("/%ED%A0%80", "/%ED%A0%80"),  # half of a surrogate pair
        ("/%C3", "/%C3"),
        ("/100%", "/100%"),
        ("/%zz%4", "/%zz%4"),
        ("/%%34%31", "/%%341"),
        ("/%4%31", "/%4%31"),
    ],
)
def test_bytes_that_are_no_text_and_delimiters_stay_encoded(path, kept):
    assert readable(path) == kept


signs = st.sampled_from(
    ["%", "%2", "%4", "4", "1", "%41", "%25", "%2F", "%C3", "%A9", "%E2%80%AE", "\u202e", "é", "a", "/"]
)


@given(st.lists(signs, max_size=12).map("".join) | st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
def test_a_readable_path_stays_as_it_is(path):
    assert readable(readable(path)) == readable(path)
