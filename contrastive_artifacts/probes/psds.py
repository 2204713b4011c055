"""The polyphonic sound detection score of chances over time, by sed_scores_eval, which is not needed otherwise."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import ParameterError
from .events import Event

SCENARIOS: Mapping[str, Mapping[str, float]] = {  # those of DCASE task 4: of the place, and of the class
    "psds1": {"dtc_threshold": 0.7, "gtc_threshold": 0.7, "alpha_ct": 0.0, "alpha_st": 1.0},
    "psds2": {"dtc_threshold": 0.1, "gtc_threshold": 0.1, "cttc_threshold": 0.3, "alpha_ct": 0.5, "alpha_st": 1.0},
}
MOST_FALSE_PER_HOUR = 100.0


class Chances(NamedTuple):
    """Chances in a recording.

    Attributes:
        bounds_s: Bounds of the cells in seconds, [N + 1], from 0 to the end of the recording.
        chances: [N, K], in the order of ``names``.
    """

    bounds_s: np.ndarray
    chances: np.ndarray


def is_installed() -> bool:
    """Whether sed_scores_eval can be imported."""
    return importlib.util.find_spec("sed_scores_eval") is not None


def psds(recordings: Sequence[tuple[Chances, Sequence[Event]]], names: Sequence[str], scenario: str) -> float:
    """The polyphonic sound detection score over all thresholds up to 100 false events per hour and label.

    Bilen et al., "A framework for the robust evaluation of sound event detection", ICASSP 2020; the exact sweep over
    thresholds is that of Ebbers, Serizel and Haeb-Umbach, ICASSP 2022. ``psds1`` rewards the place (a detection and a
    true event must overlap by .7), ``psds2`` the label (.1, and detections that hit another label cost).

    Args:
        recordings: Chances and true events of each.
        names: The labels of the columns; those without a true event are left out.
        scenario: One of SCENARIOS.

    Returns:
        In [0, 1].

    Raises:
        ParameterError: sed_scores_eval is not installed, the scenario is not known, or there is no true event.
    """
    if scenario not in SCENARIOS:
        raise ParameterError(f"scenario={scenario!r}; give one of {', '.join(SCENARIOS)}.")
    if not is_installed():
        raise ParameterError("The score needs sed_scores_eval: pip install 'contrastive-artifacts[psds]'.")
    there = {event.label for _, events in recordings for event in events}
    columns = [column for column, name in enumerate(names) if name in there]
    if not columns:
        raise ParameterError("There is no event of these labels to be detected.")
    labels = [names[column] for column in columns]
    frame: Any = importlib.import_module("sed_scores_eval.base_modules.scores").create_score_dataframe
    score: Any = importlib.import_module("sed_scores_eval.intersection_based").psds
    scores = {
        str(number): frame(chances.chances[:, columns], chances.bounds_s, labels)
        for number, (chances, _) in enumerate(recordings)
    }
    truth = {
        str(number): [(event.start_s, event.stop_s, event.label) for event in events if event.label in labels]
        for number, (_, events) in enumerate(recordings)
    }
    lengths = {str(number): float(chances.bounds_s[-1]) for number, (chances, _) in enumerate(recordings)}
    value, *_ = score(scores, truth, lengths, max_efpr=MOST_FALSE_PER_HOUR, **SCENARIOS[scenario])
    return float(value)
