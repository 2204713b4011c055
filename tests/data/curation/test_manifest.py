"""A corpus with known faults is surveyed, judged, decided on, and written down in versions."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.curation import blocks
from contrastive_artifacts.data.curation.balance import HEADER, balance, evenness
from contrastive_artifacts.data.curation.blocks import of_clip
from contrastive_artifacts.data.curation.decisions import Decision
from contrastive_artifacts.data.curation.limits import make_limits
from contrastive_artifacts.data.curation.manifest import check_apply, verdicts, write_manifest
from contrastive_artifacts.data.curation.survey import Finding, survey

RATE = 16000
LIMITS = make_limits()


def speechlike(seed: int) -> np.ndarray:
    corpus = corpora.create("builtin", seed=seed, sources=1, duration_s=2.0, sample_rate=RATE)
    rng = np.random.default_rng(seed)
    return corpus.load(corpus.clips[0])[0] * np.float32(0.5) + rng.normal(0, 0.003, (1, 2 * RATE)).astype(np.float32)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    good = [speechlike(seed) for seed in range(3)]
    waves = {
        "a/good.wav": good[0],
        "a/copy.wav": good[0][:, : RATE * 3 // 2],
        "a/padded.wav": np.concatenate([good[1], np.zeros((1, 6 * RATE), np.float32)], axis=1),
        "b/clipped.wav": np.clip(good[2] * 40, -0.5, 0.5),
        "b/silent.wav": np.zeros((1, RATE), np.float32),
    }
    for name, wave in waves.items():
        audio.write(tmp_path / "data" / name, wave, RATE)
    (tmp_path / "data" / "b" / "broken.wav").write_bytes(b"RIFF....")
    return tmp_path / "data"


def look(data: Path, to: Path) -> tuple[corpora.Corpus, list[Finding]]:
    corpus = corpora.create("folder", path=data)
    return corpus, survey(corpus, to, LIMITS)


def table_of(folder: Path) -> dict[str, dict[str, str]]:
    lines = (folder / "manifest.csv").read_text(encoding="utf-8").splitlines()
    return {row["id"]: row for row in csv.DictReader(lines)}


def test_each_fault_is_named_and_good_clips_are_left_alone(data, tmp_path):
    _, findings = look(data, tmp_path / "to")
    by_id = {finding.clip.id: finding for finding in findings}
    assert by_id["a/good.wav"].reasons == ()
    assert by_id["a/copy.wav"].reasons == ("duplicate",)
    assert by_id["a/copy.wav"].duplicate_of == "a/good.wav"
    assert "another source" in by_id["a/copy.wav"].flags[0].text
    assert "padded" in by_id["a/padded.wav"].reasons
    assert "clipped" in by_id["b/clipped.wav"].reasons
    assert {"silent", "padded", "quiet"} <= set(by_id["b/silent.wav"].reasons)
    assert by_id["b/broken.wav"].reasons == ("unreadable",)
    assert "broken.wav" in by_id["b/broken.wav"].flags[0].text


def test_only_what_is_new_is_measured(data, tmp_path, monkeypatch):
    look(data, tmp_path / "to")
    loaded: list[str] = []
    monkeypatch.setattr(blocks, "of_clip", lambda corpus, clip: (loaded.append(clip.id), of_clip(corpus, clip))[1])
    limits = make_limits({"duplicate": None})
    corpus = corpora.create("folder", path=data)
    before = survey(corpus, tmp_path / "to", limits)
    assert loaded == ["b/broken.wav"]
    audio.write(data / "a" / "good.wav", speechlike(9), RATE)
    audio.write(data / "b" / "broken.wav", speechlike(8), RATE)
    loaded.clear()
    after = survey(corpus, tmp_path / "to", limits)
    assert loaded == ["a/good.wav", "b/broken.wav"]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True, False, True, True]


def test_clips_are_compared_once(data, tmp_path, monkeypatch):
    before = look(data, tmp_path / "to")[1]
    loaded: list[str] = []
    monkeypatch.setattr(blocks, "of_clip", lambda corpus, clip: (loaded.append(clip.id), of_clip(corpus, clip))[1])
    after = look(data, tmp_path / "to")[1]
    assert loaded == ["b/broken.wav"], "no clip is read again for the search for duplicates"
    assert after == before
    audio.write(data / "a" / "new.wav", speechlike(7), RATE)
    loaded.clear()
    look(data, tmp_path / "to")
    assert "a/new.wav" in loaded


def test_a_person_stands_above_the_limits(data, tmp_path):
    corpus, findings = look(data, tmp_path / "to")
    clipped = next(finding for finding in findings if finding.clip.id == "b/clipped.wav")
    good = next(finding for finding in findings if finding.clip.id == "a/good.wav")

    def kept_ids(decisions: dict, apply: str) -> set[str]:
        outcome = verdicts(findings, decisions, apply)
        return {finding.clip.id for finding, what in zip(findings, outcome, strict=True) if what.decision == "keep"}

    everything = {clip.id for clip in corpus.clips} - {"b/broken.wav"}
    assert kept_ids({}, "none") == everything
    assert kept_ids({}, "auto") == {"a/good.wav", "a/padded.wav"}, "soft limits reject nothing"
    decided = {
        ("b/clipped.wav", clipped.sha256): Decision("keep", "ana", "now", ""),
        ("a/good.wav", good.sha256): Decision("reject", "ana", "now", "dull"),
        ("a/padded.wav", "sha256 of other samples"): Decision("reject", "ana", "now", ""),
    }
    assert kept_ids(decided, "auto") == {"b/clipped.wav", "a/padded.wav"}
    with pytest.raises(ParameterError, match="apply='all'"):
        check_apply("all")


def test_versions_follow_one_another_and_old_ones_stay(data, tmp_path):
    to = tmp_path / "to"
    corpus, findings = look(data, to)
    first = write_manifest(to, corpus, findings, verdicts(findings, {}, "none"), LIMITS, "none")
    again = write_manifest(to, corpus, findings, verdicts(findings, {}, "none"), LIMITS, "none")
    assert again == first, "the same outcome is no new version"
    assert (first["version"], first["parent_sha256"]) == (1, None)
    assert first["corpus"] == {"name": "data", "fingerprint": corpus.fingerprint, "clips": 6}
    assert first["counts"]["keep"] == 5
    old = (to / "versions" / "0001" / "manifest.csv").read_bytes()

    second = write_manifest(to, corpus, findings, verdicts(findings, {}, "auto"), LIMITS, "auto")
    assert second["version"] == 2
    assert second["parent_sha256"] == files.sha256(to / "versions" / "0001" / "manifest.json")
    assert (to / "versions" / "0001" / "manifest.csv").read_bytes() == old
    rows = table_of(to)
    assert (rows["b/silent.wav"]["decision"], rows["b/silent.wav"]["decided_by"]) == ("reject", "auto")
    assert (rows["a/good.wav"]["decision"], rows["a/good.wav"]["decided_by"]) == ("keep", "")
    assert float(rows["a/good.wav"]["seconds"]) == 2.0
    assert rows["b/broken.wav"]["seconds"] == ""
    assert json.loads((to / "manifest.json").read_text())["csv_sha256"] == files.sha256(to / "manifest.csv")


def test_every_way_to_read_it_gives_the_same_clips(data, tmp_path):
    to = tmp_path / "to"
    corpus, findings = look(data, to)
    write_manifest(to, corpus, findings, verdicts(findings, {}, "none"), LIMITS, "none")
    write_manifest(to, corpus, findings, verdicts(findings, {}, "auto"), LIMITS, "auto")
    by_option = corpora.create("folder", path=data, curation=to)
    by_table = corpora.create("folder", path=data, csv=to / "manifest.csv", where={"decision": "keep"})
    assert by_option.clips == by_table.clips
    assert [clip.id for clip in by_option.clips] == ["a/good.wav", "a/padded.wav"]
    assert len(corpora.create("folder", path=data, curation=to / "versions" / "0001")) == 5


def test_damage_and_another_corpus_are_refused(data, tmp_path):
    to = tmp_path / "to"
    corpus, findings = look(data, to)
    outcome = verdicts(findings, {}, "none")
    write_manifest(to, corpus, findings, outcome, LIMITS, "none")
    other = corpora.create("folder", path=data, name="another")
    with pytest.raises(StorageError, match="curation of 'data', not of 'another'"):
        write_manifest(to, other, findings, outcome, LIMITS, "none")
    with (to / "versions" / "0001" / "manifest.csv").open("a") as table:
        table.write("x\n")
    with pytest.raises(StorageError, match="not what was written"):
        write_manifest(to, corpus, findings, outcome, LIMITS, "none")


def test_balance_counts_before_and_after(data, tmp_path):
    _, findings = look(data, tmp_path / "to")
    rows = balance(findings, verdicts(findings, {}, "auto"))
    by = {(row[0], row[1]): dict(zip(HEADER, row, strict=True)) for row in rows}
    assert ("category", "(none)") not in by, "a corpus without categories has no table of them"
    assert (by["set", "a"]["clips_before"], by["set", "a"]["clips_after"]) == (3, 2)
    assert (by["set", "b"]["clips_before"], by["set", "b"]["clips_after"]) == (3, 0)
    assert by["set", "a"]["seconds_before"] == pytest.approx(2 + 1.5 + 8)
    assert by["set", "entropy"]["clips_before"] == 1.0
    assert by["set", "entropy"]["clips_after"] == 0.0
    assert by["all", "all"]["flagged"] == 5


def test_evenness_at_its_ends():
    assert (evenness([7, 7, 7]).entropy, evenness([7, 7, 7]).gini) == (1.0, 0.0)
    alone = evenness([0, 0, 0, 9])
    assert (alone.groups, alone.entropy, alone.gini) == (1, 0.0, 0.75)
    assert evenness([1, 3]).gini == 0.25
    assert evenness([]).groups == 0


def test_a_survey_that_was_killed_goes_on(data, tmp_path):
    look(data, tmp_path / "to")
    path = tmp_path / "to" / "measures.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    with Journal(path) as journal:
        assert len(journal.entries) == 4
    _, findings = look(data, tmp_path / "to")
    assert sum(finding.measures is not None for finding in findings) == 5
