"""Names of artifacts in other vocabularies."""

from __future__ import annotations

import pytest

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts import taxonomy
from contrastive_artifacts.core.errors import UnknownNameError


@pytest.mark.parametrize("term", ["hum & buzz", "AVAA Hum and Buzz", "hum", "HUM AND BUZZ", "ac-beat"])
def test_case_punctuation_and_vocabulary_do_not_matter(term: str) -> None:
    assert taxonomy.find(term) == "hum"


def test_every_synonym_belongs_to_one_artifact() -> None:
    for name in artifacts.names():
        for term in taxonomy.synonyms(name):
            assert taxonomy.find(term) == name


def test_unknown_names_list_close_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"clicks and pops \(clicks\)"):
        taxonomy.find("click and pop")
    with pytest.raises(UnknownNameError, match="hum"):
        taxonomy.synonyms("humm")
