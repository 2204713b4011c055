"""Draws every artifact at several severities, on one page to look at and listen to.

    python analysis/contact_sheet.py
    python analysis/contact_sheet.py clip.wav artifacts=vinyl to=vinyl.html

Writes one HTML file, which opens without a network: sound, spectrogram, 20 ms of the waveform where the artifact is
strongest, and parameters.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__, cli.Positional("FILE", "path"))

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contrastive_artifacts import artifacts, audio
from contrastive_artifacts.core import typed
from contrastive_artifacts.core.console import console, track
from contrastive_artifacts.data import corpora
from contrastive_artifacts.pages.sheet import SheetRow, write_sheet
from contrastive_artifacts.runs import corpus_sections


@dataclass(frozen=True)
class Settings:
    artifacts: Mapping[str, Any]
    path: str | None
    severities: list[float]
    seconds: float
    seed: int
    to: str


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    section = typed.settings(corpus_sections.ArtifactsSection, settings.artifacts, "artifacts")
    chosen = artifacts.states(section.states)[1:]
    names = [name for name in chosen if artifacts.artifact(name).fits(2)]
    waveform, rate, about = clip(settings.path, settings.seconds)
    rows = []
    for name in track(names, "render"):
        record = artifacts.artifact(name)
        clean = waveform if len(waveform) >= record.least_channels else widened(waveform, rate)
        views = [artifacts.render(name, clean, rate, severity, settings.seed) for severity in settings.severities]
        rows.append(SheetRow(record, clean, views))
    number = f"{len(rows)} of {len(artifacts.names())}"
    facts = {"clip": about, "rate": f"{rate} Hz", "artifacts": number, "seed": settings.seed}
    if left_out := sorted(set(chosen) - set(names)):
        facts["left out"] = f"{', '.join(left_out)} (no recorded rooms on this computer)"
    write_sheet(settings.to, rows, "Contact sheet of artifacts", facts)
    console.print(f"sheet    {settings.to} (open it in a browser)")


def clip(path: str | None, seconds: float) -> tuple[np.ndarray, int, str]:
    """The loudest ``seconds`` of a file, by default a built-in clip: float32 ``[C, T]``, sample rate, description."""
    if path is None:
        corpus = corpora.create("builtin", sources=36, seed=1, duration_s=max(2.0, seconds))
        speech = next(clip for clip in corpus.clips if clip.category == "speech")
        waveform, rate = corpus.load(speech)
        about = "speech of the built-in corpus"
    else:
        waveform, rate = audio.read(path)
        about = Path(path).name
    length = min(waveform.shape[1], round(seconds * rate))
    power = np.cumsum(np.square(waveform, dtype=np.float64).sum(axis=0))
    start = int(np.argmax(power[length - 1 :] - np.append(0, power[:-length])))
    return np.ascontiguousarray(waveform[:, start : start + length]), rate, about


def widened(waveform: np.ndarray, rate: int) -> np.ndarray:
    """Two channels from one: the second is delayed by 9 ms and low-passed, as from a second microphone."""
    late = np.roll(waveform[0], round(0.009 * rate))
    return np.stack([waveform[0], 0.5 * (late + np.roll(late, 1))]).astype(np.float32)
