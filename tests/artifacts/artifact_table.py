"""One row per artifact: a name in another vocabulary, and a measure that must grow with severity."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import signal

Measure = Callable[[np.ndarray, np.ndarray, int], float]  # clean [C, T], damaged [C, T], sample rate -> more is worse


class Row(NamedTuple):
    term: str
    measure: Measure


def error(clean: np.ndarray, damaged: np.ndarray, rate: int) -> float:
    """Mean square of the difference."""
    return float(np.square(damaged.astype(np.float64) - clean).mean())


def lost_highs(clean: np.ndarray, damaged: np.ndarray, rate: int) -> float:
    """Loss of level above 3 kHz, in dB."""
    sections = signal.butter(4, 3000, "highpass", fs=rate, output="sos")
    before, after = (np.square(signal.sosfilt(sections, wave)).mean() for wave in (clean, damaged))
    return float(10 * np.log10(before / after))


def blurred(clean: np.ndarray, damaged: np.ndarray, rate: int) -> float:
    """Log-spectral distance in dB over frames of 23 ms: loss and gain of energy, without the phase."""
    floor = 1e-5 * float(np.square(clean).mean())
    before, after = (
        10 * np.log10(signal.spectrogram(wave[0], rate, nperseg=1024, detrend=False, scaling="spectrum")[2] + floor)
        for wave in (clean, damaged)
    )
    return float(np.abs(before - after).mean())


def wandering(clean: np.ndarray, damaged: np.ndarray, rate: int) -> float:
    """Largest plus mean lag in samples between blocks of 20 ms of the two, by cross-correlation."""
    size, reach = rate // 50, rate // 100
    lags = []
    for start in range(reach, clean.shape[1] - size - reach, 4 * size):
        block = clean[0, start - reach : start + size + reach]
        if np.square(block).mean() > 1e-5:
            fit = signal.correlate(block, damaged[0, start : start + size], mode="valid", method="fft")
            energy = np.convolve(np.square(block), np.ones(size), mode="valid")
            lags.append(abs(int(np.argmax(fit / np.sqrt(energy + 1e-9))) - reach))
    return float(np.max(lags) + np.mean(lags))


def moved(clean: np.ndarray, damaged: np.ndarray, rate: int) -> float:
    """By how many samples the last block of 40 ms that can be matched is earlier than in the clean clip."""
    size, reach = rate // 25, clean.shape[1] // 8
    for start in range(clean.shape[1] - size - reach, 0, -size):
        block, around = damaged[0, start : start + size], clean[0, start : start + size + reach]
        if np.square(block).mean() > 1e-5:
            energy = np.convolve(np.square(around), np.ones(size), mode="valid")
            like = signal.correlate(around, block, mode="valid", method="fft") / np.sqrt(energy + 1e-9)
            if like.max() > 0.99 * np.sqrt(np.square(block).sum()):
                return float(np.argmax(like))
    return 0.0


def changed(clean: np.ndarray, damaged: np.ndarray, rate: int) -> float:
    """Share of changed samples."""
    return float((clean != damaged).mean())


def off_speed(clean: np.ndarray, damaged: np.ndarray, rate: int) -> float:
    """Largest lag in ms between the envelopes of the two over 0.5 s, of those that match within 0.25 s."""
    hop = rate // 1000
    blocks = (wave[0, : wave.shape[1] // hop * hop].reshape(-1, hop) for wave in (clean, damaged))
    before, after = (np.sqrt(np.square(block).mean(axis=1)) for block in blocks)
    lags = []
    for start in range(250, len(before) - 750, 100):
        around, block = before[start - 250 : start + 750], after[start : start + 500]
        energy = np.convolve(np.square(around), np.ones(500), mode="valid")
        like = signal.correlate(around, block, mode="valid") / np.sqrt(energy * np.square(block).sum() + 1e-9)
        if like.max() > 0.8:
            lags.append(abs(int(np.argmax(like)) - 250))
    return float(np.max(lags))


def turned_down(clean: np.ndarray, damaged: np.ndarray, rate: int) -> float:
    """Mean loss of level in dB over blocks of 20 ms that are not silent."""
    size = rate // 50
    before, after = (
        np.square(wave[0, : wave.shape[1] // size * size]).reshape(-1, size).mean(axis=1) for wave in (clean, damaged)
    )
    sounding = before > 1e-4 * before.max()
    return float(10 * np.log10(before[sounding] / after[sounding]).mean())


ROWS: dict[str, Row] = {
    "hiss": Row("AVAA Analog Noise", error),
    "hum": Row("AC beat", error),
    "rumble": Row("turntable rumble", error),
    "interference": Row("AVAA EMI", error),
    "whistle": Row("AVAA Pilot Tone", error),
    "clicks": Row("Clicks and Pops", error),
    "crackle": Row("ML crackle", error),
    "thump": Row("ML bump", error),
    "periodic_clicks": Row("record scratch", error),
    "clipping": Row("overs", error),
    "dropout": Row("Digital Audio Dropout", error),
    "tape_dropout": Row("Audio Dropout", error),
    "skip": Row("Interstitial Error", moved),
    "stutter": Row("buffer repeat", error),
    "splice": Row("bad splice", error),
    "packet_loss": Row("frame erasure", changed),
    "wow_flutter": Row("AVAA Wow & Flutter", wandering),
    "codec": Row("lossy coding", blurred),
    "bandlimit": Row("Muffled Sound", lost_highs),
    "reverb": Row("late reflections", error),
    "saturation": Row("AVAA Analog Distortion", error),
    "crossover": Row("class-B distortion", error),
    "quantization": Row("bit crush", error),
    "aliasing": Row("foldover", error),
    "pumping": Row("over-compression", error),
    "gain_step": Row("ML level shift", error),
    "polarity": Row("inverted channel", error),
    "channel_loss": Row("AVAA channel errors", error),
    "false_stereo": Row("duplicated channel", error),
    "speed_error": Row("AVAA Incorrect Speed", off_speed),
    "comb": Row("AVAA Audio Phase Error", error),
    "azimuth": Row("azimuth error", error),
    "echo": Row("slapback", error),
    "print_through": Row("AVAA Print-through", error),
    "noise_reduction": Row("AVAA NR mismatch", error),
    "eq_curve": Row("uneven frequency response", blurred),
    "eq_microphone": Row("microphone response", blurred),
    "eq_bright": Row("lack of brightness", blurred),
    "eq_dark": Row("too bright", blurred),
    "eq_airy": Row("lack of air", blurred),
    "eq_boom": Row("lack of bass", error),
    "eq_clarity": Row("lack of clarity", blurred),
    "eq_mud": Row("muddy", error),
    "eq_warm": Row("lack of warmth", blurred),
    "eq_vocal": Row("buried vocals", blurred),
    "room_small": Row("small room", error),
    "room_big": Row("hall", error),
    "room_mixed": Row("mixed walls", error),
    "room_recorded": Row("measured impulse response", error),
    "compression": Row("crushed dynamics", turned_down),
    "punch": Row("lack of punch", error),
    "overdrive": Row("overdriven", error),
    "volume": Row("too quiet", error),
    "mono_sum": Row("narrow stereo", error),
}
