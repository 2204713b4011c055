"""The command line: ``contrastive-artifacts VERB`` and ``python scripts/VERB.py``; nothing else imports hydra."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from .. import __version__
from ..core.ending import instructive
from ..core.errors import ParameterError
from ..core.suggestions import clause
from . import command
from .command import load as load
from .command import run as run
from .help import summary
from .words import Positional as Positional

_PACKAGE = Path(__file__).parents[1]


def verbs() -> dict[str, Path]:
    """Verb -> its script: those in the wheel, or those beside the package in a checkout."""
    bundled = _PACKAGE / "_app"
    root = bundled if bundled.is_dir() else _PACKAGE.parent
    return {path.stem: path for folder in ("scripts", "analysis") for path in sorted((root / folder).glob("*.py"))}


def main() -> None:
    """The console command."""
    scripts = verbs()
    verb = sys.argv[1] if len(sys.argv) > 1 else "--help"
    with instructive("Nothing was written."):
        if verb in ("-h", "--help", "help"):
            print(_usage(scripts))
        elif verb in ("-V", "--version"):
            print(f"contrastive-artifacts {__version__}")
        elif verb == "completion":
            print(_completion(sys.argv[2:], scripts))
        elif verb not in scripts:
            raise ParameterError(f"There is no verb {verb!r}{clause(verb, scripts)} Verbs: {', '.join(scripts)}.")
        else:
            command.called_as = f"contrastive-artifacts {verb}"
            sys.argv = [sys.argv[0], *sys.argv[2:]]
            runpy.run_path(str(scripts[verb]), run_name="__main__")


def _completion(words: list[str], scripts: dict[str, Path]) -> str:
    from .completion import SHELLS, completion

    if len(words) != 1 or words[0] not in SHELLS:
        raise ParameterError(f"completion takes the name of a shell: {' or '.join(SHELLS)}.")
    return completion(words[0], scripts)


def _usage(scripts: dict[str, Path]) -> str:
    width = max(map(len, scripts)) + 2
    lines = ["usage: contrastive-artifacts VERB [setting=value ...]", ""]
    for folder, title in (("scripts", "Verbs:"), ("analysis", "Analyses:")):
        lines.append(title)
        lines += [f"  {verb:{width}}{summary(path)}" for verb, path in scripts.items() if path.parent.name == folder]
        lines.append("")
    lines += [
        "contrastive-artifacts VERB --help shows the settings of a verb.",
        'eval "$(contrastive-artifacts completion bash)" (or zsh) completes verbs and settings.',
        "contrastive-artifacts --version",
    ]
    return "\n".join(lines)
