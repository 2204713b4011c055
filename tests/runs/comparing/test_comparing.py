"""The comparison: choice of weights, folds by source, and no work done twice."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import ParameterError, SplitError, UnknownNameError, WeightsError
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.models.backbones import create, hub
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.probes import Embedded
from contrastive_artifacts.runs import comparing
from contrastive_artifacts.runs.comparing import Candidate, CompareSettings
from contrastive_artifacts.runs.comparing import rows as module
from contrastive_artifacts.runs.comparing.candidates import fingerprint

TINY = CompareSettings(
    ("clean", "hiss", "clipping"), (0.5, 1.0), duration_s=0.5, folds=3, seconds=1.0, repeats=2, least=2
)
COST = {"seconds_per_s": 1e-3, "times_real_time": 1000.0, "cpu_seconds_per_s": 1e-3, "threads": 1, "parameters": 5,
        "peak_mb": 7, "dim": 3, "embedding": 6}  # fmt: skip
RANDOM = Candidate("mn01", "random", "none")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty folder of weights, and no network."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("CONTRASTIVE_ARTIFACTS_CACHE", str(folder))
    return folder


@pytest.fixture
def priced(monkeypatch):
    """Replaces the measurement of cost by a constant; the names of the measured networks."""
    asked: list[str] = []

    def cost(candidate, seconds, repeats, threads):
        asked.append(candidate.name)
        return COST

    monkeypatch.setattr(module, "measure_cost", cost)
    return asked


def test_the_best_available_weights_are_chosen(cache):
    assert comparing.choose("mn04", random=True, download=False).kind == "ours"
    assert comparing.choose("mn01", random=True, download=False) == RANDOM
    assert comparing.choose({"name": "mn04", "weights": "none"}, random=True, download=False).kind == "random"
    path = cache / "mn01_as_mAP_298.pt"  # unpinned: nothing to check it against yet
    path.write_bytes(b"x")
    assert comparing.choose("mn01", random=True, download=False) == Candidate("mn01", "published", str(path))
    given = comparing.choose({"name": "mn04", "weights": str(hub.bundled("mn04"))}, random=True, download=False)
    assert given.kind == "given"
    assert fingerprint(given.load()) == fingerprint(comparing.choose("mn04", True, False).load())


def test_what_is_missing_is_named(cache):
    with pytest.raises(WeightsError, match=f"mn01 is left out: put mn01_as_mAP_298.pt from https.*into {cache}"):
        comparing.choose("mn01", random=False, download=False)
    with pytest.raises(WeightsError, match="no weights were published"):
        comparing.choose("fast", random=False, download=False)
    with pytest.raises(UnknownNameError, match="mn04"):
        comparing.choose("mn44", random=True, download=False)
    with pytest.raises(ParameterError, match="with a name"):
        comparing.choose({"weights": "none"}, random=True, download=False)


def test_an_altered_file_is_no_reason_for_other_weights(cache):
    (cache / "mn04_as_mAP_432.pt").write_bytes(b"x")
    with pytest.raises(WeightsError, match="delete it"):
        comparing.choose("mn04", random=True, download=False)


def test_random_weights_are_those_of_the_published_architecture_and_stay_the_same():
    first, second = RANDOM.load(), RANDOM.load()
    assert first.norm == "folded"  # from scratch it would be trained with batch norms
    assert fingerprint(first) == fingerprint(second)
    assert fingerprint(first) != fingerprint(create("mn01", "none"))


def corpus_of(folds, sources=None):
    clips = [Clip(f"{i}", sources[i] if sources else f"s{i}", fold=fold) for i, fold in enumerate(folds)]
    return Corpus("folds", clips)


def test_official_folds_are_kept_and_others_keep_sources_together(small_corpus):
    assert comparing.folds_of(corpus_of([1, 1, 2, 3]).clips, 4, 0) == {"0": 1, "1": 1, "2": 2, "3": 3}
    clips = corpus_of([None] * 12, [f"s{i // 3}" for i in range(12)]).clips
    folds = comparing.folds_of(clips, 3, 0)
    assert set(folds.values()) == {1, 2, 3}
    assert all(
        len({folds[clip.id] for clip in clips if clip.source == source}) == 1 for source in ("s0", "s1", "s2", "s3")
    )
    with pytest.raises(SplitError, match="'a' is in two"):
        comparing.folds_of(corpus_of([1, 2], ["a", "a"]).clips, 4, 0)
    with pytest.raises(SplitError, match="All clips are of fold 2"):
        comparing.folds_of(corpus_of([2, 2]).clips, 4, 0)
    with pytest.raises(ParameterError, match="folds=1"):
        comparing.folds_of(clips, 1, 0)


def test_fewer_clips_are_taken_from_all_folds():
    corpus = corpus_of([1] * 20 + [2] * 10 + [3] * 10)
    folds = comparing.folds_of(corpus.clips, 3, 0)
    few = module.side(corpus, folds, dataclasses.replace(TINY, clips=6)).clips
    assert sorted(folds[clip.id] for clip in few) == [1, 1, 2, 2, 3, 3]
    assert few == module.side(corpus, folds, TINY).clips[:6]


def test_figures_of_informative_and_random_features():
    rng = np.random.default_rng(0)
    artifact = np.tile(["clean", "hum", "hiss"], 40)
    severity = np.where(artifact == "clean", 0, rng.uniform(size=120)).astype(np.float32)
    source = np.repeat([f"s{i}" for i in range(40)], 3)
    telling = np.stack([artifact == "hum", artifact == "hiss", severity], 1) + rng.normal(0, 0.01, (120, 3))
    seen = np.arange(120) < 60
    for x, least, most in ((telling, 0.8, 1.0), (rng.normal(size=(120, 8)), -0.5, 0.55)):
        whole = Embedded(x, artifact, severity, source)
        figures = module._figures(whole.take(seen), whole.take(~seen))
        for name in ("linear", "knn5", "severity_rho"):
            assert least <= figures[name] <= most, name
        assert 0 <= figures["leak"] <= 1


class Renamed(Corpus):
    """The first clips of a corpus with other fields."""

    def __init__(self, name, corpus, facts):
        super().__init__(name, [dataclasses.replace(c, **f) for c, f in zip(corpus.clips, facts, strict=False)])
        self.made = {clip.id: corpus.load(clip) for clip in corpus.clips[: len(facts)]}

    def load(self, clip):
        return self.made[clip.id]


def test_rows_hold_seen_and_unseen_figures_and_are_computed_once(small_corpus, tmp_path, priced):
    """By source with an unseen corpus; then by official folds."""
    other = Renamed("other", small_corpus, [{"source": f"o{i}"} for i in range(4)])
    ours = comparing.choose("mn04", random=True, download=False)
    rows = list(comparing.compare([RANDOM, ours], small_corpus, {"other": other}, TINY, tmp_path))
    assert [row["weights"] for row in rows] == ["random", "ours"]
    for row in rows:
        assert (row["sources"], row["folds"], row["sources_other"]) == (12, 3, 4)
        for name in ("linear", "knn5", "leak", "linear_other", "knn5_other"):
            assert 0 <= row[name] <= 1, name
        assert -1 <= row["severity_rho"] <= 1
    assert "mn01_as_mAP_298.pt" in rows[0]["note"]
    assert "not recorded" in rows[1]["note"]
    assert rows[1]["linear"] > rows[0]["linear"]  # trained on artifacts, against random
    messages: list[str] = []
    again = list(comparing.compare([ours, RANDOM], small_corpus, {"other": other}, TINY, tmp_path, messages.append))
    assert again == rows[::-1]
    assert all("finished before" in line for line in messages)
    assert priced == ["mn01", "mn04"]

    official = Renamed("official", small_corpus, [{"fold": 1 + i % 2} for i in range(12)])
    row = next(comparing.compare([RANDOM], official, {}, TINY, tmp_path))
    assert row["folds"] == 2
    assert len(priced) == 3
    text = comparing.markdown([*rows, row], ["other"])
    assert text.count("| mn01 (random) |") == 2
    assert "| mn04 (ours) |" in text
    assert comparing.columns([*rows, row])[-1] == "note"


@pytest.mark.parametrize(
    ("cpu", "clips", "note"),
    [(2.0, 4, "fewer clips, to stay within 12 s"), (90.0, None, "accuracy left out: 1620 s")],
)
def test_slow_networks_get_fewer_clips_or_none(small_corpus, tmp_path, monkeypatch, cpu, clips, note):
    monkeypatch.setattr(module, "measure_cost", lambda *_: COST | {"cpu_seconds_per_s": cpu})
    settings = dataclasses.replace(TINY, budget_s=12.0)  # 12 clips x 3 states x 0.5 s
    row = next(comparing.compare([RANDOM], small_corpus, {}, settings, tmp_path))
    assert row.get("sources") == clips
    assert note in row["note"]
    line = comparing.markdown([row], []).splitlines()[-1]
    assert line.count("| - |") == (0 if clips else 2) or " - | - | - | - " in line


def test_encoders_are_measured_on_sources_that_they_were_not_trained_on(small_corpus, tmp_path, priced):
    directory = tmp_path / "trained"
    encoder = Encoder(create("mn01", "none"), EncoderSettings(TINY.states, 0.5, 16, 8)).eval()
    encoder.save(directory / "encoder")
    section = {"kind": "builtin", "seed": 3, "sources": 12, "duration_s": 1.0, "sample_rate": 16000}
    split = {"by": "source", "train": 0.5, "validation": 0.5, "test": 0.0, "seed": 0}
    files.write_json(directory / "config.json", {"corpus": section, "split": split})
    candidate = Candidate("trained", "trained", str(directory))
    sources = candidate.trained_on()
    assert sources is not None
    assert len(sources) == 6
    row = next(comparing.compare([candidate], small_corpus, {}, TINY, tmp_path / "rows"))
    assert row["sources"] == 6
    assert "not trained on" in row["note"]
    (directory / "config.json").unlink()
    assert candidate.trained_on() is None


def test_cost_is_measured_in_a_separate_process():
    cost = comparing.measure_cost(RANDOM, 1.0, 3, 1)
    network = RANDOM.load()
    assert cost["parameters"] == sum(p.numel() for p in network.parameters())
    assert (cost["dim"], cost["embedding"], cost["threads"]) == (network.dim, 2 * network.dim, 1)
    assert cost["seconds_per_s"] * cost["times_real_time"] == pytest.approx(1)
    assert 0 < cost["cpu_seconds_per_s"] < 1
    assert cost["peak_mb"] is None or 0 < cost["peak_mb"] < 2000


def test_an_unseen_corpus_takes_no_name_of_the_table(small_corpus, tmp_path):
    with pytest.raises(ParameterError, match="rename it"):
        next(comparing.compare([RANDOM], small_corpus, {"seen": small_corpus}, TINY, tmp_path))
