"""From a command line to the ``main`` of a script: help, settings, errors and Ctrl-C, the same for every script."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn, cast

from ..core.ending import instructive
from ..core.errors import ParameterError
from .help import help_text
from .words import Command, Positional, parse

called_as = ""  # "contrastive-artifacts VERB" where the console command runs the script


def run(script: str, positional: Positional | None = None, stopped: str = "Nothing was written.") -> NoReturn:
    """Runs a script: calls its ``main(config)`` with the configuration of the same name, a plain dict.

    A script calls this before it imports anything else, so that ``--help`` does not wait for the import of torch, and
    Ctrl-C during that import is answered as later. The script is then loaded a second time, as a module.

    Args:
        script: Path of the script; ``configs/`` is beside its folder.
        positional: What words without ``name=`` are.
        stopped: What is kept after Ctrl-C, and how to go on.
    """
    path = Path(script).resolve()
    with instructive(stopped):
        if sys.platform != "win32":
            os.register_at_fork(after_in_child=_ignore_interrupts)
        command = parse(sys.argv[1:], path.parents[1] / "configs", path.stem, positional)
        if command.help:
            program = called_as or f"python {path.parent.name}/{path.name}"
            print(help_text(path, program, command.composition, positional))
        else:
            _main(path, command, positional)
    sys.exit(0)


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of the terminal; only the first one answers it and ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _main(script: Path, command: Command, positional: Positional | None) -> None:
    for config in _configurations(script, command, positional):
        load(script).main(config)


def load(path: Path) -> ModuleType:
    """The file as a module: a script, or what several scripts share, which stands in a folder below them.

    A folder is loaded as a package.
    """
    folder = path.is_dir()
    spec = importlib.util.spec_from_file_location(
        path.stem, path / "__init__.py" if folder else path, submodule_search_locations=[str(path)] if folder else None
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _configurations(script: Path, command: Command, positional: Positional | None) -> list[dict[str, Any]]:
    """The configuration; several with ``--multirun``, none where a flag of hydra only prints something."""
    import hydra
    from omegaconf import DictConfig, OmegaConf

    configurations: list[dict[str, Any]] = []
    errors: list[Exception] = []

    def collect(cfg: DictConfig) -> None:  # raises nothing and runs nothing: hydra adds lines to the errors of its jobs
        try:
            if missing := sorted(OmegaConf.missing_keys(cfg)):
                raise _not_given(missing[0], command, positional)
            configurations.append(cast("dict[str, Any]", OmegaConf.to_container(cfg, resolve=True)))
        except Exception as error:
            errors.append(error)

    folder = str(script.parents[1] / "configs")
    compose = hydra.main(version_base="1.3", config_path=folder, config_name=script.stem)(collect)
    words, sys.argv = sys.argv, [sys.argv[0], *command.flags, *command.overrides]
    try:
        compose()
    finally:
        sys.argv = words
    for error in errors:
        raise error
    return configurations


def _not_given(name: str, command: Command, positional: Positional | None) -> ParameterError:
    setting = command.composition.settings.get(name)
    about = f" ({setting.comment})" if setting is not None and setting.comment else ""
    short = f"{positional.label}, or " if positional is not None and positional.setting == name else ""
    return ParameterError(f"{name}{about} is not given: add {short}{name}=...")
