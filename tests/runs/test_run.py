"""The main job end to end: pretrain, probe, load, classify, search, map; by functions and by the scripts."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from loading import loaded
from omegaconf import OmegaConf

import contrastive_artifacts as ca
from contrastive_artifacts.core import typed
from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.runs import corpus_sections
from contrastive_artifacts.training import TrainerSettings

ROOT = Path(__file__).parents[2]
TINY = [
    "corpus.sources=24", "corpus.duration_s=1.0", "corpus.sample_rate=16000", "window_s=0.5", "backbone.weights=none",
    "artifacts.states=[clean,hiss,dropout]", "artifacts.severity=[0.6,1.0]", "trainer.steps=20", "trainer.sources=3",
    "trainer.validate_every=10", "trainer.workers=0", "encoder.hidden=32",
]  # fmt: skip


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = next(ROOT.glob(f"[as]*/{name}.py"))
    return subprocess.run([sys.executable, path, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=280)


def within(name: str, *words: str) -> str:
    """What a script prints that runs in this process, where PyTorch and UMAP are imported already."""
    path = next(ROOT.glob(f"[as]*/{name}.py"))
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = OmegaConf.to_container(compose(name, list(words)), resolve=True)
    printed = io.StringIO()
    with redirect_stdout(printed):
        loaded(path).main(config)
    return printed.getvalue()


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A run pretrained and probed by the scripts, and what they printed."""
    directory = tmp_path_factory.mktemp("runs") / "tiny"
    done = script("pretrain", f"run={directory}", *TINY)
    assert done.returncode == 0, done.stderr
    unseen = "unseen={other: {kind: builtin, seed: 9, sources: 6, duration_s: 1.0, sample_rate: 16000}}"
    probed = within("probe", f"run={directory}", "duration_s=0.5", "bootstrap=50", unseen)
    return directory, {"pretrain": done.stdout, "probe": probed}


@pytest.mark.slow
def test_the_scripts_write_what_they_say(made):
    directory, out = made
    for name in ("config.json", "log.jsonl", "encoder/encoder.safetensors", "encoder/probe.safetensors", "metrics.json",
                 "tables/h.parquet", "tables/z.parquet", "index/index.json", "plots/confusion-test.png",
                 "plots/roc-other.png", "plots/pr-test.png", "plots/severity-test.png", "plots/reliability-test.png",
                 "plots/umap-test.png",
                 ):  # fmt: skip
        assert (directory / name).stat().st_size > 0, name
    assert str(directory) in out["pretrain"]
    assert "macro-F1" in out["probe"]
    metrics = json.loads((directory / "metrics.json").read_text())
    assert metrics.keys() == {"h", "z"}
    assert metrics["h"].keys() == {"test", "other"}
    assert 0 <= metrics["h"]["test"]["type"]["linear"]["macro_f1"]["value"] <= 1


@pytest.mark.slow
def test_a_run_is_loaded_and_used(made):
    directory, _ = made
    encoder = ca.load(directory)
    x = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    told = encoder.classify((x, 16000))
    assert list(told.probabilities) == ["clean", "hiss", "dropout"] == list(encoder.labels)
    assert sum(told.probabilities.values()) == pytest.approx(1)
    assert told.label == max(told.probabilities, key=told.probabilities.get)
    assert all(0 <= v <= 1 for v in told.severity.values())
    assert told.severity.keys() == {"hiss", "dropout"}
    p, s = encoder.classify_windows([x[:8000], x[8000:]], 16000)
    assert p.shape == s.shape == (2, 3)
    assert np.allclose(p.sum(axis=1), 1, atol=1e-5)
    index = ca.Index.open(directory / "index", encoder.fingerprint)
    hits = index.search(encoder.embed((x, 16000)).clip, k=3, where={"artifact": "hiss"})
    assert [hit.metadata["artifact"] for hit in hits] == ["hiss"] * 3


@pytest.mark.slow
def test_the_map_is_drawn(made):
    directory, _ = made
    assert f"{directory}/map.html" in within("embedding_map", f"run={directory}", "points=40")
    page = (directory / "map.html").read_text()
    assert page.count("audio/mpeg") == 40
    facts = json.loads((directory / "separation.json").read_text())
    assert -1 <= facts["silhouette_artifact"] <= 1
    assert 0 <= facts["trustworthiness"] <= 1


@pytest.mark.slow
def test_a_finished_pretraining_is_not_trained_again(made):
    directory, _ = made
    before = (directory / "state.safetensors").stat().st_mtime_ns
    assert script("pretrain", f"run={directory}", *TINY).returncode == 0
    assert (directory / "state.safetensors").stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["corpus=folder"], "corpus.path"), (["corpus=folder", "corpus.path=/nowhere"], "/nowhere"),
     (["corpus=esc05"], "esc05"), (["artifacts.states=[clean,hizz]"], "hiss"),
     (["backbone.name=yamnett"], "yamnet"), (["optim.lrate=1"], "lrate")],
)  # fmt: skip
def test_errors_instruct_without_a_traceback(tmp_path, arguments, said):
    done = script("pretrain", f"run={tmp_path}/r", *arguments)
    assert done.returncode == (1 if said == "/nowhere" else 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_setting_is_named():
    with pytest.raises(ParameterError, match="stepps"):
        typed.settings(TrainerSettings, {"stepps": 3}, "trainer")


def test_a_split_that_is_not_by_source_is_refused(small_corpus):
    with pytest.raises(ParameterError, match="no source is on two sides"):
        corpus_sections.make_splits(small_corpus, {"by": "window", "train": 0.5, "test": 0.5})


def test_loading_nothing_is_an_error(tmp_path):
    with pytest.raises(StorageError, match="holds no encoder"):
        ca.load(tmp_path)


@pytest.mark.slow
def test_recipes_are_compared_by_fold(tmp_path):
    """Baselines and a trained recipe, one CSV row a measurement; a second call measures nothing again."""
    from contrastive_artifacts import audio
    from contrastive_artifacts.data import corpora

    sources = corpora.create("builtin", seed=1, sources=8, duration_s=1.0, sample_rate=16000)
    for i, clip in enumerate(sources.clips):
        audio.write(tmp_path / "esc" / f"{i % 4 + 1}-{1000 + i}-A-0.wav", *sources.load(clip))
    arguments = [
        "corpus=esc50", f"corpus.path={tmp_path}/esc", "seeds=[1]", "recipes=[cross_entropy]", "weights={mn04: none}",
        f"out={tmp_path}/out", f"csv={tmp_path}/rows.csv", "trainer.steps=2", "trainer.validate_every=2",
        "trainer.sources=2", "trainer.workers=0", "window_s=0.5", "probe.duration_s=0.5", "probe.bootstrap=10",
        "artifacts.states=[clean,hiss]",
    ]  # fmt: skip
    done = script("recipes", *arguments)
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "rows.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["log-mel statistics", "frozen", "cross_entropy", "cross_entropy"]
    before = (tmp_path / "out" / "cross_entropy-mn04-1" / "metrics.json").stat().st_mtime_ns
    assert script("recipes", *arguments).returncode == 0
    assert (tmp_path / "out" / "cross_entropy-mn04-1" / "metrics.json").stat().st_mtime_ns == before
    assert (tmp_path / "rows.csv").read_text().splitlines() == rows


@pytest.mark.slow
def test_export_embed_and_scan(made, tmp_path):
    from contrastive_artifacts import audio
    from contrastive_artifacts.embedding.table import read_table

    directory, _ = made
    assert script("export", f"run={directory}", f"to={tmp_path}/given", "duration_s=0.5", "draws=1").returncode == 0
    encoder = ca.load(tmp_path / "given")
    assert encoder.fingerprint != ca.load(directory).fingerprint  # half precision is another encoder
    sounds = tmp_path / "sounds"
    audio.write(sounds / "a.wav", np.random.default_rng(0).normal(0, 0.1, (2, 48000)).astype(np.float32), 16000)
    (sounds / "b.wav").write_bytes(b"no audio")
    done = script("embed", f"corpus.path={sounds}", f"encoder={tmp_path}/given", f"out={tmp_path}/e.parquet")
    assert done.returncode == 0, done.stderr
    table = read_table(tmp_path / "e.parquet", encoder.fingerprint)
    assert set(table["clip"].to_pylist()) == {"a.wav"}
    assert table["stop"].to_pylist()[-1] == 48000
    assert "b.wav" in (tmp_path / "e.problems.csv").read_text()
    done = script("scan", f"path={sounds}/a.wav", f"encoder={tmp_path}/given", f"out={tmp_path}/t")
    assert done.returncode == 0, done.stderr
    assert {p.suffix for p in tmp_path.glob("t.artifacts.*")} == {".csv", ".json", ".txt", ".vtt", ".html"}
