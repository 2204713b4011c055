"""Checks an encoder on artifacts that are not rendered by this package.

    python analysis/independent.py
    python analysis/independent.py encoder=release corpus=folder corpus.path=recordings/ clips=200

Six textbook implementations in NumPy alone, with other assumptions than those of the package: white noise at a fixed
SNR, a mains tone with two harmonics, one-sample impulses, clipping by gain, zeroed gaps, and resampling by linear
interpolation along a sine. Three strengths each; writes one CSV row per artifact and strength.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__)

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table, track
from contrastive_artifacts.core.errors import AudioError
from contrastive_artifacts.embedding import Classification
from contrastive_artifacts.runs import sections

Renderer = Callable[[np.ndarray, int, float, np.random.Generator], np.ndarray]  # strength in its own unit


def hiss(x: np.ndarray, rate: int, snr_db: float, rng: np.random.Generator) -> np.ndarray:
    return x + rng.normal(0, np.sqrt(np.mean(x**2)) * 10 ** (-snr_db / 20), len(x))


def hum(x: np.ndarray, rate: int, level_db: float, rng: np.random.Generator) -> np.ndarray:
    t = np.arange(len(x)) / rate
    base = rng.choice([50.0, 60.0])
    tone = sum(a * np.sin(2 * np.pi * k * base * t) for k, a in ((1, 1.0), (2, 0.5), (3, 0.3)))
    return x + tone * np.sqrt(np.mean(x**2) / np.mean(tone**2)) * 10 ** (level_db / 20)


def clicks(x: np.ndarray, rate: int, per_s: float, rng: np.random.Generator) -> np.ndarray:
    y = x.copy()
    at = rng.integers(0, len(x), max(1, round(per_s * len(x) / rate)))
    y[at] += rng.choice([-1, 1], len(at)) * rng.uniform(0.5, 1, len(at)) * np.abs(x).max()
    return y


def clipping(x: np.ndarray, rate: int, gain_db: float, rng: np.random.Generator) -> np.ndarray:
    top = np.abs(x).max()
    return np.clip(x * 10 ** (gain_db / 20), -top, top)


def dropout(x: np.ndarray, rate: int, share: float, rng: np.random.Generator) -> np.ndarray:
    y, gap = x.copy(), round(0.03 * rate)
    for start in rng.integers(0, max(1, len(x) - gap), max(1, round(share * len(x) / gap))):
        y[start : start + gap] = 0
    return y


def wow_flutter(x: np.ndarray, rate: int, percent: float, rng: np.random.Generator) -> np.ndarray:
    f = rng.choice([rng.uniform(0.6, 5), rng.uniform(6, 30)])
    n = np.arange(len(x))
    place = n + percent / 100 * rate / (2 * np.pi * f) * np.sin(2 * np.pi * f * n / rate + rng.uniform(0, 6))
    return np.interp(place, n, x)


STRENGTHS: dict[Renderer, tuple[float, float, float]] = {  # slight, clear, severe
    hiss: (30.0, 20.0, 10.0), hum: (-25.0, -15.0, -5.0), clicks: (1.0, 4.0, 15.0), clipping: (3.0, 8.0, 15.0),
    dropout: (0.01, 0.04, 0.12), wow_flutter: (0.5, 1.0, 2.0),
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    corpus: Mapping[str, Any]
    encoder: str
    clips: int
    csv: str


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    corpus, encoder = sections.make_corpus(settings.corpus), ca.load(settings.encoder)
    cases: list[tuple[str, Renderer | None, float]] = [("clean", None, 0.0)]
    cases += [(r.__name__, r, s) for r, strengths in STRENGTHS.items() for s in strengths]
    verdicts: dict[tuple[str, float], list[Classification]] = {(name, strength): [] for name, _, strength in cases}
    for clip in track(corpus.clips[: settings.clips], "classify"):
        try:
            waveform, rate = corpus.load(clip)
        except AudioError:
            continue
        x = audio.mono(waveform).astype(np.float64)
        if not x.any():
            continue
        for number, (name, renderer, strength) in enumerate(cases):
            of_case = verdicts[name, strength]
            rng = np.random.default_rng([number, len(of_case)])
            y = x if renderer is None else renderer(x, rate, strength, rng)
            of_case.append(encoder.classify((y.astype(np.float32), rate)))
    columns = ["artifact", "strength", "clips", "recall", "called clean", "most often called"]
    rows = []
    for (name, strength), of_case in verdicts.items():
        called_clean = np.mean([not verdict.present for verdict in of_case])
        recall = called_clean if name == "clean" else np.mean([name in verdict.present for verdict in of_case])
        labels = [verdict.label for verdict in of_case]
        most = max(set(labels), key=labels.count)
        rows.append([name, strength, len(of_case), f"{recall:.3f}", f"{called_clean:.3f}", most])
    files.write_csv(settings.csv, [columns, *rows])
    table(f"textbook renderings, {settings.encoder} on {corpus.name}", columns, rows)
    console.print(f"rows  {settings.csv}")
