"""The Dockerfile and its document, as far as they can be checked without Docker."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from contrastive_artifacts import cli
from contrastive_artifacts.cli.words import Positional, parse

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
STEPS = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
COPIED = {word.rstrip("/") for step, rest in STEPS if step == "COPY" for word in rest.split()[:-1]}
COMMANDS = re.findall(
    r"^ +docker run .* contrastive-artifacts (\w+) (.*)$", (ROOT / "docs/docker.md").read_text(), re.M
)


def test_it_copies_what_the_wheel_is_made_of() -> None:
    build = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*build["packages"], *build["force-include"], PROJECT["project"]["readme"], "pyproject.toml"}
    assert needed | {*PROJECT["project"]["license-files"]} == COPIED
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}
    assert allowed == COPIED
    assert all((ROOT / name).exists() for name in COPIED)


def test_it_installs_the_versions_of_the_project() -> None:
    pinned = set(re.findall(r'"(torch[^"]*)"', DOCKERFILE))
    assert pinned == {text for text in PROJECT["project"]["dependencies"] if text.startswith("torch")}
    (extras,) = re.findall(r'"\.\[([\w,]+)\]"', DOCKERFILE)
    assert {*extras.split(",")} <= {*PROJECT["project"]["optional-dependencies"]}
    assert "requires-python" in PROJECT["project"]
    assert re.search(r"^FROM python:3\.1[1-9]-slim$", DOCKERFILE, re.M)


def test_it_runs_without_rights() -> None:
    names = [step for step, _ in STEPS]
    assert dict(STEPS)["USER"] not in ("root", "0")
    assert "RUN" not in names[names.index("USER") :], "nothing is installed by the user"
    assert dict(STEPS)["ENTRYPOINT"] == '["contrastive-artifacts"]'
    assert "contrastive-artifacts" in PROJECT["project"]["scripts"]


@pytest.mark.parametrize(("verb", "rest"), COMMANDS)
def test_its_commands_can_be_called(verb: str, rest: str) -> None:
    positional = {"scan": Positional("FILE", "path", True), "embed": Positional("FOLDER", "corpus.path")}.get(verb)
    parse(shlex.split(rest), cli.verbs()[verb].parents[1] / "configs", verb, positional)


def test_there_are_commands() -> None:
    assert {verb for verb, _ in COMMANDS} == {"scan", "embed", "explore"}
