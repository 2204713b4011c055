"""Names that may have been meant by one that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST = 3


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of ``known`` that ``name`` may be a misspelling or an abbreviation of, the closest first.

    Example:
        >>> close_names("stpes", ["steps", "clip"]), close_names("lr", ["lr_heads", "lr_top", "clip"])
        (['steps'], ['lr_heads', 'lr_top'])
    """
    known = list(known)
    similar = difflib.get_close_matches(name, known, n=_MOST, cutoff=0.5)
    longer = [other for other in known if name and other.startswith(name)]
    return list(dict.fromkeys([*longer, *similar]))[:_MOST]


def suggestion(name: str, known: Iterable[str]) -> str:
    """``"did you mean steps or stages"``, or an empty string where nothing is close."""
    close = close_names(name, known)
    listed = " or ".join([", ".join(close[:-1]), close[-1]] if len(close) > 1 else close)
    return f"did you mean {listed}" if close else ""


def clause(name: str, known: Iterable[str]) -> str:
    """The end of a statement that ``name`` is unknown: ``"; did you mean steps?"``, or ``"."``."""
    close = suggestion(name, known)
    return f"; {close}?" if close else "."


def question(name: str, known: Iterable[str]) -> str:
    """``"Did you mean steps?"`` as a sentence, or an empty string where nothing is close."""
    close = suggestion(name, known)
    return f"D{close[1:]}?" if close else ""
