from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.vectors import unit_rows
from contrastive_artifacts.probes import geometry
from contrastive_artifacts.probes.geometry import separation, silhouette, trustworthiness, umap_2d
from contrastive_artifacts.probes.knn import NeighbourTable
from contrastive_artifacts.probes.spaces import sample_rows


def clusters(by: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    artifact, source = np.tile(np.arange(4), 40), np.repeat(np.arange(20), 8)
    centre = {"artifact": artifact, "source": source}[by]
    x = rng.standard_normal((20, 12))[centre] + 0.2 * rng.standard_normal((160, 12))
    return x, np.array(["clean", "hum", "hiss", "clicks"])[artifact], source


def test_separation_shows_what_the_clusters_follow() -> None:
    by_artifact, by_content = separation(*clusters("artifact")), separation(*clusters("source"))
    assert by_artifact["silhouette_artifact"] > 0.7 > 0.1 > by_artifact["silhouette_source"]
    assert by_content["silhouette_source"] > 0.7 > 0.1 > by_content["silhouette_artifact"]
    assert by_artifact["margin"] > 0.6 > -0.6 > by_content["margin"]
    assert by_content["leakage"] == 1.0
    assert by_artifact["leakage"] < 0.3
    assert by_artifact["leakage_chance"] == by_content["leakage_chance"] == pytest.approx(7 / 159)


def test_silhouette_against_a_loop() -> None:
    x, labels, _ = clusters("artifact")
    x, labels = x[:30], labels[:30]
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    distance = 1 - unit @ unit.T
    values = []
    for i in range(30):
        same_label = [distance[i, j] for j in range(30) if j != i and labels[j] == labels[i]]
        other = [distance[i, labels == name].mean() for name in set(labels) - {labels[i]}]
        values.append((min(other) - np.mean(same_label)) / max(min(other), np.mean(same_label)))
    assert silhouette(x, labels) == pytest.approx(np.mean(values), rel=1e-4)
    assert np.isnan(silhouette(x, np.zeros(30)))
    assert np.isnan(silhouette(x, np.arange(30)))


def test_large_spaces_are_measured_on_the_fixed_sample() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(5600) % 3
    x = rng.standard_normal((3, 4))[labels] + 0.3 * rng.standard_normal((5600, 4))
    rows = sample_rows(5600)
    assert len(rows) == 5000
    assert silhouette(x, labels) == silhouette(x[rows], labels[rows]) > 0.3
    assert separation(x, labels, rows[labels]) == separation(x[rows], labels[rows], rows[labels[rows]])
    others = np.setdiff1d(np.arange(5600), rows)
    moved = x.copy()
    moved[others] = -moved[others]
    assert silhouette(moved, labels) == silhouette(x, labels), "rows outside of the sample do not count"


def test_trustworthiness_of_a_faithful_and_a_random_map() -> None:
    angle = np.linspace(0, 3, 100)
    x = np.stack([np.cos(angle), np.sin(angle), np.zeros(100)], axis=1)
    assert trustworthiness(x, x[:, :2]) == pytest.approx(1.0, abs=1e-3)
    assert trustworthiness(x, np.random.default_rng(0).uniform(size=(100, 2))) < 0.7
    assert np.isnan(trustworthiness(x[:2], x[:2, :2]))
    with pytest.raises(ParameterError, match="100 vectors but 99"):
        trustworthiness(x, x[:99])


@pytest.fixture(scope="module")
def mapped() -> np.ndarray:
    return umap_2d(clusters("artifact")[0], seed=1)


def test_umap_keeps_clusters_apart_and_together(mapped: np.ndarray) -> None:
    x, artifact, _ = clusters("artifact")
    assert mapped.shape == (160, 2)
    assert mapped.dtype == np.float32
    centres = np.stack([mapped[artifact == name].mean(axis=0) for name in np.unique(artifact)])
    nearest = np.linalg.norm(mapped[:, None] - centres, axis=2).argmin(axis=1)
    assert (np.unique(artifact)[nearest] == artifact).mean() > 0.95
    assert trustworthiness(x, mapped) > 0.85


def test_umap_is_decided_by_its_seed(mapped: np.ndarray) -> None:
    x = clusters("artifact")[0]
    np.testing.assert_array_equal(umap_2d(x, seed=1), mapped)
    assert not np.array_equal(umap_2d(x, seed=2), mapped)


def test_umap_is_compiled_once_on_a_computer(mapped: np.ndarray) -> None:
    from umap import layouts, umap_

    epoch = layouts._nb_optimize_layout_euclidean_single_epoch
    for function in (umap_.smooth_knn_dist, umap_.compute_membership_strengths, epoch):
        assert list(Path(function.stats.cache_path).glob(f"{function.__module__.split('.')[-1]}.*.nbc"))


def test_a_computer_on_which_nothing_can_be_cached_draws_maps_as_well(
    mapped: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr("numba.core.dispatcher.Dispatcher.enable_caching", refused)
    geometry._umap.cache_clear()
    np.testing.assert_array_equal(umap_2d(clusters("artifact")[0], seed=1), mapped)


def test_the_map_is_of_the_exact_neighbours() -> None:
    x = unit_rows(np.random.default_rng(0).standard_normal((60, 6)))
    near, distances = geometry._nearest(x, 5)
    others = NeighbourTable.of(x, np.arange(60).astype(str), nearest=4, other_sources=0).nearest
    np.testing.assert_array_equal(near[:, 1:], others)
    np.testing.assert_allclose(distances, 1 - (x[:, None] * x[near]).sum(-1), atol=1e-6)
    x[7] = x[3]
    assert geometry._nearest(x, 5)[0][:, 0].tolist() == list(range(60)), "of equal rows, each is nearest to itself"


@pytest.mark.parametrize("terminal", [True, False])
def test_umap_counts_its_epochs_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    umap_2d(clusters("artifact")[0], seed=1)
    assert ("map" in screen.getvalue()) == terminal
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("count", [5, 12, 25])
def test_umap_of_few_rows(count: int) -> None:
    points = umap_2d(np.random.default_rng(0).standard_normal((count, 6)))
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == count


def test_umap_refuses_what_it_cannot_map() -> None:
    with pytest.raises(ParameterError, match="4 rows"):
        umap_2d(np.ones((4, 3)))
    with pytest.raises(ParameterError, match="n_neighbors"):
        umap_2d(np.ones((9, 3)), n_neighbors=1)
    with pytest.raises(ParameterError, match="NaN"):
        umap_2d(np.full((9, 3), np.nan))
