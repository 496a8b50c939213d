"""What makes the difference: which values explain the change of a metric, and in which order."""

from __future__ import annotations

from analytics.notify.difference import Difference
from analytics.notify.why import differences

NEWS = Difference("source", "news.example", 0, 4)


def test_what_has_no_name_is_left_out_where_a_value_with_a_name_explains_as_much():
    found = differences({"source": ({}, {"news.example": 4}), "country": ({}, {"": 4})})
    assert found == (NEWS,)


def test_what_has_no_name_and_explains_more_stands_behind_the_values_with_names():
    found = differences({"country": ({}, {"": 5}), "source": ({}, {"news.example": 4, "": 1})})
    assert found == (NEWS, Difference("country", "", 0, 5))


def test_where_nothing_has_a_name_that_is_said():
    assert differences({"source": ({}, {"": 3})}) == (Difference("source", "", 0, 3),)
