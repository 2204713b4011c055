"""The detection score, where sed_scores_eval is installed: 1 for perfect chances, 0 for those of another label."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.probes import psds as module
from contrastive_artifacts.probes.events import Event
from contrastive_artifacts.probes.psds import SCENARIOS, Chances, psds

NAMES = ("hum", "clicks", "never")
TRUTH = [Event(10.0, 14.0, "hum"), Event(40.0, 41.0, "clicks"), Event(70.0, 80.0, "hum")]


def chances(columns: dict[str, int], late_s: float = 0.0) -> Chances:
    bounds = np.arange(0, 100.05, 0.1)
    values = np.full((len(bounds) - 1, len(NAMES)), 0.01)
    for event in TRUTH:
        inside = (bounds[:-1] >= event.start_s + late_s - 1e-6) & (bounds[:-1] < event.stop_s + late_s - 1e-6)
        values[inside, columns[event.label]] = 0.9
    return Chances(bounds, values)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.filterwarnings("ignore")
def test_perfect_chances_score_one_and_those_of_another_label_nothing(scenario: str) -> None:
    pytest.importorskip("sed_scores_eval", exc_type=ImportError)
    right = chances({"hum": 0, "clicks": 1})
    assert psds([(right, TRUTH), (right, TRUTH)], NAMES, scenario) == pytest.approx(1.0)
    assert psds([(chances({"hum": 1, "clicks": 0}), TRUTH)], NAMES, scenario) == pytest.approx(0.0)


@pytest.mark.filterwarnings("ignore")
def test_the_first_scenario_asks_for_the_place_and_the_second_for_the_label() -> None:
    pytest.importorskip("sed_scores_eval", exc_type=ImportError)
    late = chances({"hum": 0, "clicks": 1}, late_s=0.5)  # half of the click, an eighth of the first hum
    first, second = (psds([(late, TRUTH)], NAMES, scenario) for scenario in ("psds1", "psds2"))
    assert first < 0.6
    assert second == pytest.approx(1.0)


def test_without_the_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_installed", lambda: False)
    with pytest.raises(ParameterError, match=r"contrastive-artifacts\[psds\]"):
        psds([(chances({"hum": 0, "clicks": 1}), TRUTH)], NAMES, "psds1")


def test_what_cannot_be_scored_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_installed", lambda: True)
    with pytest.raises(ParameterError, match="psds1, psds2"):
        psds([], NAMES, "psds3")
    with pytest.raises(ParameterError, match="no event"):
        psds([(chances({"hum": 0, "clicks": 1}), [])], NAMES, "psds1")
