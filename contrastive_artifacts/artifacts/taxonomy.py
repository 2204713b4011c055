"""Names of artifacts in other vocabularies: AVAA (A/V Artifact Atlas), EBU QC, ML (MovieLabs), and common terms."""

from __future__ import annotations

import difflib
import re

from ..core.errors import UnknownNameError
from .catalog import ARTIFACTS

VOCABULARIES = ("AVAA", "EBU", "ML")


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
