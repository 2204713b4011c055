"""The files under ``configs/`` as the command line needs them: names, defaults and comments of all settings.

Composing a configuration is hydra's work. What is read here is what hydra does not know: the comment beside each
setting, for ``--help``, and which names there are, for the suggestions in messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_PACKAGE = "# @package _global_"


class Setting(NamedTuple):
    """One setting: ``default`` as it is written in the file, ``value`` what it means; a section has a mapping."""

    default: str
    value: Any
    comment: str


@dataclass
class Composition:
    """The settings of a command under some choice of groups.

    Args:
        settings: Dotted name -> setting, sections included, in the order of the files.
        groups: Group -> the file chosen of it, ``None`` for none.
        about: Group -> the comment at the top of the chosen file.
    """

    folder: Path
    settings: dict[str, Setting] = field(default_factory=dict)
    groups: dict[str, str | None] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)

    def options(self, group: str) -> list[str]:
        """The files of a group."""
        return sorted(path.stem for path in (self.folder / group).glob("*.yaml"))

    def section(self, name: str) -> list[str]:
        """Names of the settings right under a section; under the top level for an empty name."""
        prefix = f"{name}." if name else ""
        inside = [key.removeprefix(prefix) for key in self.settings if key.startswith(prefix)]
        names = [*(self.groups if not name else ()), *(key for key in inside if "." not in key)]
        return list(dict.fromkeys(names))


class _File(NamedTuple):
    about: str
    is_global: bool
    defaults: list[Any]
    settings: dict[str, Setting]


def compose(folder: Path, name: str, choices: Mapping[str, str] | None = None) -> Composition:
    """The settings of ``configs/NAME.yaml`` with its groups, each as ``choices`` or the file says."""
    composition = Composition(folder)
    composition.groups = {**_groups(folder, name), **(choices or {})}
    _add(composition, name, "", "")
    return composition


def _groups(folder: Path, name: str) -> dict[str, str | None]:
    groups: dict[str, str | None] = {}
    for entry in _read(folder / f"{name}.yaml").defaults:
        if isinstance(entry, str) and entry != "_self_":
            groups |= _groups(folder, entry)
        elif isinstance(entry, dict):
            for group, option in entry.items():
                groups[group.removeprefix("override ")] = option
    return {group: option for group, option in groups.items() if not group.startswith("hydra/")}


def _add(composition: Composition, name: str, group: str, package: str) -> None:
    """Adds the settings of a file, those of its defaults list before its own; ``package`` is where they belong."""
    file = _read(composition.folder / group / f"{name}.yaml")
    package = "" if file.is_global else package
    own = list(file.defaults) if "_self_" in file.defaults else [*file.defaults, "_self_"]
    for entry in own:
        if entry == "_self_":
            _merge(composition.settings, file.settings, package)
        elif isinstance(entry, str):
            other, _, target = entry.partition("@")
            _add(composition, other, group, target.removeprefix("_global_").lstrip(".") if target else package)
        else:
            for other in entry:
                option = composition.groups.get(other)
                if option is not None and (composition.folder / other / f"{option}.yaml").is_file():
                    composition.about[other] = _read(composition.folder / other / f"{option}.yaml").about
                    _add(composition, option, other, other)


def _merge(settings: dict[str, Setting], more: Mapping[str, Setting], package: str) -> None:
    for name, setting in more.items():
        key = f"{package}.{name}" if package else name
        before = settings.get(key)
        settings[key] = setting if setting.comment or before is None else setting._replace(comment=before.comment)
    if package and package not in settings:
        settings[package] = Setting("", {}, "")


def _read(path: Path) -> _File:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    settings = dict(_leaves(node, text, lines, "")) if node is not None else {}
    defaults = settings.pop("defaults", Setting("", [], "")).value
    top = [line for line in _comment_block(lines, 0) if line != _PACKAGE]
    return _File(
        _joined(top), _PACKAGE in lines[:1], defaults, {k: s for k, s in settings.items() if k.split(".")[0] != "hydra"}
    )


def _leaves(node: yaml.MappingNode, text: str, lines: list[str], prefix: str) -> Iterator[tuple[str, Setting]]:
    for key, value in node.value:
        name = prefix + key.value
        section = isinstance(value, yaml.MappingNode)
        row = key.start_mark.line if section and not value.flow_style else value.end_mark.line
        column = key.end_mark.column if row != value.end_mark.line or section else value.end_mark.column
        beside = lines[row][column:].partition(" #")[2].strip() if row < len(lines) else ""
        inline = node.flow_style  # the comment beside {a: 1, b: 2} is that of the section
        above = [] if inline else list(reversed(list(_comments_above(lines, key.start_mark.line))))
        comment = " ".join(filter(None, [_joined(above), "" if inline else beside]))
        if name == "defaults":
            yield name, Setting("", _value(value), "")
            continue
        written = text[value.start_mark.index : value.end_mark.index]
        if "\n" in written:
            written = yaml.safe_dump(_value(value), default_flow_style=True, width=1000).strip()
        yield name, Setting("", {}, comment) if section else Setting(written, _value(value), comment)
        if section:
            yield from _leaves(value, text, lines, f"{name}.")


def _value(node: yaml.Node) -> Any:
    return yaml.SafeLoader("").construct_object(node, deep=True)


def _comments_above(lines: list[str], row: int) -> Iterator[str]:
    """The comment lines right above a row, from below; not those at the top of the file, which describe the file."""
    top = len(list(_comment_block(lines, 0)))
    while row > top and lines[row - 1].lstrip().startswith("#"):
        row -= 1
        yield lines[row]


def _comment_block(lines: list[str], row: int) -> Iterator[str]:
    while row < len(lines) and lines[row].startswith("#"):
        yield lines[row]
        row += 1


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip().removeprefix("#").strip() for line in lines)
