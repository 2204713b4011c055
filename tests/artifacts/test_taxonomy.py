"""Names of artifacts in other vocabularies."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts import taxonomy
from contrastive_artifacts.core.errors import AudioError, UnknownNameError


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


def test_what_one_channel_shows() -> None:
    """Of the 54 artifacts 37 can be detected without a reference; no fault between channels is among them."""
    detectable = set(taxonomy.detectable(artifacts.names()))
    assert len(detectable) == 37
    assert set(taxonomy.NEEDS_REFERENCE) == set(artifacts.names()) - detectable
    assert not [name for name in detectable if artifacts.artifact(name).least_channels > 1]
    assert set(artifacts.DEFAULT) <= detectable
    assert all(reason and "\n" not in reason for reason in taxonomy.NEEDS_REFERENCE.values())


@pytest.mark.parametrize("name", ["volume", "polarity", "mono_sum"])
def test_what_one_channel_does_not_show_leaves_its_waveform_as_it_was(name: str) -> None:
    """But for the gain: either the artifact does not apply to one channel, or it scales it."""
    rng = np.random.default_rng(0)
    x = 0.1 * rng.standard_normal((1, 8000)).astype(np.float32)
    if artifacts.artifact(name).least_channels > 1:
        with pytest.raises(AudioError, match="between channels"):
            artifacts.render(name, x, 16000, 1.0)
    else:
        view = artifacts.render(name, x, 16000, 1.0).waveform
        np.testing.assert_allclose(view / np.abs(view).max(), x / np.abs(x).max(), atol=1e-5)


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="default6"):
        taxonomy.detectable("default")
