"""``contrastive-artifacts <verb> key=value ...``: the scripts, wherever the package is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent


def verbs() -> dict[str, Path]:
    """Scripts by verb: those in the wheel, or those beside the package in a checkout."""
    bundled = PACKAGE / "_app"
    root = bundled if bundled.is_dir() else PACKAGE.parent
    return {path.stem: path for folder in ("scripts", "analysis") for path in sorted((root / folder).glob("*.py"))}


def main() -> None:
    known = verbs()
    verb = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if verb in ("-h", "--help"):
        print("usage: contrastive-artifacts <verb> [--help] [key=value ...]\nverbs: " + ", ".join(known))
    elif verb not in known:
        sys.exit(f"contrastive-artifacts: there is no verb {verb!r}. Verbs: {', '.join(known)}.")
    else:
        os.execv(sys.executable, [sys.executable, str(known[verb]), *sys.argv[2:]])
