"""A run that another process is working on is refused, and a trained encoder is not replaced by another training."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import StorageError, TrainingError
from contrastive_artifacts.core.lock import locked
from contrastive_artifacts.embedding import copy_encoder
from contrastive_artifacts.runs import context, run
from contrastive_artifacts.training import checkpoint

HOLDER = rf"is in use by process {os.getpid()} on {re.escape(socket.gethostname())} \(pretraining since "


def in_thread(function: Callable[[], Any]) -> BaseException | None:
    """The error of a function in another thread, for which this thread's locks are those of another process."""
    errors: list[BaseException] = []

    def call() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return errors[0] if errors else None


def test_who_trains_holds_the_run_and_others_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[BaseException | None] = []

    def trains(config: dict[str, Any], directory: Path, draw: object) -> None:
        files.write_json(directory / "config.json", {"corpus": {}, "split": {}})
        others = [
            lambda: run.pretrain({"trainer": {}}, directory),
            lambda: context.pretrain_context({}, directory),
            lambda: run.Run(directory).probe({}, (), 1.0, 1, 1, 0),
        ]
        refused.extend(in_thread(other) for other in others)

    monkeypatch.setattr(run, "check_pretraining", lambda config: None)
    monkeypatch.setattr(context.sections, "check_context", lambda config: None)
    monkeypatch.setattr(run, "_pretrain", trains)
    run.pretrain({"trainer": {}}, tmp_path / "run")
    assert len(refused) == 3
    for error in refused:
        assert isinstance(error, StorageError)
        assert re.search(HOLDER, str(error))
    assert os.listdir(tmp_path / "run") == ["config.json"]


def test_a_folder_that_is_being_exported_into_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path, "pretraining"):
        error = in_thread(lambda: copy_encoder("release/mn04", tmp_path))
    assert isinstance(error, StorageError)
    assert re.search(HOLDER, str(error))


def test_a_trained_encoder_is_not_replaced(tmp_path: Path) -> None:
    copy_encoder("release/mn04", tmp_path / "run" / "encoder")
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*.*")}
    replaced = rf"this training would replace the trained encoder in {re.escape(str(tmp_path))}/run"
    for directory in (tmp_path / "run", tmp_path / "run" / "encoder"):
        with pytest.raises(TrainingError, match=replaced):
            checkpoint.check_config(directory, {"seed": 0})
    files.write_json(tmp_path / "run" / "config.json", {"seed": 0})
    checkpoint.check_config(tmp_path / "run", {"seed": 0})
    with pytest.raises(TrainingError, match=f"another configuration .*{replaced}/encoder; choose"):
        checkpoint.check_config(tmp_path / "run", {"seed": 1})
    (tmp_path / "run" / "config.json").unlink()
    assert before == {path: path.read_bytes() for path in (tmp_path / "run").rglob("*.*")}
