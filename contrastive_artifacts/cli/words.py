"""The words of a command line as overrides for hydra: checked against the configuration, file names quoted.

In hydra's grammar ``path=film (1), reel=2.wav`` is no valid override. A setting that holds a path, a name or a label is
therefore taken as it is, whatever characters it has, and quoted before hydra reads it.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..core.errors import ParameterError
from ..core.suggestions import question
from ..core.typed import unknown_setting
from .configs import Composition, compose

# Settings whose value is taken as it is, where the default in the file is text, null or ???. Values in brackets or
# quotes are of hydra's grammar all the same, unless there is a file of that name.
TEXTS = frozenset(
    (
        *("path", "query", "unlike", "clean", "run", "to", "out", "index", "encoder", "csv", "clips", "page", "labels"),
        *("export", "label", "who", "fail_on", "start", "recording", "scan"),
        *("corpus.path", "corpus.csv", "corpus.file", "corpus.curation", "corpus.search"),
        *("backbone.id", "backbone.revision", "backbone.weights"),
    )
)
_FLAGS = {"-h", "--help", "--hydra-help", "--version", "--resolve", "-r", "--run", "-m", "--multirun"}
_FLAGS |= {"-sc", "--shell-completion", "-i", "--info"}
_FLAGS_WITH_VALUE = {"-c", "--cfg", "-p", "--package", "-cp", "--config-path", "-cn", "--config-name"}
_FLAGS_WITH_VALUE |= {"-cd", "--config-dir", "--experimental-rerun"}
_FOREIGN = {"-cp", "--config-path", "-cd", "--config-dir", "--experimental-rerun"}  # settings from elsewhere: unchecked
_QUOTED = r"'([^'\\]|\\.)*'" + r'|"([^"\\]|\\.)*"'
_IN_GRAMMAR = re.compile(rf"\[.*\]|\{{.*\}}|{_QUOTED}", re.DOTALL)  # a list, a mapping, quoted text
_OVERRIDE = re.compile(r"(?P<prefix>\+\+|\+|~)?(?P<key>[A-Za-z_][\w.@/:-]*)=(?P<value>.*)", re.DOTALL)


class Positional(NamedTuple):
    """What a word without ``name=`` is: the value of ``setting``, called ``label`` in the help."""

    label: str
    setting: str
    several: bool = False


class Command(NamedTuple):
    """A command line taken apart.

    Args:
        flags: hydra's own, ``--config-name`` among them.
        overrides: In hydra's grammar.
        composition: The settings under the groups that the command line chooses.
        help: Whether ``--help`` is among the flags.
    """

    flags: list[str]
    overrides: list[str]
    composition: Composition
    help: bool


def parse(words: Sequence[str], folder: Path, name: str, positional: Positional | None = None) -> Command:
    """Takes the words of a command line apart.

    Args:
        words: Without the program.
        folder: Of the configuration files.
        name: Of the configuration, unless ``--config-name`` gives another.
        positional: What words without ``name=`` are; ``None`` where there may be none.

    Raises:
        ParameterError: a setting, a choice of a group or a flag that does not exist; the message names close ones.
    """
    flags, rest, after_dashes = _flags(words)
    values = dict(itertools.pairwise(flags))
    name = (values.get("-cn") or values.get("--config-name") or name).removesuffix(".yaml")
    matches = [(word, _OVERRIDE.fullmatch(word)) for word in rest]
    ours = not _FOREIGN & set(flags)
    composition = _composed(folder, name, [match for _, match in matches if match]) if ours else compose(folder, "base")
    if {"-h", "--help"} & set(flags):  # for the groups on the command line; other words may be wrong
        return Command([], [], composition, True)
    sweeps = bool({"-m", "--multirun"} & set(flags))
    overrides, files = [], []
    for word, match in matches:
        exists = positional is not None and os.path.lexists(word)
        if match and (match["prefix"] or not ours or _known(match["key"], composition)):
            overrides.append(_override(match, composition, raw=not sweeps))
        elif match and not exists:
            raise _unknown_key(name, match["key"], composition)
        elif not ours or (word.startswith("~") and not exists):
            overrides.append(word)
        else:
            files.append(word)
    files += after_dashes
    if files and positional is None:
        known = ", ".join(composition.section(""))
        raise ParameterError(f"{files[0]!r}: {name} takes settings as name=value. It has: {known}.")
    if files and positional is not None:
        if any(match and match["key"] == positional.setting for _, match in matches):
            raise ParameterError(f"{files[0]!r}: {positional.setting}= is given already; give one of them.")
        overrides.append(_positional(files, positional))
    return Command(flags, overrides, composition, False)


def _composed(folder: Path, name: str, matches: Sequence[re.Match[str]]) -> Composition:
    """The settings of a configuration under the groups that the overrides choose."""
    if not (folder / f"{name}.yaml").is_file():
        raise unknown_setting("--config-name", name, sorted(path.stem for path in folder.glob("*.yaml")), "choice")
    choices = {match["key"]: match["value"] for match in matches if match["prefix"] != "~"}
    files = Composition(folder)
    return compose(folder, name, {key: value for key, value in choices.items() if value in files.options(key)})


def _flags(words: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """hydra's flags with their values, other words, and the words after ``--``."""
    flags: list[str] = []
    rest: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word == "--":
            return flags, rest, queue
        if word.partition("=")[0] in _FLAGS_WITH_VALUE:
            name, equals, value = word.partition("=")
            flags += [name, value if equals else queue.pop(0) if queue else ""]
        elif word in _FLAGS:
            flags.append(word)
        elif word.startswith("-") and len(word) > 1 and not os.path.lexists(word):
            names = [flag for flag in _FLAGS | _FLAGS_WITH_VALUE if flag.startswith("--")]
            problem = " ".join(filter(None, (f"There is no option {word!r}.", question(word, names))))
            raise ParameterError(f"{problem} A file whose name begins with a dash is given after --.")
        else:
            rest.append(word)
    return flags, rest, []


def quoted(text: str) -> str:
    """``text`` as a quoted string of hydra's grammar that neither hydra nor omegaconf interprets."""
    text = "./???" if text == "???" else text  # the one value that omegaconf takes for none at all
    text = re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + r"\${", text)  # no interpolation
    text = re.sub(r"(\\+)(?='|\Z)", lambda match: match[1] * 2, text)
    return "'" + text.replace("'", r"\'") + "'"


def _override(match: re.Match[str], composition: Composition, raw: bool) -> str:
    prefix, key, value = match["prefix"] or "", match["key"], match["value"]
    if key in composition.groups and value.startswith("[") and f"{key}.states" in composition.settings:
        return f"{prefix}{key}.states={value}"  # artifacts=[hum,clicks]: names instead of a file of the group
    if key in composition.groups:
        choices = composition.options(key)
        if not prefix and value not in choices and value != "null" and not re.search(r"[\[{,$]", value):
            raise unknown_setting(key, value, choices, "choice")
        return f"{prefix}{key}={value}"
    if raw and prefix != "~" and value and _is_text(key, value, composition):
        return f"{prefix}{key}={quoted(value)}"
    return f"{prefix}{key}={value}"


def _is_text(key: str, value: str, composition: Composition) -> bool:
    setting = composition.settings.get(key)
    holds_text = setting is None or (setting.value is None or isinstance(setting.value, str))
    in_grammar = _IN_GRAMMAR.fullmatch(value) and not os.path.lexists(value)
    return key in TEXTS and holds_text and value != "null" and not in_grammar


def _positional(files: Sequence[str], positional: Positional) -> str:
    if len(files) > 1 and not positional.several:
        raise ParameterError(f"{files[1]!r}: give one {positional.label}; {files[0]!r} is given already.")
    value = quoted(files[0]) if len(files) == 1 else f"[{','.join(map(quoted, files))}]"
    return f"{positional.setting}={value}"


def _known(key: str, composition: Composition) -> bool:
    group = key.partition("@")[0]
    return key in composition.settings or group in composition.groups or re.match(r"hydra[./]", key) is not None


def _unknown_key(name: str, key: str, composition: Composition) -> ParameterError:
    """The error for a setting that does not exist, by the innermost section that does."""
    section, _, last = key.rpartition(".")
    while section and section not in composition.settings and section not in composition.groups:
        section, _, last = section.rpartition(".")
    setting = composition.settings.get(section)
    if section and composition.groups.get(section, "") is None:
        listed = "|".join(composition.options(section))
        return ParameterError(f"There is no {section} to set {last!r} of; choose one: {section}={listed}.")
    if setting is not None and not isinstance(setting.value, dict):
        what = f"{section} is {setting.default}, which has no setting {last!r}"
        return ParameterError(f"{what}; give it as a whole: {section}=...")
    return unknown_setting(section or name, last, composition.section(section))
