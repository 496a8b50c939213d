"""Every language has a translation of every text, with the same places for values, and none of a text that is gone."""

from __future__ import annotations

import pytest

from analytics.base.words import TRANSLATED
from tests.support import catalogues


@pytest.fixture(scope="module")
def texts():
    """Every text of the code."""
    return catalogues.template()


@pytest.mark.parametrize("name", TRANSLATED)
def test_the_files_are_as_make_words_writes_them(name, texts):
    catalogue = catalogues.updated(name, texts)
    assert (catalogues.FOLDER / f"{name}.po").read_bytes() == catalogues.as_file(catalogue), "run `make words`"
    assert (catalogues.SCRIPT_WORDS / f"{name}.js").read_text("utf-8") == catalogues.as_script(name, catalogue)


@pytest.mark.parametrize("name", TRANSLATED)
def test_every_text_has_a_translation_and_no_other_has_one(name, texts):
    has = {catalogues.key(each): catalogues.forms(each) for each in catalogues.written(name) if each.id}
    assert sorted(map(str, has)) == sorted(str(catalogues.key(each)) for each in texts if each.id)
    assert [key for key, forms in has.items() if not all(forms)] == []


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_translation_has_the_places_and_the_edges_of_its_text(name):
    for each in catalogues.written(name):
        if not each.id:
            continue
        wanted = set.union(*(catalogues.placeholders(text) for text in catalogues.ids(each)))
        for form in filter(None, catalogues.forms(each)):
            assert catalogues.placeholders(form) == wanted, form
            assert form.strip() == form, form
            assert form.count("{") == form.count("}"), form


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_plural_has_as_many_forms_as_the_language(name):
    catalogue = catalogues.written(name)
    several = [each for each in catalogue if isinstance(each.id, tuple | list) and each.id]
    assert {len(catalogues.forms(each)) for each in several} <= {catalogue.num_plurals}
