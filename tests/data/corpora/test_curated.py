"""A manifest takes clips out of any kind of corpus."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import CorpusError
from contrastive_artifacts.data import corpora

OPTIONS = {"sources": 6, "duration_s": 0.2, "sample_rate": 16000}


def manifest(folder: Path, ids: list[str], rejected: set[int]) -> Path:
    rows = [["id", "decision"], *([name, "reject" if n in rejected else "keep"] for n, name in enumerate(ids))]
    files.write_csv(folder / "manifest.csv", rows)
    return folder / "manifest.csv"


@pytest.fixture
def ids() -> list[str]:
    return [clip.id for clip in corpora.create("builtin", **OPTIONS).clips]


def test_what_is_rejected_is_gone_and_the_rest_is_the_same(tmp_path, ids):
    whole = corpora.create("builtin", **OPTIONS)
    manifest(tmp_path, ids, {0, 3})
    for given in (tmp_path, tmp_path / "manifest.csv"):
        curated = corpora.create("builtin", curation=given, **OPTIONS)
        assert [clip.id for clip in curated.clips] == [ids[n] for n in (1, 2, 4, 5)]
    assert curated.name == whole.name
    np.testing.assert_array_equal(curated.load(curated.clips[1])[0], whole.load(whole.clips[2])[0])


def test_the_fingerprint_says_what_is_left_and_of_what(tmp_path, ids):
    seen = {corpora.create("builtin", **OPTIONS).fingerprint}
    for rejected, seed in (({0}, 0), ({1}, 0), ({0}, 1)):
        names = [clip.id for clip in corpora.create("builtin", seed=seed, **OPTIONS).clips]
        manifest(tmp_path, names, rejected)
        curated = corpora.create("builtin", curation=tmp_path, seed=seed, **OPTIONS)
        assert curated.fingerprint == corpora.create("builtin", curation=tmp_path, seed=seed, **OPTIONS).fingerprint
        seen.add(curated.fingerprint)
    assert len(seen) == 4


def test_a_part_of_the_curated_corpus_may_be_read(tmp_path, ids):
    manifest(tmp_path, [*ids, "another/clip"], {2})
    assert len(corpora.create("builtin", curation=tmp_path, **OPTIONS)) == 5


def test_clips_that_the_manifest_lacks_are_refused(tmp_path, ids):
    manifest(tmp_path, ids[:-2], set())
    with pytest.raises(CorpusError, match=r"does not list 2 of the 6 clips.*curate"):
        corpora.create("builtin", curation=tmp_path, **OPTIONS)


def test_nothing_left_is_an_error(tmp_path, ids):
    manifest(tmp_path, ids, set(range(6)))
    with pytest.raises(CorpusError, match="has no clips"):
        corpora.create("builtin", curation=tmp_path, **OPTIONS)


def test_what_is_no_manifest_is_refused(tmp_path, ids):
    def refused(match: str) -> None:
        with pytest.raises(CorpusError, match=match):
            corpora.create("builtin", curation=tmp_path, **OPTIONS)

    refused("cannot be read")
    files.write_csv(tmp_path / "manifest.csv", [["id", "label"], ["a", "dog"]])
    refused("columns id and decision")
    table = manifest(tmp_path, ids, {0})
    files.write_json(tmp_path / "manifest.json", {"csv_sha256": files.sha256(table)})
    assert len(corpora.create("builtin", curation=tmp_path, **OPTIONS)) == 5
    table.write_text(table.read_text().replace("reject", "keep"))
    refused("does not match the sha256 in manifest")
    (tmp_path / "manifest.json").unlink()
    rows = list(csv.reader(table.read_text().splitlines()))
    files.write_csv(table, [rows[0], [ids[0], "maybe"], *rows[2:]])
    refused("'maybe', not keep or reject")
