from __future__ import annotations

import json
from collections.abc import Callable

import faiss
import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError, SplitError
from contrastive_artifacts.probes import Embedded, evaluate


def figures_of(value: object) -> list[dict]:
    if not isinstance(value, dict):
        return []
    return [value] if "low" in value else [figure for part in value.values() for figure in figures_of(part)]


def test_all_figures_are_there_and_plain_json(train: Embedded, test: Embedded) -> None:
    figures = evaluate(train, test, probes=("linear", "mlp"), n=200)
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    for task in ("binary", "type"):
        assert set(figures[task]) == {"linear", "mlp", "knn1", "knn5", "knn20"}
        for row in figures[task].values():
            assert {"macro_f1", "accuracy", "clean_recall", "confusion"} <= set(row)
            assert np.sum(row["confusion"]["counts"]) == len(test)
    assert all(f["low"] <= f["value"] <= f["high"] for f in figures_of(figures["type"]["linear"] | {"ece": None}))
    assert figures["type"]["linear"]["macro_f1"]["value"] > 0.8
    assert set(figures["severity"]) == {"hiss", "hum", "clicks", "mean"}
    assert figures["severity"]["mean"]["value"] > 0.6
    assert figures["counts"] == {"train": 240, "test": 240, "train_sources": 30, "test_sources": 30, "dim": 16}
    assert 1 < figures["space"]["effective_rank"] <= 16
    assert figures["leakage"]["chance"] == pytest.approx(7 / 239)


def test_every_pair_of_rows_is_compared_once(train: Embedded, test: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    search = faiss.IndexFlatIP.search

    def counted(index: faiss.IndexFlatIP, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        compared.append(len(queries) * index.ntotal)
        return search(index, queries, k)

    monkeypatch.setattr(faiss.IndexFlatIP, "search", counted)
    evaluate(train, test, n=5)
    assert sum(compared) == len(test) * len(train) + len(test) ** 2


def test_a_space_of_content_and_a_space_of_artifacts(space: Callable[..., Embedded]) -> None:
    content = evaluate(space(content=3, artifact=0.3, seed=1), space(content=3, artifact=0.3, seed=2), n=50)
    artifact = evaluate(space(content=0.02, artifact=5, seed=1), space(content=0.02, artifact=5, seed=2), n=50)
    assert content["leakage"]["value"] > 0.95 > 0.4 > artifact["leakage"]["value"]
    assert content["type"]["knn5"]["macro_f1"]["value"] < 0.45 < 0.9 < artifact["type"]["knn5"]["macro_f1"]["value"]
    assert content["retrieval"]["map_at_100"]["value"] < 0.4 < 0.8 < artifact["retrieval"]["map_at_100"]["value"]
    assert artifact["space"]["alignment"] < content["space"]["alignment"]


def test_the_order_of_the_rows_does_not_matter(train: Embedded, test: Embedded) -> None:
    rng = np.random.default_rng(0)
    mixed = evaluate(train.take(rng.permutation(len(train))), test.take(rng.permutation(len(test))), n=50)
    for one, two in zip(figures_of(mixed), figures_of(evaluate(train, test, n=50)), strict=True):
        assert [one[k] for k in one] == pytest.approx([two[k] for k in two], abs=1e-6)


def test_undefined_figures_are_none(space: Callable[..., Embedded]) -> None:
    train, test = space(sources=6, seed=1), space(sources=1, draws=1, seed=2)
    figures = evaluate(train, test, n=20)
    assert figures["type"]["knn1"]["accuracy"]["low"] is None  # one source: nothing to resample
    assert figures["severity"]["mean"]["value"] is None
    assert figures["retrieval"]["p_at_10"]["value"] is None


def test_a_source_on_both_sides_is_refused(train: Embedded, test: Embedded) -> None:
    mixed = Embedded(test.x, test.artifact, test.severity, np.where(test.source == test.source[0], "1-3", test.source))
    with pytest.raises(SplitError, match="'1-3'"):
        evaluate(train, mixed)
    with pytest.raises(ParameterError, match="0 test rows"):
        evaluate(train, test.take(np.arange(0)))
