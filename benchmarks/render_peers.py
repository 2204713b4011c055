"""Transforms of other packages for the same classes of artifacts, with the same parameter ranges and filter slopes.

Every row selects the draws of ours that do the same work as theirs: for coloured noise the coloured draws of hiss, for
mp3 one generation of mp3 at the same bit rate. If the work still differs, ``differs`` says how.
"""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.kinds.reverb import reverberation
from contrastive_artifacts.core import seeding
from contrastive_artifacts.core import torchaudio as _torchaudio

SEVERITIES = tuple(i / 10 for i in range(11))
MP3_KBPS = (8, 16, 24, 32, 40, 48, 56, 64)
Render = Callable[[int], object]  # argument: number of the round


@dataclass(frozen=True)
class Shared:
    """A class that both packages have: which of our draws to use, how theirs is created, and how the work differs."""

    artifact: str
    transform: str
    make: Callable[[Any], Any]  # their module -> one transform, or a list of transforms that alternate
    like: Callable[[dict], bool] = lambda params: True
    severities: tuple[float, ...] = SEVERITIES
    differs: str = ""


def write_responses(folder: Path, rate: int) -> None:
    """Wave files of our reverberation at all severities, so that both convolve with equally long responses."""
    for severity in SEVERITIES:
        response = reverberation(rate, artifacts.artifact("reverb").sample(severity, seeding.generator(3)))
        response[0] = 1.0
        soundfile.write(folder / f"response{severity:.1f}.wav", 0.1 * response, rate, subtype="FLOAT")


def audiomentations_rows(responses: Path) -> tuple[Shared, ...]:
    return (
        Shared("hiss", "AddGaussianSNR", lambda am: am.AddGaussianSNR(5, 40, p=1.0),
               lambda p: p["slope_db"] == 0 and p["lift_db"] == 0 and p["swell"] == 0),
        Shared("hiss", "AddColorNoise", lambda am: am.AddColorNoise(5, 40, -6, 6, p=1.0),
               lambda p: p["slope_db"] != 0 and p["swell"] == 0),
        Shared("clipping", "ClippingDistortion", lambda am: am.ClippingDistortion(0, 20, p=1.0),
               lambda p: p["knee"] == 0 and p["skew"] == 0 and p["oversampling"] == 1),
        Shared("dropout", "TimeMask", lambda am: am.TimeMask(0.005, 0.15, p=1.0), differs="ours many gaps, theirs one"),
        Shared("codec", "Mp3Compression", lambda am: [am.Mp3Compression(k, k, p=1.0) for k in MP3_KBPS],
               lambda p: p["codec"] == "mp3" and p["generations"] == 1 and p["band"] == "falling",
               tuple(math.log(64 / k) / math.log(8) for k in MP3_KBPS)),
        Shared("bandlimit", "LowPassFilter", lambda am: am.LowPassFilter(3400, 8000, 48, 96, p=1.0),
               lambda p: p["highpass_hz"] == 0 and p["academy"] == 0),
        Shared("eq_clarity", "LowPassFilter", lambda am: am.LowPassFilter(4000, 4000, 18, 30, p=1.0)),
        Shared("eq_curve", "SevenBandParametricEQ", lambda am: am.SevenBandParametricEQ(-6, 6, p=1.0),
               differs="ours 8-12 bands, theirs 7"),
        Shared("eq_bright", "HighShelfFilter", lambda am: am.HighShelfFilter(6000, 6000, -15, -6, p=1.0)),
        Shared("eq_airy", "HighShelfFilter", lambda am: am.HighShelfFilter(10000, 10000, -20, -10, p=1.0)),
        Shared("eq_boom", "LowShelfFilter", lambda am: am.LowShelfFilter(120, 120, -20, -10, p=1.0)),
        Shared("eq_warm", "LowShelfFilter", lambda am: am.LowShelfFilter(400, 400, -20, -6, p=1.0)),
        Shared("eq_mud", "PeakingFilter", lambda am: am.PeakingFilter(200, 500, 6, 15, 1.0, 1.0, p=1.0)),
        Shared("quantization", "BitCrush", lambda am: am.BitCrush(4, 12, p=1.0), lambda p: p["dither"] == "none"),
        Shared("aliasing", "Aliasing", lambda am: am.Aliasing(5000, 16000, p=1.0), lambda p: p["images"] == "linear"),
        Shared("saturation", "TanhDistortion", lambda am: am.TanhDistortion(p=1.0), lambda p: p["bias"] == 0,
               differs="ours at twice the rate, against aliasing"),
        Shared("reverb", "ApplyImpulseResponse", lambda am: am.ApplyImpulseResponse(responses, p=1.0),
               differs="ours makes the response, theirs reads it from memory"),
        Shared("room_recorded", "ApplyImpulseResponse", lambda am: am.ApplyImpulseResponse(responses, p=1.0)),
        Shared("room_small", "RoomSimulator", lambda am: am.RoomSimulator(
            min_size_x=3, max_size_x=7, min_size_y=3, max_size_y=7, min_size_z=2.4, max_size_z=4,
            min_absorption_value=0.05, max_absorption_value=0.3, p=1.0)),
        Shared("gain_step", "GainTransition", lambda am: am.GainTransition(-15, 15, 0.001, 2.0, p=1.0)),
        Shared("stutter", "RepeatPart", lambda am: am.RepeatPart(
            2, 10, 0.005, 0.12, mode="replace", crossfade_duration=0.0, p=1.0)),
        Shared("polarity", "PolarityInversion", lambda am: am.PolarityInversion(p=1.0),
               differs="ours one channel, above a frequency; theirs the sign of all"),
        Shared("volume", "Gain", lambda am: am.Gain(-60, -26, p=1.0)),
    )  # fmt: skip


def torch_audiomentations_rows(responses: Path) -> tuple[Shared, ...]:
    kind = {"p": 1.0, "output_type": "dict"}
    return (
        Shared("hiss", "AddColoredNoise", lambda ta: ta.AddColoredNoise(5, 40, -2, 2, **kind),
               lambda p: p["slope_db"] != 0 and p["swell"] == 0, differs="theirs repeats one second of noise"),
        Shared("bandlimit", "LowPassFilter", lambda ta: ta.LowPassFilter(3400, 8000, **kind),
               lambda p: p["highpass_hz"] == 0 and p["academy"] == 0, differs="theirs a windowed sinc of 8 zeros"),
        Shared("reverb", "ApplyImpulseResponse", lambda ta: ta.ApplyImpulseResponse(responses, **kind),
               differs="ours makes the response, theirs reads it from a file"),
        Shared("polarity", "PolarityInversion", lambda ta: ta.PolarityInversion(**kind),
               differs="ours one channel, above a frequency; theirs the sign of all"),
        Shared("volume", "Gain", lambda ta: ta.Gain(-60, -26, **kind)),
    )  # fmt: skip


def ours(row: Shared, wave: np.ndarray, rate: int) -> Render:
    """Renders with the seeds whose draws match theirs; draws and checks are included in the time."""
    record, seeds = artifacts.artifact(row.artifact), []
    candidate = 0
    while len(seeds) < 12:
        drawn = record.sample(0.5, seeding.generator(candidate, "artifact", row.artifact))
        if row.like(drawn):
            seeds.append(candidate)
        candidate += 1
    severities = row.severities
    return lambda turn: artifacts.render(
        row.artifact, wave, rate, severities[turn % len(severities)], seeds[turn % len(seeds)]
    )


def peers(wave: np.ndarray, wide: np.ndarray, rate: int, folder: Path) -> Iterator[tuple[str, Shared, Render]]:
    """Engine, row and renderer of every transform that can be imported and run; prints those that cannot."""
    for engine, rows, convert in (
        ("audiomentations", audiomentations_rows, np.asarray),
        ("torch_audiomentations", torch_audiomentations_rows, _batch),
    ):
        module = _import(engine)
        if module is None:
            continue
        for row in rows(folder):
            channels = artifacts.artifact(row.artifact).least_channels
            samples = convert(wave if channels == 1 else wide)
            try:
                with _quiet():
                    created = row.make(module)
                    transforms = created if isinstance(created, list) else [created]
                    for transform in transforms:
                        transform(samples, sample_rate=rate)
            except Exception as error:  # whatever one transform lacks, the others continue
                print(f"{engine} {row.transform} left out: {error}")
                continue
            yield engine, row, lambda turn, t=transforms, s=samples: t[turn % len(t)](s, sample_rate=rate)


def _import(engine: str) -> Any:
    try:
        _torchaudio.load()  # torch_audiomentations imports torchaudio, whose extension may not load
        return importlib.import_module(engine)
    except ImportError as error:
        print(f"{engine} is not compared: {error}")
        return None


def _batch(wave: np.ndarray) -> Any:
    torch.set_num_threads(1)
    return torch.from_numpy(np.atleast_2d(wave).copy())[None]


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides what a package prints if something is not installed; the error itself is printed once."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield
