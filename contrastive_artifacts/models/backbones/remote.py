"""Models on the Hugging Face hub that come with Python code, which runs only with the user's consent.

The consent is never saved, so a downloaded encoder cannot give it in place of the user.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...core.errors import WeightsError
from . import huggingface
from .hf import architecture_of, repository_of
from .repository import Repository
from .spec import HubModel, State

VARIABLE = "CONTRASTIVE_ARTIFACTS_TRUST_REMOTE_CODE"
OPTIONS = ("id", "revision", "trust_remote_code")
_COMMIT = re.compile("[0-9a-f]{40}")
_classes: dict[Repository, Any] = {}  # repositories whose code was already imported


def find(
    weights: str | Path,
    cache: Path | None,
    options: Mapping[str, Any],
    what: str,
    rename: Callable[[State], State],
) -> HubModel:
    """The configuration and the published tensors of ``options["id"]``, or of the folder ``weights``.

    Args:
        weights: "auto": from the hub or its cache. "none": the architecture only, which needs the code too.
            Otherwise a folder with config, code and weights.
        cache: Folder for downloads; ``None`` for the cache of huggingface_hub.
        options: ``id``, ``revision`` (a full commit) and ``trust_remote_code``.
        what: Name of the backbone, for messages.
        rename: Published keys -> keys of this package.

    Raises:
        WeightsError: there is no consent (the message says which code would run), or a file is missing or could not be
            downloaded.
    """
    if unknown := sorted(options.keys() - set(OPTIONS)):
        raise WeightsError(f"backbone={what} has no option {', '.join(unknown)}; it has {', '.join(OPTIONS)}.")
    repository = repository_of(weights, cache, options)
    if repository is None:
        raise WeightsError(f"The architecture of {what} is in its repository: set backbone.id, for random weights too.")
    _run(repository, bool(options.get("trust_remote_code", False)))
    built_from = {"id": repository.id, "revision": repository.revision, "config": repository.config()}
    if weights == "none":
        return HubModel(built_from, None, "none", None, None)
    state, sha256 = repository.state()
    return HubModel(built_from, rename(state), repository.label, sha256, repository.stated)


def model(id: str, revision: str, config: Mapping[str, Any]) -> Any:
    """The model with random weights, without dropout.

    Raises:
        WeightsError: there is no consent to run its code, see :func:`find`, or the code fails.
    """
    repository = Repository(id, revision)
    network = _classes.get(repository) or _run(repository, False)
    plain = architecture_of(config)
    plain.pop("model_type", None)  # a constant of the class
    try:
        return network(huggingface.rest(network.config_class(**plain)))
    except Exception as error:  # whatever the repository's code raises
        raise WeightsError(f"The code of {repository.where} cannot build its model: {error!r}.") from error


def _run(repository: Repository, consent: bool) -> Any:
    """The class of the model; this runs the code of the repository."""
    _require(repository, consent)
    config = repository.config()
    name = str(config.get("auto_map", {}).get("AutoModel", ""))
    if not name or "--" in name:
        problem = f"names code of another repository ({name})" if name else "names no code for AutoModel"
        raise WeightsError(f"config.json of {repository.where} {problem}; only code of the same repository is run.")
    folder = repository.snapshot(("*.json", "*.py"))
    try:
        dynamic = huggingface.transformers(".dynamic_module_utils")
        network = dynamic.get_class_from_dynamic_module(name, folder)
    except Exception as error:  # whatever the repository's code raises, and missing libraries that it needs
        raise WeightsError(f"The code of {repository.where} cannot be imported: {error}") from error
    _classes[Repository(repository.id, repository.revision)] = network
    return network


def _require(repository: Repository, consent: bool) -> None:
    named = repository.id if repository.local else f"{repository.id}@{repository.revision}"
    if not consent and named not in os.environ.get(VARIABLE, "").split(","):
        files = ", ".join(sorted(p.name for p in Path(repository.id).glob("*.py"))) if repository.local else "*.py"
        raise WeightsError(
            f"This model is not part of the transformers library: to build it, Python code ({files}) of "
            f"{repository.where} would run on this machine with all your rights. Read it there. If you trust it, set "
            f"backbone.trust_remote_code=true, or, for a saved encoder, the environment variable {VARIABLE}={named}."
        )
    if not repository.local and not _COMMIT.fullmatch(repository.revision):
        raise WeightsError(
            f"backbone.revision={repository.revision} can change after you have read the code; give the full commit "
            f"(40 digits) from https://huggingface.co/{repository.id}/commits/main."
        )
