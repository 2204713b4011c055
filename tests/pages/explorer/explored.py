"""Small collections for the tests: an archive of windows, and rendered views of a corpus."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.embedding import encoder_folder
from contrastive_artifacts.models.figure_encoder import FigureEncoder, FigureSettings
from contrastive_artifacts.pages.explorer.collection import Collection
from contrastive_artifacts.pages.explorer.layout import Layout
from contrastive_artifacts.probes import SetProbe
from contrastive_artifacts.search.index import Index
from contrastive_artifacts.search.retrieval import Roots, Signals, embed_recordings, index_table
from contrastive_artifacts.search.retrieval.roots import record_roots

RATE = 16000
WINDOW = 3 * RATE  # of the release, in samples
RELEASE = encoder_folder("release/mn04")


def flat(index: Index) -> Layout:
    """A map of two coordinates of the vectors: UMAP takes half a minute to compile."""
    return Layout(np.ascontiguousarray(index.vectors()[:, :2], np.float32), "two coordinates")


def archive(folder: Path) -> Collection:
    """Six recordings of the built-in corpus, 0, 2 and 4 with hum, the last one in stereo; windows of 3 s every 1.5 s.

    Recording 5 is embedded channel by channel.
    """
    builtin = corpora.create("builtin", seed=2, sources=6, duration_s=6.0, sample_rate=RATE)
    for n, clip in enumerate(builtin.clips):
        clean = audio.mono(builtin.load(clip)[0])[None]
        sound = ca.render("hum", clean, RATE, severity=1.0, seed=n).waveform if n % 2 == 0 else clean
        sound = np.concatenate([sound, 0.1 * sound]) if n == 5 else sound
        audio.write(folder / "data" / f"{n}.wav", sound / max(1.0, np.abs(sound).max()), RATE)
    corpus, encoder = corpora.create("folder", path=folder / "data"), ca.load("release/mn04")
    mix, _ = embed_recordings(corpus, corpus.clips[:5], encoder)
    each, _ = embed_recordings(corpus, corpus.clips[5:], encoder, Signals("each"))
    parts = [index_table(t, folder / n, encoder.fingerprint) for n, t in (("mix", mix), ("each", each))]
    index = Index.merge(parts, folder / "index")
    return Collection(index, encoder, RELEASE, {}, flat(index), folder / "index", "archive", Roots([folder / "data"]))


NAMES = ("clean", "hum", "hiss", "clicks")


def sets(folder: Path) -> Collection:
    """Ten recordings of six windows; vectors point at what they hold, in turn: nothing, hum, hiss, both, clicks, hum.

    The small encoder of label sets in ``encoder`` hears hum and hiss, and no clicks. Rows with both have a third thing.
    """
    network = FigureEncoder(FigureSettings(NAMES, window_s=1.6, figures=16, channels=8, backbone=4, hidden=16))
    network.save(folder / "encoder")
    weights, bias = np.zeros((4, 16), np.float32), np.array([-4, -4, -4, -8.5], np.float32)
    weights[range(4), range(4)] = 8.0
    fingerprint = ca.load(folder / "encoder").fingerprint
    SetProbe(NAMES, weights, bias, 0 * weights, np.arange(4, dtype=np.float32), fingerprint).save(folder / "encoder")
    rng, rows, vectors = np.random.default_rng(0), [], []
    for n in range(10):
        path = folder / "data" / f"{n}.wav"
        audio.write(path, rng.normal(0, 0.05, (1, 3 * 8000)).astype(np.float32), 8000)
        for window, there in enumerate(((0,), (1,), (2,), (1, 2, 4), (3,), (1,))):
            vectors.append(2.0 * np.eye(16)[list(there)].sum(axis=0) + rng.normal(0, 0.15, 16))
            rows.append({
                "clip": path.name, "file": str(path), "corpus": "c", "source": path.name, "channel": None,
                "start": 4000 * window, "stop": 4000 * window + 3000, "sample_rate": 8000, "artifact": "",
                "params": "{}",
            })  # fmt: skip
    index = Index.build(np.stack(vectors), rows, folder / "index", fingerprint)
    record_roots(index.directory, {row["file"] for row in rows})
    home, encoder = folder / "index", ca.load(folder / "encoder")
    return Collection(index, encoder, folder / "encoder", {}, flat(index), home, "sets", Roots([folder / "data"]))


def views(folder: Path) -> Collection:
    """Three clips of noise, each clean, clicking and humming; vectors are random, sounds are not."""
    rng = np.random.default_rng(0)
    clips, rows = [], []
    for n in range(3):
        path = folder / "corpus" / f"{n}.wav"
        noise = rng.normal(0, 0.05, (2, 3 * RATE)).astype(np.float32)
        audio.write(path, noise, RATE)
        clips.append(Clip(f"{n}.wav", f"s{n}", "noise", path=path))
        clean = audio.mono(noise)[None, RATE : 2 * RATE]
        for name in ("clean", "clicks", "hum"):
            view = ca.render(name, clean, RATE, severity=0.8, seed=n)
            rows.append({
                "id": f"c/{n}/{name}", "artifact": name, "severity": view.params["severity"], "source": f"s{n}",
                "corpus": "c", "clip": f"{n}.wav", "category": "noise", "split": "train" if n else "test",
                "params": json.dumps(view.params), "start": RATE, "stop": 2 * RATE, "sample_rate": RATE,
            })  # fmt: skip
    encoder = ca.load("release/mn04")
    vectors = rng.normal(size=(9, len(encoder.embed((clean, RATE)).clip)))
    index = Index.build(vectors, rows, folder / "index", encoder.fingerprint)
    return Collection(index, encoder, RELEASE, {"c": Corpus("c", clips)}, flat(index), folder, "views", Roots([folder]))
