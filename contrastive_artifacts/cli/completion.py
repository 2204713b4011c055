"""Completion for bash and zsh, generated from the configuration files: verbs, settings, choices of groups, files."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from .configs import compose

PROGRAM = "contrastive-artifacts"
_WORDS = "_contrastive_artifacts_words"
_BASH = """
_contrastive_artifacts() {
  local line=${COMP_LINE:0:COMP_POINT} word IFS=$'\\n'
  word=${line##*[[:space:]]}
  COMPREPLY=($(compgen -W "$(WORDS "${COMP_WORDS[1]}" "$COMP_CWORD")" -- "$word"))
  [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
  # bash takes = for the start of a word: what stands before it is not replaced
  [[ $word == *=* && $COMP_WORDBREAKS == *=* ]] && COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*=}"}"}")
}
complete -o default -F _contrastive_artifacts PROGRAM
"""
_ZSH = """
_contrastive_artifacts() {
  local -a candidates
  candidates=(${(f)"$(WORDS "$words[2]" "$((CURRENT - 1))")"})
  compadd -Q -S '' -- ${(M)candidates:#*=}
  compadd -Q -- ${candidates:#*=}
  compset -P '*='
  _files
}
compdef _contrastive_artifacts PROGRAM
"""
SHELLS = {"bash": _BASH, "zsh": _ZSH}


def completion(shell: str, scripts: Mapping[str, Path]) -> str:
    """The script that a shell evaluates: ``eval "$(contrastive-artifacts completion bash)"``.

    Args:
        shell: A name in :data:`SHELLS`.
        scripts: Verb -> its script.
    """
    cases = "\n".join(f"    {verb}) {_printed(_candidates(verb, path))} ;;" for verb, path in scripts.items())
    first = _printed([*scripts, "--help", "--version"])
    words = f'{_WORDS}() {{\n  [ "$2" = 1 ] && {{ {first}; return; }}\n  case "$1" in\n{cases}\n  esac\n}}'
    return words + SHELLS[shell].replace("WORDS", _WORDS, 1).replace("PROGRAM", PROGRAM)


def _candidates(verb: str, script: Path) -> list[str]:
    composition = compose(script.parents[1] / "configs", verb)
    words = ["--help"]
    for group in composition.groups:
        words += [f"{group}={option}" for option in composition.options(group)]
    for name, setting in composition.settings.items():
        if name in composition.groups or isinstance(setting.value, dict):
            continue
        words += [f"{name}={value}" for value in ("true", "false")] if isinstance(setting.value, bool) else [f"{name}="]
    return words


def _printed(words: list[str]) -> str:
    return f"printf '%s\\n' {shlex.join(words)}"
