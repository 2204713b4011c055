"""Presets and the compounds drawn from them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts import ARTIFACTS, PRESETS
from contrastive_artifacts.artifacts.base import FAMILIES
from contrastive_artifacts.core.errors import ParameterError, UnknownNameError

every = pytest.mark.parametrize("name", PRESETS.names())


@every
def test_members_are_registered_and_unique(name: str) -> None:
    members = PRESETS[name].names
    assert len(members) == len(set(members))
    assert set(members) <= set(ARTIFACTS)
    assert set(PRESETS[name].groups) <= set(members)


def test_presets_and_their_members() -> None:
    assert set(PRESETS) >= {
        "default6",
        "sonicmaster",
        "vinyl",
        "tape",
        "film_optical",
        "broadcast",
        "voip",
        "streaming",
    }
    assert PRESETS["default6"].names == artifacts.DEFAULT
    assert len(PRESETS["sonicmaster"].names) == 19
    assert len(set(PRESETS["sonicmaster"].groups.values())) == 5
    assert set(PRESETS["all"].names) | set(PRESETS["sonicmaster"].names) == set(ARTIFACTS)


@every
def test_a_compound_has_one_artifact_of_a_group_in_the_order_of_families(name: str) -> None:
    preset = PRESETS[name]
    for seed in range(100):
        chain = preset.draw(seed, channels=2)
        assert chain == preset.draw(seed, channels=2)
        groups = [preset.group(step) for step, _ in chain]
        assert len(groups) == len(set(groups))
        order = [FAMILIES.index(ARTIFACTS[step].family) for step, _ in chain]
        assert order == sorted(order)


@pytest.mark.parametrize(("name", "shares"), [("all", (0.7, 0.2, 0.1)), ("sonicmaster", (4 / 7, 2 / 7, 1 / 7))])
def test_sizes_of_compounds_have_the_given_probabilities(name: str, shares: tuple[float, ...]) -> None:
    chains = [PRESETS[name].draw(seed, channels=2) for seed in range(3000)]
    counts = Counter(map(len, chains))
    for count, share in enumerate(shares, start=1):
        assert abs(counts[count] / 3000 - share) < 4 * np.sqrt(share * (1 - share) / 3000)
    first = Counter(step for chain in chains if len(chain) == 1 for step, _ in chain)
    assert set(first) == set(PRESETS[name].names)
    severities = np.array([severity for chain in chains for _, severity in chain])
    assert abs(severities.mean() - 0.5) < 0.03


def test_severities_are_drawn_from_the_range() -> None:
    drawn = [s for seed in range(200) for _, s in PRESETS["vinyl"].draw(seed, severity=(0.3, 0.4))]
    assert 0.3 <= min(drawn) < 0.32
    assert 0.38 < max(drawn) <= 0.4


def test_artifacts_between_channels_are_drawn_for_several_channels_only() -> None:
    for seed in range(300):
        assert all(ARTIFACTS[step].least_channels == 1 for step, _ in PRESETS["streaming"].draw(seed))
    stereo = artifacts.presets.Preset(("polarity",), "")
    with pytest.raises(ParameterError, match="polarity"):
        stereo.draw(0)


def test_a_compound_is_rendered_and_replays() -> None:
    wave = (0.1 * np.random.default_rng(1).standard_normal((2, 22050))).astype(np.float32)
    chain = PRESETS["tape"].draw(5, channels=2)
    view = artifacts.compose(chain, wave, 44100, seed=5)
    np.testing.assert_array_equal(artifacts.replay(wave, 44100, view.params), view.waveform)


def test_states() -> None:
    assert artifacts.states("default6") == ("clean", *artifacts.DEFAULT)
    assert artifacts.states(["clean", "hum"]) == ("clean", "hum")
    with pytest.raises(UnknownNameError, match="Did you mean vinyl"):
        artifacts.states("vinil")
    with pytest.raises(UnknownNameError, match="hum"):
        artifacts.states(["humm"])
    for bad in ([], ["clean"], ["hum", "hum"]):
        with pytest.raises(ParameterError, match="each once"):
            artifacts.states(bad)


def test_recorded_rooms_are_drawn_only_if_there_are_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = {step for seed in range(300) for step, _ in PRESETS["sonicmaster"].draw(seed, channels=2)}
    assert drawn == set(PRESETS["sonicmaster"].names)
    monkeypatch.delenv("CONTRASTIVE_ARTIFACTS_RESPONSES")
    drawn = {step for seed in range(300) for step, _ in PRESETS["sonicmaster"].draw(seed, channels=2)}
    assert drawn == set(PRESETS["sonicmaster"].names) - {"room_recorded"}
