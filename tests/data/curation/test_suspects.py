"""Faults by measurement: what is clipped, hums or is band-limited is suspected of it, and nothing else of anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, sosfiltfilt

from contrastive_artifacts.data.corpora.builtin import builtin
from contrastive_artifacts.data.corpora.folder import folder
from contrastive_artifacts.data.curation import suspects
from contrastive_artifacts.data.curation.measures import measure

RATE = 44100


def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, 3 * RATE)


def below(hertz: float) -> np.ndarray:
    return sosfiltfilt(butter(20, hertz, fs=RATE, output="sos"), noise())


@pytest.mark.parametrize(
    ("sound", "expected"),
    [
        (noise(), ()),
        (below(16000), ()),  # as of a lossy file: no fault
        (below(8000), ("bandlimit",)),
        (below(4000), ("bandlimit",)),
        (noise().clip(-0.15, 0.15), ("clipping",)),
        (0.1 * np.sin(2 * np.pi * 50 * np.arange(3 * RATE) / RATE) + 0.01 * noise(), ("hum",)),
        (0.1 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE) + 0.01 * noise(), ()),  # a note
    ],
)
def test_what_a_sound_is_suspected_of(sound: np.ndarray, expected: tuple[str, ...]) -> None:
    assert suspects.suspected(measure(sound[None].astype(np.float32), RATE)) == expected


def test_clips_take_what_they_are_suspected_of_beside_what_was_known(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    for name, sound in {"dull": below(6000), "fine": noise()}.items():
        soundfile.write(tmp_path / "audio" / f"{name}.wav", sound, RATE, subtype="PCM_16")
    (tmp_path / "audio" / "damaged.wav").write_bytes(b"RIFF")
    table = tmp_path / "audio" / "list.csv"
    table.write_text("file,unknown\ndull.wav,codec\nfine.wav,codec\ndamaged.wav,hum\n")
    corpus = folder(tmp_path / "audio", csv="list.csv", columns={"unknown": "unknown"})
    clips = suspects.with_suspects(corpus, tmp_path / "measures")
    assert {clip.id: clip.unknown for clip in clips} == {
        "dull.wav": ("bandlimit", "codec"), "fine.wav": ("codec",), "damaged.wav": ("hum",)
    }  # fmt: skip
    before = (tmp_path / "measures" / "measures.jsonl").read_bytes()
    assert suspects.with_suspects(corpus, tmp_path / "measures") == clips
    assert (tmp_path / "measures" / "measures.jsonl").read_bytes() == before, "measured once"


def test_synthesised_clips_are_not_measured(tmp_path: Path) -> None:
    corpus = builtin(0, 3, 1.0, 16000)
    assert suspects.with_suspects(corpus, tmp_path / "none") == list(corpus.clips)
    assert not (tmp_path / "none").exists()
