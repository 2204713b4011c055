"""Media with random bytes changed, cut out or cut off: each is read, or refused by name; no process ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from contrastive_artifacts import audio
from contrastive_artifacts.core import pool
from contrastive_artifacts.core.errors import ArtifactsError
from contrastive_artifacts.core.seeding import generator

pytestmark = pytest.mark.campaign
FORMATS = ("wav", "flac", "mp3", "ogg", "aiff", "caf")
FILES = 500
RATE = 48000


def written(path: Path) -> None:
    """Three seconds of noise under a tone, mono."""
    time = np.arange(3 * RATE) / RATE
    samples = 0.3 * np.sin(2 * np.pi * 440 * time) + generator("mutated").normal(0, 0.05, time.size)
    soundfile.write(path, samples, RATE)


def mutated(content: bytes, number: int) -> bytes:
    """The content with up to 50 bytes changed, a part cut out, or its end cut off."""
    rng, data = generator("mutated", number), bytearray(content)
    kind, place = number % 3, int(rng.integers(len(content)))
    if kind == 0:
        for changed in rng.integers(len(data), size=rng.integers(1, 50)):
            data[changed] = int(rng.integers(256))
        return bytes(data)
    return bytes(data[:place]) if kind == 1 else bytes(data[:place] + data[place + int(rng.integers(1, 4096)) :])


def read(path: Path) -> str:
    """What became of a file."""
    try:
        samples, _ = audio.read(path)
    except ArtifactsError as error:
        return "refused" if path.name in str(error) else f"unnamed: {error}"
    return "read" if np.isfinite(samples).all() else "not finite"


def test_mutated_media_end_in_samples_or_a_named_error(tmp_path: Path) -> None:
    paths = []
    for number in range(FILES):
        suffix = FORMATS[number // 3 % len(FORMATS)]
        source = tmp_path / f"source.{suffix}"
        if not source.exists():
            written(source)
        paths.append(tmp_path / f"{number}.{suffix}")
        paths[-1].write_bytes(mutated(source.read_bytes(), number))
    outcomes = [outcome for _, outcome in pool.results(read, paths, 2, lambda path: 60.0)]
    counts = {str(outcome): outcomes.count(outcome) for outcome in set(outcomes)}
    print(counts)
    assert set(counts) <= {"read", "refused"}
    assert counts["read"] > FILES / 10
