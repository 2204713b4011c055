"""The field's words for things."""

from __future__ import annotations

import pytest

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts import taxonomy
from contrastive_artifacts.errors import UnknownNameError


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("AC beat", "hum"), ("AVAA Hum and Buzz", "hum"), ("hum & buzz", "hum"), ("ML tick/pop", "clicks"),
        ("digital audio dropout", "dropout"), ("Wow & Flutter", "wow_flutter"), ("wow_flutter", "wow_flutter"),
        ("Analog Noise", "hiss"), ("Muffled Sound", "bandlimit"), ("ML clipping", "clipping"),
    ],
)  # fmt: skip
def test_find(term: str, name: str) -> None:
    assert taxonomy.find(term) == name


def test_every_synonym_leads_back_and_none_is_used_twice() -> None:
    for name in artifacts.names():
        for term in taxonomy.synonyms(name):
            assert taxonomy.find(term) == name


def test_unknown_terms_list_the_close_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"clicks and pops \(clicks\)"):
        taxonomy.find("click and pop")
    with pytest.raises(UnknownNameError, match="hum"):
        taxonomy.synonyms("humm")
