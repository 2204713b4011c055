"""What ``--help`` prints: from the docstring of a script, its configuration file and the comments in it."""

from __future__ import annotations

import ast
import re
import shutil
import textwrap
from pathlib import Path

from .configs import Composition
from .words import Positional

_NAME_WIDTH = 30


def docstring(script: Path) -> str:
    """The docstring of a script, which is not run."""
    return ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""


def summary(script: Path) -> str:
    """What a script does, in one line."""
    return docstring(script).partition("\n")[0].rstrip(".")


def help_text(script: Path, program: str, composition: Composition, positional: Positional | None) -> str:
    """The help of a script.

    Args:
        script: Its docstring says what it does, with examples.
        program: How it is called: ``python scripts/scan.py`` or ``contrastive-artifacts scan``.
        composition: Its settings under the groups chosen on the command line.
        positional: What words without ``name=`` are.
    """
    width = max(60, min(120, shutil.get_terminal_size().columns))
    words = [positional.label + ("..." if positional.several else "")] if positional else []
    text = docstring(script)
    if not program.startswith("python "):
        text = re.sub(r"python (scripts|analysis)/(\w+)\.py", rf"{program.split()[0]} \2", text)
    parts = [" ".join(["usage:", program, *(f"[{word}]" for word in words), "[setting=value ...]"]), "", text, ""]
    if positional:
        parts += [f"{positional.label} is short for {positional.setting}={positional.label}.", ""]
    parts.append("Settings (setting=default):")
    parts += _rows(_own(composition), width)
    for group, option in composition.groups.items():
        rows = [(f"{group}={option or 'null'}", "one of: " + ", ".join(composition.options(group)))]
        parts += ["", *textwrap.wrap(f"{group}: {composition.about.get(group, '')}", width)]
        parts += _rows(rows + _inside(composition, group), width)
    if composition.groups:
        group = next(iter(composition.groups))
        parts += ["", f"{group}=NAME --help shows the settings of another {group}."]
    return "\n".join(parts)


def _own(composition: Composition) -> list[tuple[str, str]]:
    sections = {name for name, setting in composition.settings.items() if isinstance(setting.value, dict)}
    rows = []
    for name, (default, _, comment) in composition.settings.items():
        if name.partition(".")[0] in composition.groups or (name in sections and not comment):
            continue
        rows.append((f"{name}.*" if name in sections else _assigned(name, default), comment))
    return rows


def _inside(composition: Composition, group: str) -> list[tuple[str, str]]:
    settings = composition.settings.items()
    return [
        (_assigned(n, s.default), s.comment)
        for n, s in settings
        if n.startswith(f"{group}.") and not isinstance(s.value, dict)
    ]


def _assigned(name: str, default: str) -> str:
    return f"{name} (required)" if default == "???" else f"{name}={default}"


def _rows(rows: list[tuple[str, str]], width: int) -> list[str]:
    lines = []
    for name, comment in rows:
        wrapped = textwrap.wrap(comment, width - _NAME_WIDTH - 4) or [""]
        if len(name) > _NAME_WIDTH:
            lines.append(f"  {name}")
            lines += [f"  {'':{_NAME_WIDTH}}  {line}" for line in wrapped if line]
        else:
            lines.append(f"  {name:{_NAME_WIDTH}}  {wrapped[0]}".rstrip())
            lines += [f"  {'':{_NAME_WIDTH}}  {line}" for line in wrapped[1:]]
    return lines
