"""The map: similar rows lie close, one seed gives one map, and a saved map is used for its own rows only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts.pages.explorer import layout
from contrastive_artifacts.pages.explorer.layout import among, layout_of, make_map
from contrastive_artifacts.search.index import Index


@pytest.fixture
def plain_umap(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Replaces UMAP by the first two coordinates; holds the number of rows of each call."""
    calls: list[int] = []

    def first_two(x: np.ndarray, seed: int) -> np.ndarray:
        calls.append(len(x))
        return np.asarray(x[:, :2], np.float32)

    monkeypatch.setattr(layout, "umap_2d", first_two)
    return calls


def unit(count: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, 6))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def index_of(folder: Path, vectors: np.ndarray) -> Index:
    return Index.build(vectors, [{} for _ in vectors], folder, fingerprint="f")


def test_rows_that_are_no_landmarks_lie_between_their_nearest_landmarks(plain_umap, monkeypatch):
    monkeypatch.setattr(layout, "LANDMARKS", 2000)
    circle = np.random.default_rng(0).uniform(0, 2 * np.pi, 6000)
    vectors = np.stack([np.cos(circle), np.sin(circle)], axis=1).astype(np.float32)
    points = make_map(vectors)
    assert plain_umap == [2000]
    assert points.shape == (6000, 2)
    assert np.abs(points - vectors).max() < 0.02, "the map of a circle is that circle, landmark or not"
    np.testing.assert_array_equal(points, make_map(vectors))
    assert (make_map(vectors, seed=1) != points).any()


def test_a_row_on_a_landmark_lies_there_and_between_two_in_the_middle():
    places = np.array([[[0.0, 0.0], [1.0, 1.0], [9.0, 9.0]]], np.float32)
    assert np.abs(among(np.array([[1.0, 0.5, 0.4]], np.float32), places)).max() < 0.005
    middle = among(np.array([[0.9, 0.9, -1.0]], np.float32), places)[0]
    assert middle == pytest.approx([0.5, 0.5], abs=0.3)


def test_the_map_fills_the_square_with_one_scale_for_both_axes(plain_umap):
    vectors = unit(200) * [1, 0.1, 1, 1, 1, 1]
    points = make_map(vectors.astype(np.float32))
    assert [np.ptp(points[:, 0]), abs(points).max()] == pytest.approx([2.0, 1.0])
    assert 0.1 < np.ptp(points[:, 1]) < 0.4


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_rows_need_no_umap(plain_umap, count):
    points = make_map(unit(count))
    assert (points.shape, plain_umap) == ((count, 2), [])
    assert np.isfinite(points).all()
    assert len(np.unique(points.round(3), axis=0)) == count


def test_equal_rows_lie_in_one_place(plain_umap):
    points = make_map(np.repeat(unit(3), 20, axis=0))
    assert plain_umap == []
    assert len(np.unique(points.round(4), axis=0)) == 3


def test_silence_lies_apart_and_squeezes_nothing(plain_umap, tmp_path):
    vectors, silence = unit(300), np.eye(6, dtype=np.float32)[5]
    vectors[:30] = silence
    vectors[30:, 5] = 0.0
    vectors[30:] /= np.linalg.norm(vectors[30:], axis=1, keepdims=True)
    index = index_of(tmp_path, vectors)
    shown = layout_of(index, silence=silence)
    assert shown.silent.tolist() == [True] * 30 + [False] * 270
    assert "30 of silence" in shown.method
    assert shown.points[:30, 1].max() < shown.points[30:, 1].min() - 0.02
    assert np.ptp(shown.points[:30], axis=0).max() < 0.15
    assert np.ptp(shown.points[30:], axis=0).max() > 1.7
    np.testing.assert_array_equal(layout_of(Index.open(tmp_path), silence=silence).silent, shown.silent)
    assert plain_umap == [300]


def test_a_saved_map_is_used_for_the_same_rows_only(plain_umap, tmp_path):
    index = index_of(tmp_path, unit(30))
    first = layout_of(index)
    again = layout_of(Index.open(tmp_path))
    assert plain_umap == [30]
    np.testing.assert_array_equal(first.points, again.points)
    assert "30 rows" in again.method
    layout_of(index, seed=1)
    layout_of(index_of(tmp_path, unit(30, seed=1)))  # as many rows with the same ids, other vectors
    layout_of(index_of(tmp_path, unit(31)))
    assert plain_umap == [30, 30, 30, 31]


@pytest.mark.parametrize("damage", [b"", b"garbage" * 9, None, "nan"])
def test_a_damaged_map_is_replaced(plain_umap, tmp_path, damage):
    index = index_of(tmp_path, unit(30))
    good = layout_of(index).points
    path = tmp_path / "map.safetensors"
    whole = path.read_bytes()
    if damage == "nan":
        header = len(whole) - 30 * 8 - 30 - 16
        damage = whole[:header] + np.float32(np.nan).tobytes() + whole[header + 4 :]
    path.write_bytes(whole[:-7] if damage is None else damage)
    np.testing.assert_array_equal(layout_of(index).points, good)
    assert plain_umap == [30, 30]
    assert path.read_bytes() == whole


def test_without_write_permission_no_map_is_saved(plain_umap, tmp_path, monkeypatch):
    def refused(path: Path, arrays: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(layout, "write_tensors", refused)
    assert len(layout_of(index_of(tmp_path, unit(30))).points) == 30
    assert not (tmp_path / "map.safetensors").exists()


@pytest.mark.slow
def test_clusters_stay_apart_through_umap(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "LANDMARKS", 120)
    centres = np.repeat(unit(3), 200, axis=0)
    index = index_of(tmp_path, centres + np.random.default_rng(1).normal(0, 0.05, centres.shape))
    groups = layout_of(index).points.reshape(3, 200, 2)
    middles = groups.mean(axis=1)
    spread = np.linalg.norm(groups - middles[:, None], axis=2).max()
    apart = min(np.linalg.norm(middles[a] - middles[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert apart > 2 * spread
