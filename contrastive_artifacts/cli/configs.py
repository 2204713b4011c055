"""The files under ``configs/`` as the command line needs them: names, defaults and comments of all settings.

Composing a configuration is hydra's work. What is read here is what hydra does not know: the comment beside each
setting, for ``--help``, and which names there are, for the suggestions in messages.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_GLOBAL = "# @package _global_"
_Pair = tuple[yaml.ScalarNode, yaml.Node]


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
        about: Group -> the comment beside it in the defaults list, and the one at the top of the chosen file.
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
    groups: dict[str, str]  # group -> the comment beside it in the defaults list
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
    for entry in file.defaults if "_self_" in file.defaults else [*file.defaults, "_self_"]:
        if entry == "_self_":
            _merge(composition.settings, file.settings, package)
        elif isinstance(entry, str):
            other, _, target = entry.partition("@")
            _add(composition, other, group, target.removeprefix("_global_").lstrip(".") if target else package)
        else:
            for other in entry:
                option = composition.groups.get(other)
                composition.about.setdefault(other, file.groups.get(other, ""))
                if option is not None and (composition.folder / other / f"{option}.yaml").is_file():
                    about = _read(composition.folder / other / f"{option}.yaml").about
                    composition.about[other] = " ".join(filter(None, [composition.about[other], about]))
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
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    nodes = {key.value: (key, value) for key, value in root.value}
    nodes.pop("hydra", None)
    _, entries = nodes.pop("defaults", (None, None))
    settings = dict(_leaves(nodes.values(), text, lines, ""))
    choices = [pair for entry in (entries.value if entries else ()) for pair in _pairs(entry)]
    groups = {key.value.removeprefix("override "): _comment(key, value, lines) for key, value in choices}
    top = [line for line in _comment_block(lines) if line != _GLOBAL]
    return _File(_joined(top), _GLOBAL in lines[:1], _value(entries) if entries else [], groups, settings)


def _pairs(node: yaml.Node) -> list[_Pair]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def _leaves(pairs: Iterable[_Pair], text: str, lines: list[str], prefix: str) -> Iterator[tuple[str, Setting]]:
    """Dotted name and setting of every pair, and of the pairs inside of it."""
    for key, value in pairs:
        name, comment = prefix + key.value, _comment(key, value, lines)
        if isinstance(value, yaml.MappingNode):
            yield name, Setting("", {}, comment)
            for inner, setting in _leaves(value.value, text, lines, f"{name}."):
                # the comment beside {a: 1, b: 2} is that of the section
                yield inner, setting._replace(comment="") if value.flow_style else setting
        else:
            written = text[value.start_mark.index : value.end_mark.index]
            if "\n" in written:
                written = yaml.safe_dump(_value(value), default_flow_style=True, sort_keys=False, width=1000).strip()
            yield name, Setting(written, _value(value), comment)


def _comment(key: yaml.Node, value: yaml.Node, lines: list[str]) -> str:
    """The comment lines above a setting and the comment beside it."""
    in_one_place = isinstance(value, yaml.ScalarNode) or value.flow_style
    mark = value.end_mark if in_one_place else key.end_mark
    beside = lines[mark.line][mark.column :].partition(" #")[2].strip()
    row = key.start_mark.line
    above: list[str] = []
    while row > len(_comment_block(lines)) and lines[row - 1].lstrip().startswith("#"):
        row -= 1
        above.insert(0, lines[row])
    return " ".join(filter(None, [_joined(above), beside]))


def _value(node: yaml.Node) -> Any:
    return yaml.SafeLoader("").construct_object(node, deep=True)


def _comment_block(lines: list[str]) -> list[str]:
    """The comment lines at the top of a file, which are about the file."""
    return list(itertools.takewhile(lambda line: line.startswith("#"), lines))


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip().removeprefix("#").strip() for line in lines)
