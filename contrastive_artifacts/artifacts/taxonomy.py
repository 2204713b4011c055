"""Names of artifacts in other vocabularies: AVAA (A/V Artifact Atlas), EBU QC, ML (MovieLabs), and common terms.

Also: which artifacts can be detected in one channel of a recording when no clean reference exists.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from ..core.errors import UnknownNameError
from .catalog import ARTIFACTS
from .presets import states

VOCABULARIES = ("AVAA", "EBU", "ML")

_BALANCE = "recordings differ in tonal balance by as much"
_BETWEEN_CHANNELS = "a fault between channels, which one channel does not show"
NEEDS_REFERENCE: dict[str, str] = {  # artifact -> why one channel without a clean reference does not show it
    "speed_error": "most renderings have a constant speed, which sounds like another voice, key or tempo",
    **dict.fromkeys(("polarity", "channel_loss", "false_stereo", "azimuth", "mono_sum"), _BETWEEN_CHANNELS),
    "volume": "only the level changes, and the level of a recording is arbitrary",
    "punch": "reduced transients sound like softer playing",
    "eq_curve": _BALANCE,
    "eq_microphone": _BALANCE,
    "eq_bright": _BALANCE,
    "eq_dark": _BALANCE,
    "eq_airy": _BALANCE,
    "eq_boom": _BALANCE,
    "eq_mud": _BALANCE,
    "eq_warm": _BALANCE,
    "eq_vocal": _BALANCE,
}
MAY_BRING: dict[str, tuple[str, ...]] = {"codec": ("bandlimit",)}
"""Artifact -> others that it may bring along: low bit rates narrow the band, and what remains sounds the same."""


def catalog_places(labels: Iterable[str]) -> dict[str, int]:
    """The place of each artifact in the catalog, which decides its colour and mark on every page.

    Names that are no artifacts are left out.
    """
    order = {name: place for place, name in enumerate(ARTIFACTS.names())}
    return {label: order[label] for label in sorted(set(labels)) if label in order}


def detectable(which: str | Sequence[str] = "all") -> tuple[str, ...]:
    """The artifacts of a preset, or of a list, that one channel shows without a clean reference, in their order.

    >>> detectable(["hum", "polarity", "volume", "codec"]), len(detectable("all")), len(detectable("sonicmaster"))
    (('hum', 'codec'), 30, 7)

    Raises:
        UnknownNameError: no such preset or artifact; the message lists close matches.
        ParameterError: the list names no artifact, or one of them twice.
    """
    return tuple(name for name in states(which)[1:] if name not in NEEDS_REFERENCE)


def synonyms(name: str) -> tuple[str, ...]:
    """Other names of the artifact ``name``.

    Raises:
        UnknownNameError: there is no such artifact; the message lists close matches.
    """
    return ARTIFACTS[name].synonyms


def find(term: str) -> str:
    """The artifact that has ``term`` among its names; case, punctuation and a leading vocabulary are ignored.

    >>> find("AC beat"), find("Clicks and Pops"), find("avaa hum and buzz")
    ('hum', 'clicks', 'hum')

    Raises:
        UnknownNameError: no artifact has this name; the message lists close matches.
    """
    names = {_plain(text): name for name in ARTIFACTS for text in (*ARTIFACTS[name].synonyms, name)}
    plain = _plain(term)
    if plain in names:
        return names[plain]
    close = difflib.get_close_matches(plain, names, n=3, cutoff=0.5)
    hint = "Did you mean " + " or ".join(f"{text} ({names[text]})" for text in close) + "?" if close else ""
    raise UnknownNameError(f"No artifact is called {term!r}. {hint or 'Artifacts: ' + ', '.join(ARTIFACTS) + '.'}")


def _plain(term: str) -> str:
    """Lower-case words without punctuation and without the name of a vocabulary in front."""
    words = re.sub(r"[^a-z0-9]+", " ", str(term).lower().replace("&", " and ")).split()
    return " ".join(words[1:] if len(words) > 1 and words[0].upper() in VOCABULARIES else words)
