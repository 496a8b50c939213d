"""The catalogues have every text of the pages, and every text of the pages is in the catalogues."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from collector.card import card
from tests.support import catalogues
from tests.support.loose_text import in_python, in_script, in_template, loose_texts

ROOT = Path(__file__).parents[2]
READ = (
    *("layouts/**/*.py", "layouts/plain/*.html", "callbacks/**/*.py", "collector/card/*.py", "collector/card/*.js"),
    *("assets/components/*.js", "assets/lib/*.js", "assets/pages/*.js"),
)
FILES = sorted(str(path.relative_to(ROOT)) for pattern in READ for path in ROOT.glob(pattern))
ENGLISH = {
    "layouts/figures/build.py",  # these two run on developers' machines
    "layouts/figures/build_regions.py",
    "layouts/plain/api.html",  # the reference of the API, whose names and answers are English too
}


@pytest.mark.parametrize("name", [name for name in FILES if name not in ENGLISH])
def test_every_text_of_a_page_is_in_the_catalogues(name):
    assert list(loose_texts(ROOT / name)) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('html.H1("Account")', ["Account"]),
        ('html.Span(title="made-up visitors")', ["made-up visitors"]),
        ('f"{n} people here"', ["{} people here"]),
        ('html.H1(_("Account"), className="ff-soft is-wide")', []),
        ('f"{_(word)} · {n}"', ["_(…) that `make words` does not find"]),
        ("N_(word)", ["N_(…) that `make words` does not find"]),
        ('_("{n} on {page}", n=1, page="The page")', ["The page"]),
        ('"""Of the caller."""\nat("/sign-in")', []),
    ],
)
def test_text_outside_the_catalogue_is_found_in_a_module(source, found):
    assert [text for _, text in in_python(source)] == found


def test_text_outside_the_catalogue_is_found_in_templates_and_scripts():
    template = '<h1 title="Hello you">{{ _("Sign in") }}</h1>\n<p>to {{ host }}</p><code>user reset</code>'
    assert [text.strip("· ") for _, text in in_template(template)] == ["Hello you", "to"]
    script = (
        'node.textContent = "Copied";  // a comment\nshow(footfall.say("Saved at {time}"), `${n} people`, "ff-a ff-b");'
    )
    assert in_script(script) == [(1, "Copied"), (2, "${n} people")]


def test_the_card_gives_its_scripts_the_words_that_they_have():
    scripts = [BytesIO(path.read_bytes()) for path in card._SCRIPTS]
    assert {text for script in scripts for _, _, text, _ in catalogues.extract_said(script)} == set(card._SAID)
