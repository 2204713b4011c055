"""Generators of clean sounds: functions ``(rng, samples, rate) -> float32 [samples]``, without room, of any level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ....core.errors import ParameterError
from ....core.registry import Registry
from . import animals, environment, instruments, machines, percussion, scenes, struck, voices
from .capture import record as record

Synthesiser = Callable[[np.random.Generator, int, int], np.ndarray]

# Increase with every change of the samples for any seed: it is part of the fingerprint of the built-in corpus.
GENERATOR_VERSION = 1

KINDS: Registry[Synthesiser] = Registry("kind of built-in sound")
for _name, _function in {
    "speech": voices.speech,
    "whisper": voices.whisper,
    "singing": voices.singing,
    "dialogue": scenes.dialogue,
    "babble": scenes.babble,
    "guitar": struck.guitar,
    "piano": struck.piano,
    "marimba": struck.marimba,
    "bells": struck.bells,
    "bowed": instruments.bowed,
    "flute": instruments.flute,
    "brass": instruments.brass,
    "organ": instruments.organ,
    "synth_pad": instruments.synth_pad,
    "bass": instruments.bass,
    "drums": percussion.drums,
    "knocks": percussion.knocks,
    "footsteps": percussion.footsteps,
    "typing": percussion.typing,
    "clock": percussion.clock_ticks,
    "applause": percussion.applause,
    "rain": environment.rain,
    "wind": environment.wind,
    "waves": environment.waves,
    "stream": environment.stream,
    "fire": environment.fire,
    "birds": animals.birds,
    "insects": animals.insects,
    "dog": animals.dog,
    "engine": machines.engine,
    "propeller": machines.propeller,
    "machinery": machines.machinery,
    "siren": machines.siren,
    "alarm": machines.alarm,
    "speech_over_music": scenes.speech_over_music,
    "ambience": scenes.ambience,
}.items():
    KINDS.register(_name, _function)

# Kinds that can be mixed in as a quiet background: without a rhythm or pitch that competes with the main sound.
_BEDS = ("wind", "stream", "waves", "babble", "engine", "birds", "synth_pad")

# Shortest sound that is generated; a shorter clip is cut from it around its loudest sample.
_LEAST_S = 2


def synthesise(kind: str, rng: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Synthesises one clean recording of ``kind``: float32 ``[samples]``, peak between -20 and -1 dBFS.

    On average one in eight has another kind mixed in, 12 to 28 dB below. Equal states of ``rng`` give equal samples.

    Raises:
        UnknownNameError: no such kind.
        ParameterError: a sample rate below 4 kHz or less than 50 ms of sound.
    """
    if rate < 4000 or samples < 0.05 * rate:
        raise ParameterError(f"{samples} samples at {rate} Hz: ask for at least 50 ms and 4000 Hz.")
    dry = _excerpt(rng, KINDS[kind](rng, max(samples, _LEAST_S * rate), rate), samples)
    dry = dry / np.float32(np.sqrt(np.mean(np.square(dry, dtype=np.float64))) + 1e-9)
    if rng.random() < 0.125:
        bed = KINDS[_BEDS[rng.integers(len(_BEDS))]](rng, samples, rate)
        under = 10 ** (rng.uniform(-28, -12) / 20)
        dry = dry + bed * np.float32(under / (np.sqrt(np.mean(np.square(bed, dtype=np.float64))) + 1e-9))
    return record(rng, dry, rate)


def _excerpt(rng: np.random.Generator, wave: np.ndarray, samples: int) -> np.ndarray:
    if wave.size == samples:
        return wave
    start = int(np.argmax(np.abs(wave))) - int(rng.uniform(0.1, 0.9) * samples)
    start = min(max(start, 0), wave.size - samples)
    return wave[start : start + samples]
