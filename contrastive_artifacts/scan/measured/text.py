"""The facts of a whole recording as pages and terminals show them."""

from __future__ import annotations

from .meter import Measured
from .relations import MISSING, Relation

_LEAST_DC = 1e-3  # of full scale: -60 dBFS


def facts(measured: Measured) -> list[tuple[str, str]]:
    """(name, value with its unit) of each fact; channels count from 1."""
    band, mains = measured.bandwidth, measured.mains
    rows = [
        ("true peak", _number(measured.true_peak_dbtp, "dBTP")),
        ("sample peak", _number(measured.sample_peak_dbfs, "dBFS")),
        ("loudness", _number(measured.loudness_lufs, "LUFS")),
        ("loudness range", _number(measured.loudness_range_lu, "LU")),
        ("DC offset", _dc(measured.dc)),
        ("bandwidth", "none" if band is None else
         f"{band.edge_hz / 1000:.1f} of {band.nyquist_hz / 1000:.1f} kHz: {band.suggests}"),
        ("mains hum", "none" if mains is None else
         f"{mains.frequency_hz} Hz, {mains.level_dbfs:.1f} dBFS in channel {mains.channel + 1}, "
         f"{mains.prominence_db:.0f} dB above its surroundings"),
    ]  # fmt: skip
    return rows + [("channels", relation_text(relation)) for relation in measured.relations]


def relation_text(relation: Relation) -> str:
    """A relation in words.

    >>> relation_text(Relation("delayed", (0, 1), 1.0, 7.0, 145.8))
    'channel 2 is channel 1 delayed by 7 samples (145.8 us), 100 % of the time'
    """
    share = f"{100 * relation.share:.0f} % of the time"
    names = [str(channel + 1) for channel in relation.channels]
    if relation.kind == MISSING:
        return f"channel {names[0]} is missing, {share}"
    if relation.delay_samples is None:
        return f"channels {names[0]} and {names[1]} are {relation.kind}, {share}"
    first, second = names if relation.delay_samples > 0 else names[::-1]
    delay = f"{abs(relation.delay_samples):g} samples ({abs(relation.delay_us or 0.0):g} us)"
    return f"channel {second} is channel {first} {relation.kind} by {delay}, {share}"


def _number(value: float | None, unit: str) -> str:
    return "none" if value is None else f"{value:.1f} {unit}"


def _dc(offsets: tuple[float, ...]) -> str:
    if max(map(abs, offsets)) < _LEAST_DC:
        return "none"
    return ", ".join(f"{100 * offset:+.2f} %" for offset in offsets) + " of full scale"
