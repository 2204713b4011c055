"""A page over more rows than it takes: some of them, at random, with the ids and labels that they have in the index."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from explored import RELEASE, Index

from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.pages.explorer import sample
from contrastive_artifacts.pages.explorer.collection import Collection
from contrastive_artifacts.pages.explorer.labelling import Labelling
from contrastive_artifacts.pages.explorer.sample import sampled
from contrastive_artifacts.probes.labels import Labels


@pytest.fixture
def index(recorded: Collection, tmp_path: Path) -> Index:
    shutil.copytree(recorded.index.directory, tmp_path / "index")
    return Index.open(tmp_path / "index")


def test_rows_are_drawn_once_with_their_ids_vectors_and_facts(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sampled(index) is index
    monkeypatch.setattr(sample, "MOST_ROWS", 7)
    part = sampled(index)
    assert len(part) == 7
    places = np.searchsorted(index.ids, part.ids)
    np.testing.assert_array_equal(index.ids[places], part.ids)
    np.testing.assert_allclose(part.vectors(), index.vectors()[places], atol=1e-6)  # normalised once more
    assert part.metadata.equals(index.metadata.take(places))
    written = {path: path.stat().st_mtime_ns for path in part.directory.iterdir()}
    assert sampled(Index.open(index.directory)).ids.tolist() == part.ids.tolist()
    assert {path: path.stat().st_mtime_ns for path in part.directory.iterdir()} == written, "opened, not drawn again"
    assert sampled(index, seed=1).ids.tolist() != part.ids.tolist()
    index.remove(index.ids[:1])
    of_others = sampled(Index.open(index.directory))
    assert of_others.directory != part.directory
    assert [path for path in index.directory.glob("sample-*") if path != of_others.directory] == []


def test_the_page_says_so_and_labels_are_those_of_the_index(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = index.metadata.to_pylist()
    with Journal(index.directory / "labels.jsonl") as journal:
        labels = Labels(journal, "ana", index.fingerprint)
        labels.add([{**row, "id": int(n)} for n, row in zip(index.ids, rows, strict=True)], "keep", "", "")
        monkeypatch.setattr(sample, "MOST_ROWS", 7)
        part = Collection.of_index(index.directory, RELEASE)
        assert len(part) == 7
        assert part.layout.method.startswith(f"7 of {len(index)} rows at random; ")
        Labelling(part, labels)
        assert sorted(part.user_labels) == list(range(7))
