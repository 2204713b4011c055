"""Completion in a real bash: verbs, settings, choices; what is offered can be called."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contrastive_artifacts import cli
from contrastive_artifacts.cli.completion import SHELLS, completion
from contrastive_artifacts.cli.words import parse

BASH = shutil.which("bash")
ZSH = shutil.which("zsh")
ASK = """
COMP_LINE=$1 COMP_POINT=${#1}
compopt() { :; }
read -ra COMP_WORDS <<< "$1"
[[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_contrastive_artifacts
printf '%s\\n' "${COMPREPLY[@]}"
"""


def offered(line: str, folder: Path) -> list[str]:
    """What bash offers for a line with the cursor at its end."""
    script = folder / "ask.sh"
    script.write_text(completion("bash", cli.verbs()) + ASK)
    assert BASH is not None
    answer = subprocess.run([BASH, str(script), line], capture_output=True, text=True, check=True)
    assert answer.stderr == ""
    return answer.stdout.split()


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_bash_completes_verbs_settings_and_choices(tmp_path: Path) -> None:
    assert offered("contrastive-artifacts sc", tmp_path) == ["scan"]
    assert {"scan", "render", "--version"} <= set(offered("contrastive-artifacts ", tmp_path))
    assert "layout=" in offered("contrastive-artifacts render lay", tmp_path)
    assert offered("contrastive-artifacts pretrain backbone=mn", tmp_path) == ["mn04", "mn10"], "after ="
    assert offered("contrastive-artifacts export onnx=", tmp_path) == ["true", "false"]
    assert offered("contrastive-artifacts scan film.mp", tmp_path) == [], "bash completes files by itself"


@pytest.mark.parametrize("verb", cli.verbs())
def test_what_is_offered_can_be_called(verb: str) -> None:
    script = completion("bash", cli.verbs())
    (case,) = [line for line in script.splitlines() if line.strip().startswith(f"{verb}) ")]
    words = [word for word in shlex.split(case.rpartition(" ;;")[0])[3:] if word != "--help"]
    assert words
    chosen = {word.partition("=")[0]: word for word in words}
    parse(
        [word for word in chosen.values() if not word.endswith("=")],
        Path(cli.verbs()[verb]).parents[1] / "configs",
        verb,
    )
    known = parse(["--help"], Path(cli.verbs()[verb]).parents[1] / "configs", verb).composition
    assert {word.partition("=")[0] for word in words} <= {*known.settings, *known.groups}


@pytest.mark.skipif(ZSH is None, reason="zsh is not installed")
def test_zsh_reads_its_script() -> None:
    assert ZSH is not None
    subprocess.run([ZSH, "-n", "-c", completion("zsh", cli.verbs())], check=True)


def test_the_command_prints_it_and_names_the_shells(monkeypatch, capsys) -> None:
    for shell in SHELLS:
        monkeypatch.setattr(sys, "argv", ["contrastive-artifacts", "completion", shell])
        cli.main()
        assert "_contrastive_artifacts()" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["contrastive-artifacts", "completion", "fish"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "bash or zsh" in capsys.readouterr().err
