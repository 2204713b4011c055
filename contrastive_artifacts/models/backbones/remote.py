"""Models whose Python code lies beside their weights on the Hugging Face hub: run only when the user says so.

The consent is never part of what is saved: a downloaded encoder cannot give it in the user's place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...core.errors import WeightsError
from . import huggingface
from .hf import own, repository_of
from .repository import Repository
from .spec import Found, State

VARIABLE = "CONTRASTIVE_ARTIFACTS_TRUST_REMOTE_CODE"
OPTIONS = ("id", "revision", "trust_remote_code")
_COMMIT = re.compile("[0-9a-f]{40}")
_classes: dict[Repository, Any] = {}  # whose code runs in this process already


def find(
    weights: str | Path,
    cache: Path | None,
    options: Mapping[str, Any],
    what: str,
    rename: Callable[[State], State],
) -> Found:
    """The configuration and the published tensors of ``options["id"]``, or of the folder ``weights``.

    Args:
        weights: "auto": from the hub or its cache. "none": the architecture only (its code is needed all the same).
            Otherwise a folder with config, code and weights.
        cache: Folder for downloads; ``None`` for the hub's own cache.
        options: ``id``, ``revision`` (a full commit) and ``trust_remote_code``.
        what: The backbone's name, for messages.
        rename: Published keys -> ours.

    Raises:
        WeightsError: without consent, with what would run and from where; or a file is missing or not to be had.
    """
    if unknown := sorted(options.keys() - set(OPTIONS)):
        raise WeightsError(f"backbone={what} has no option {', '.join(unknown)}; it has {', '.join(OPTIONS)}.")
    repository = repository_of(weights, cache, options)
    if repository is None:
        raise WeightsError(f"The architecture of {what} comes with its repository: say backbone.id, also for scratch.")
    _run(repository, bool(options.get("trust_remote_code", False)))
    made = {"id": repository.id, "revision": repository.revision, "config": repository.config()}
    if weights == "none":
        return Found(made, None, "none", None, None)
    state, sha256 = repository.state()
    return Found(made, rename(state), repository.label, sha256, repository.stated)


def model(id: str, revision: str, config: Mapping[str, Any]) -> Any:
    """The model with random weights, nothing random in training.

    Raises:
        WeightsError: its code has not been allowed to run, see :func:`find`, or does not run.
    """
    repository = Repository(id, revision)
    network = _classes.get(repository) or _run(repository, False)
    plain = own(config)
    plain.pop("model_type", None)  # a constant of the class
    try:
        return network(huggingface.rest(network.config_class(**plain)))
    except Exception as error:  # whatever the repository's code raises
        raise WeightsError(f"The code of {repository.where} cannot build its model: {error!r}.") from error


def _run(repository: Repository, consent: bool) -> Any:
    """The model's class; this runs the repository's code."""
    _require(repository, consent)
    config = repository.config()
    name = str(config.get("auto_map", {}).get("AutoModel", ""))
    if not name or "--" in name:
        held = f"names code of another repository ({name})" if name else "names no code of its own for AutoModel"
        raise WeightsError(f"config.json of {repository.where} {held}; only code of that very repository is run.")
    folder = repository.snapshot(("*.json", "*.py"))
    try:
        dynamic = huggingface.transformers(".dynamic_module_utils")
        found = dynamic.get_class_from_dynamic_module(name, folder)
    except Exception as error:  # whatever the repository's code raises, and missing libraries that it needs
        raise WeightsError(f"The code of {repository.where} cannot be imported: {error}") from error
    _classes[Repository(repository.id, repository.revision)] = found
    return found


def _require(repository: Repository, consent: bool) -> None:
    named = repository.id if repository.local else f"{repository.id}@{repository.revision}"
    if not consent and named not in os.environ.get(VARIABLE, "").split(","):
        files = ", ".join(sorted(p.name for p in Path(repository.id).glob("*.py"))) if repository.local else "*.py"
        raise WeightsError(
            f"This model is not part of the transformers library: to build it, Python code ({files}) of "
            f"{repository.where} would run on this machine with all your rights. Read it there. If you trust it, say "
            f"backbone.trust_remote_code=true, or, to load a saved encoder, set {VARIABLE}={named}."
        )
    if not repository.local and not _COMMIT.fullmatch(repository.revision):
        raise WeightsError(
            f"backbone.revision={repository.revision} can change after you have read the code; give the full commit "
            f"(40 digits) from https://huggingface.co/{repository.id}/commits/main."
        )
