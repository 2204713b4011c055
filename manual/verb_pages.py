"""The reference of verbs and settings, from the docstrings of scripts and the comments in configs/."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from contrastive_artifacts import cli
from contrastive_artifacts.cli.configs import Composition, Setting, compose
from contrastive_artifacts.cli.help import docstring, summary


def pages(configs: Path) -> dict[str, str]:
    """Path below docs/ -> page."""
    return {"reference/verbs.md": verbs_page(configs), "reference/settings.md": settings_page(configs)}


def verbs_page(configs: Path) -> str:
    """Every verb: what it does, examples, and its settings with defaults."""
    scripts = cli.verbs()
    parts = [
        "# Verbs",
        "`contrastive-artifacts VERB setting=value ...`, or in a checkout `python scripts/VERB.py setting=value ...`. "
        "Generated from `configs/` and the docstrings of the scripts; `VERB --help` prints the same. Groups are files "
        "of settings: [settings of groups](settings.md).",
        _table(("verb", "does"), ((f"[{verb}](#{verb})", summary(path)) for verb, path in scripts.items())),
    ]
    for verb, path in scripts.items():
        parts += [f"## {verb} {{#{verb}}}", _text(docstring(path)), _settings(compose(configs, verb))]
    return "\n\n".join(parts) + "\n"


def settings_page(configs: Path) -> str:
    """Every file of every group, with the settings that it gives to a verb which has the group."""
    parts = ["# Settings of groups", "`group=file` on the command line of a verb takes the settings of that file."]
    of_group = {group: verb for verb in cli.verbs() for group in compose(configs, verb).groups}
    for group, verb in sorted(of_group.items()):
        parts.append(f"## {group}")
        for option in compose(configs, verb).options(group):
            chosen = compose(configs, verb, {group: option})
            inside = [(name, setting) for name, setting in chosen.settings.items() if name.startswith(f"{group}.")]
            parts += [f"### {group}={option}", chosen.about.get(group, ""), _rows(inside)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _text(text: str) -> str:
    """A docstring as Markdown: its indented example calls are a block of their own already."""
    return text.replace("<", "&lt;") if "<" in text else text


def _settings(composition: Composition) -> str:
    ungrouped = [
        (name, s) for name, s in composition.settings.items() if name.partition(".")[0] not in composition.groups
    ]
    parts = [_rows(ungrouped)]
    for group, option in composition.groups.items():
        chosen = f"{group}={option or 'null'}"
        listed = ", ".join(f"`{name}`" for name in composition.options(group))
        parts.append(f"Group `{chosen}`, one of {listed}. {composition.about.get(group, '')}")
    return "\n\n".join(part for part in parts if part)


def _rows(settings: Iterable[tuple[str, Setting]]) -> str:
    rows = []
    for name, setting in settings:
        section = isinstance(setting.value, dict)
        if section and not setting.comment:
            continue
        default = "" if section else "required" if setting.default == "???" else f"`{setting.default}`"
        rows.append((f"`{name}`", default, setting.comment))
    return _table(("setting", "default", "what it is"), rows) if rows else ""


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in lines
    )
