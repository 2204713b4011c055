"""Speaks a quality-control team's language: AVAA (A/V Artifact Atlas), EBU QC and ML (MovieLabs) names, and back."""

from __future__ import annotations

import difflib
import re

from ..core.errors import UnknownNameError
from .catalog import ARTIFACTS

VOCABULARIES = ("AVAA", "EBU", "ML")


def synonyms(name: str) -> tuple[str, ...]:
    """What the field calls the artifact ``name``.

    Raises:
        UnknownNameError: there is no such artifact; the message lists close matches.
    """
    return ARTIFACTS[name].synonyms


def find(term: str) -> str:
    """The name here of what somebody else calls ``term``; case, punctuation and the vocabulary do not matter.

    >>> find("AC beat"), find("Clicks and Pops"), find("avaa hum and buzz")
    ('hum', 'clicks', 'hum')

    Raises:
        UnknownNameError: no artifact goes by it; the message lists close matches.
    """
    known = {_plain(text): name for name in ARTIFACTS for text in (*ARTIFACTS[name].synonyms, name)}
    wanted = _plain(term)
    if wanted in known:
        return known[wanted]
    close = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    hint = "Did you mean " + " or ".join(f"{text} ({known[text]})" for text in close) + "?" if close else ""
    raise UnknownNameError(f"No artifact goes by {term!r}. {hint or 'Artifacts: ' + ', '.join(ARTIFACTS) + '.'}")


def _plain(term: str) -> str:
    words = re.sub(r"[^a-z0-9]+", " ", str(term).lower().replace("&", " and ")).split()
    return " ".join(words[1:] if len(words) > 1 and words[0].upper() in VOCABULARIES else words)
