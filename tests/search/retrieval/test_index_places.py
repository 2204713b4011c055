"""Rows of an index that somebody else wrote: what cannot be read or shown is refused and named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contrastive_artifacts.artifacts import render, to_json
from contrastive_artifacts.core.errors import AudioError, ParameterError, StorageError
from contrastive_artifacts.search.index import Index
from contrastive_artifacts.search.retrieval import channel_of, check_places, replayed, retrieve

ROW = {"clip": "a", "start": 0, "stop": 800, "sample_rate": 8000, "channel": 0, "artifact": "", "severity": 0.0}
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "no rate": ({"sample_rate": 0}, "1 rows have a sample_rate outside 1 to 10000000; the first has the id 1"),
    "negative rate": ({"sample_rate": -8000}, "sample_rate"),
    "null rate": ({"sample_rate": None}, "sample_rate"),
    "start": ({"start": -1}, "a start outside 0"),
    "empty": ({"stop": 0}, "a stop that is not after its start"),
    "years": ({"stop": 10**15}, "or a day later"),
    "channel": ({"channel": -1}, "a channel outside 0"),
    "clip": ({"clip": None}, "no clip"),
}
COLUMNS = {
    "rate": ({"sample_rate": 8000.0}, "column sample_rate holds double, not whole numbers"),
    "text": ({"start": "0"}, "column start holds string, not whole numbers"),
    "severity": ({"severity": "0.5"}, "column severity holds string, not numbers"),
    "label": ({"artifact": 3}, "column artifact holds int64, not texts"),
}


def index(folder: Path, *rows: dict[str, Any]) -> Index:
    return Index.build(np.eye(4, dtype=np.float32)[: len(rows)], rows, folder, "encoder")


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_a_row_without_a_place_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    built = index(tmp_path, ROW, ROW | change)
    with pytest.raises(StorageError, match=message):
        check_places(built)
    with pytest.raises(StorageError, match=message):
        retrieve(built, np.ones(4))


@pytest.mark.parametrize(("change", "message"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_of_another_type_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(StorageError, match=message):
        check_places(index(tmp_path, ROW | change))


def test_rows_of_recordings_have_places_and_others_have_no_columns(tmp_path: Path) -> None:
    check_places(index(tmp_path / "mix", ROW | {"channel": None}, ROW))
    check_places(index(tmp_path / "unknown", ROW | {"severity": None, "artifact": None}))
    with pytest.raises(ParameterError, match="has no columns clip, sample_rate, start, stop"):
        check_places(index(tmp_path / "none", {"number": 1}))


def test_a_channel_that_is_not_there_is_named() -> None:
    stereo = np.zeros((2, 9), np.float32)
    assert channel_of(stereo, {"clip": "a", "channel": 1}).shape == (1, 9)
    assert channel_of(stereo, {"clip": "a", "channel": None}).shape == (2, 9)
    with pytest.raises(AudioError, match="a has 2 channels and no channel 100"):
        channel_of(stereo, {"clip": "a", "channel": 99})


def test_params_that_cannot_be_rendered_are_named() -> None:
    clean = np.random.default_rng(0).standard_normal((1, 8000)).astype(np.float32) * 0.1
    view = render("hum", clean, 8000, 0.5, seed=1)
    again = replayed(clean, 8000, {"clip": "a", "params": to_json(view.params)})
    np.testing.assert_array_equal(again.waveform, view.waveform)
    good = view.params
    hostile: list[Any] = ["", "[", "[1]", "null", "[" * 100_000, [1], None, good | {"artifact": "none"}]
    hostile += [good | {"parameters": value} for value in (None, [], {}, "x", {"base_hz": "x"})]
    hostile += [good | {"span": [0, 10**30]}, json.dumps(good | {"severity": float("nan")})]
    hostile += [good | {"parameters": {**good["parameters"], name: "x"}} for name in good["parameters"]]
    for params in hostile:
        with pytest.raises(AudioError, match="The params of a cannot be rendered"):
            replayed(clean, 8000, {"clip": "a", "params": params})
