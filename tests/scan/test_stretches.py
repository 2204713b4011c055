"""Stretches of windows: whoever classifies them, and in whatever order, joined they are the scan."""

from __future__ import annotations

import dataclasses
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.scan import stretches
from contrastive_artifacts.scan.saved import SavedStretches
from contrastive_artifacts.scan.scan import scan
from contrastive_artifacts.scan.stretches import Stretch, classify_range, joined

RATE = 2000
HOPS = 100  # windows of the recording


class Batches:
    """Classifies by the peak of a window; the severity depends on the windows that came with it."""

    window_s, hop_s, labels = 1.0, 0.5, ("clean", "loud")

    def __init__(self) -> None:
        self.windows = 0

    def classify_windows(self, waveforms: list[np.ndarray], sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
        self.windows += len(waveforms)
        peak = np.array([np.abs(w).max() for w in waveforms])
        company = np.full(len(peak), len(peak) / 100 + peak[0] / 1000)
        return np.stack([1 - peak, peak], 1), np.stack([0 * peak, company], 1)


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH_S", 8.0)  # 16 windows


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    levels = np.random.default_rng(0).random((2, HOPS + 1)).repeat(RATE // 2, axis=1)
    path = tmp_path_factory.mktemp("film") / "film.wav"
    audio.write(path, levels.astype(np.float32), RATE, subtype="FLOAT")
    return path


def ranges(path: Path, *edges: int, **more: Any) -> list[Stretch]:
    parts = [classify_range(path, Batches(), a, b, batch=4, **more) for a, b in pairwise(edges)]
    return [stretch for part in parts for stretch in part]


def equal(one: list[Stretch], other: list[Stretch]) -> bool:
    return all(
        all(np.array_equal(getattr(a, field.name), getattr(b, field.name)) for field in dataclasses.fields(a))
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("channels", ["mix", "each"])
def test_stretches_of_several_machines_are_those_of_one(film: Path, channels: str) -> None:
    whole, parts = (ranges(film, *edges, channels=channels) for edges in ((0, 1000), (0, 32, 48, 96, 1000)))
    assert [len(stretch.starts) for stretch in whole] == [16] * 6 + [4]
    assert equal(whole, parts)
    lanes = [0, 1] if channels == "each" else [None]
    assert joined(parts, lanes)[0].starts == list(range(0, HOPS * RATE // 2, RATE // 2))


@settings(deadline=None, max_examples=20)
@given(edges=st.lists(st.integers(0, HOPS), max_size=5), seed=st.integers(0, 100))
def test_any_ranges_in_any_order_give_each_window_once(film: Path, edges: list[int], seed: int) -> None:
    parts = ranges(film, 0, *sorted(edges), HOPS)
    random.Random(seed).shuffle(parts)
    (run,), (expected,) = joined(parts, [None]), joined(ranges(film, 0, HOPS), [None])
    assert run.starts == expected.starts
    assert run.stop == expected.stop
    np.testing.assert_array_equal(*(np.concatenate(r.lanes[0].probabilities) for r in (run, expected)))


def test_missing_and_doubled_windows_are_refused(film: Path) -> None:
    parts = ranges(film, 0, HOPS)
    for wrong in (parts[1:], [*parts[:2], *parts[3:]], [*parts, parts[-1]]):
        with pytest.raises(StorageError, match="join all stretches"):
            joined(wrong, [None])


@pytest.mark.parametrize("number", [0, 1, 3, 7])
def test_a_scan_goes_on_with_equal_results(film: Path, tmp_path: Path, number: int) -> None:
    """An exception in a batch ends the scan as a kill does: nothing is written after it."""
    expected = scan(film, Batches(), batch=4)

    class Killed(Exception):
        pass

    class Dying(Batches):
        def classify_windows(self, waveforms: list[np.ndarray], sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
            if self.windows >= 16 * number + 8:
                raise Killed
            return super().classify_windows(waveforms, sample_rate)

    if number < 7:
        with pytest.raises(Killed):
            scan(film, Dying(), batch=4, saved=SavedStretches(tmp_path / "unfinished", "x"))
    else:
        scan(film, Batches(), batch=4, saved=SavedStretches(tmp_path / "unfinished", "x"))
    encoder = Batches()
    assert scan(film, encoder, batch=4, saved=SavedStretches(tmp_path / "unfinished", "x")) == expected
    assert encoder.windows == max(0, HOPS - 16 * number)
    SavedStretches(tmp_path / "unfinished", "x").clear()
    assert not (tmp_path / "unfinished").exists()


def test_another_scan_and_a_damaged_stretch_begin_anew(film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "unfinished"
    expected = scan(film, Batches(), batch=4, saved=SavedStretches(folder, "state", "encoder"))
    anew = Batches()
    scan(film, anew, batch=4, saved=SavedStretches(folder, "state", "another encoder"))
    assert anew.windows == HOPS
    saved = SavedStretches(folder, "state", "encoder")
    saved._path(16).write_bytes(saved._path(16).read_bytes()[:-3])
    repaired = Batches()
    assert scan(film, repaired, batch=4, saved=saved) == expected
    assert repaired.windows == 16
    stretch = saved.load(0)
    assert stretch is not None
    saved.save(dataclasses.replace(stretch, starts=stretch.starts + 1))
    with pytest.raises(StorageError, match="does not fit"):
        scan(film, Batches(), batch=4, saved=saved)
