"""Exact search is the oracle of every kind of index."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrastive_artifacts.core.errors import ParameterError, UnknownNameError
from contrastive_artifacts.search.index import Index, faiss_index, rows
from contrastive_artifacts.search.index.rows import Rows, exact
from contrastive_artifacts.search.index.structures import CODINGS, choose

DIM = 24


def clustered(count: int, seed: int = 0) -> np.ndarray:
    """Vectors around some directions, as embeddings are."""
    rng, centres = np.random.default_rng(seed), np.random.default_rng(99).standard_normal((40, DIM))
    return (centres[rng.integers(0, 40, count)] + 0.6 * rng.standard_normal((count, DIM))).astype(np.float32)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Index]:
    vectors, metadata = clustered(6000), [{"take": i % 5} for i in range(6000)]
    folder = tmp_path_factory.mktemp("kinds")
    return {
        kind: Index.build(vectors, metadata, folder / kind, fingerprint="f", kind=kind) for kind in ("flat", *CODINGS)
    }


@pytest.fixture
def no_short_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small index is searched through its cells, like a large one."""
    monkeypatch.setattr(faiss_index, "_EXACT_TO", 0)


def test_the_kind_follows_the_size() -> None:
    assert [choose(n) for n in (0, 10**6, 10**6 + 1, 2 * 10**7, 2 * 10**7 + 1)] == [
        "flat", "flat", "ivf_sq8", "ivf_sq8", "ivf_pq",
    ]  # fmt: skip
    assert set(CODINGS) == {"ivf_sq8", "ivf_pq"}


@pytest.mark.usefixtures("no_short_cut")
@pytest.mark.parametrize("kind", ["ivf_sq8", "ivf_pq"])
def test_recall_is_what_the_index_says(kinds: dict[str, Index], kind: str) -> None:
    index, truth = kinds[kind], kinds["flat"]
    queries = clustered(300, seed=5)
    shared = [
        len({h.id for h in a} & {h.id for h in b}) / 10
        for a, b in zip(index.search_batch(queries, 10), truth.search_batch(queries, 10), strict=True)
    ]
    assert index.recall >= 0.9
    assert np.mean(shared) == pytest.approx(index.recall, abs=0.06)
    assert np.mean(shared) < 1.0  # the search is not exact
    assert truth.recall == 1.0


@pytest.mark.usefixtures("no_short_cut")
@pytest.mark.parametrize("kind", ["ivf_sq8", "ivf_pq"])
def test_scores_are_those_of_the_vectors_not_of_the_codes(kinds: dict[str, Index], kind: str) -> None:
    query = clustered(1, seed=9)[0]
    unit = query.astype(np.float64) / np.linalg.norm(query.astype(np.float64))
    for hit in kinds[kind].search(query, 20):
        assert hit.score == pytest.approx(float(kinds["flat"].vectors([hit.id])[0] @ unit), abs=1e-6)


@pytest.mark.usefixtures("no_short_cut")
@pytest.mark.parametrize("kind", ["ivf_sq8", "ivf_pq"])
def test_filters_hold_and_k_rows_come_back(kinds: dict[str, Index], kind: str) -> None:
    query = clustered(1, seed=3)[0]
    hits = kinds[kind].search(query, 50, where={"take": 2})
    assert len(hits) == 50
    assert all(hit.metadata["take"] == 2 and hit.id % 5 == 2 for hit in hits)
    everything = kinds[kind].search(query, 6000, exclude={"take": [0, 1, 2, 3]})
    assert {hit.id for hit in everything} == set(range(4, 6000, 5))


@pytest.mark.parametrize("kind", ["ivf_sq8", "ivf_pq"])
def test_few_rows_behind_a_filter_are_searched_exactly(kinds: dict[str, Index], kind: str) -> None:
    query = clustered(1, seed=4)[0]
    assert kinds[kind].search(query, 10, where={"take": 1}) == kinds["flat"].search(query, 10, where={"take": 1})


def test_the_same_rows_give_the_same_files(kinds: dict[str, Index], tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(6000)
    metadata = [{"take": int(i) % 5} for i in order]
    for kind, built in kinds.items():
        again = Index.build(clustered(6000)[order], metadata, tmp_path / kind, fingerprint="f", ids=order, kind=kind)
        for path in built.directory.iterdir():
            assert path.read_bytes() == (again.directory / path.name).read_bytes(), path.name


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 400),
    k=st.integers(1, 420),
    share=st.floats(0, 1),
    seed=st.integers(0, 999),
    block=st.integers(1, 50),
    few=st.sampled_from([0, 1024]),
)
def test_exact_search_in_blocks_against_numpy(
    count: int, k: int, share: float, seed: int, block: int, few: int
) -> None:
    rng = np.random.default_rng(seed)
    vectors, queries = (
        rng.standard_normal((count, 5)).astype(np.float32),
        rng.standard_normal((3, 5)).astype(np.float32),
    )
    mask = rng.random(count) < share
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "_BLOCK", block)
        patch.setattr(rows, "_FEW", few)
        scores, positions = exact(Rows(np.array_split(vectors, 3)), queries, k, mask)
    truth = np.where(mask, queries @ vectors.T, -np.inf)
    assert scores.shape == positions.shape == (3, min(k, mask.sum()))
    assert mask[positions].all()
    np.testing.assert_allclose(scores, -np.sort(-truth, axis=1)[:, : positions.shape[1]], atol=1e-5)


def test_unknown_kinds_and_too_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="ivf_sq8"):
        Index.build(np.eye(8), [{}] * 8, tmp_path / "i", fingerprint="f", kind="ivf_sq")
    with pytest.raises(ParameterError, match="256"):
        Index.build(np.eye(8), [{}] * 8, tmp_path / "i", fingerprint="f", kind="ivf_pq")
    assert not (tmp_path / "i").exists()
