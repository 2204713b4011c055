"""Which configurations a run directory belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import TrainingError
from contrastive_artifacts.training import checkpoint


def test_a_setting_that_is_null_is_no_other_configuration(tmp_path: Path) -> None:
    """A run from before a setting existed resumes, as long as the setting is left at null."""
    files.write_json(tmp_path / "config.json", {"corpus": {"kind": "folder", "path": "x"}, "seed": 0})
    now = {"corpus": {"kind": "folder", "path": "x", "columns": None}, "seed": 0, "views": None}
    checkpoint.check_config(tmp_path, now)
    for changed in ({**now, "seed": 1}, {**now, "corpus": {**now["corpus"], "columns": {"file": "name"}}}):
        with pytest.raises(TrainingError, match="another configuration"):
            checkpoint.check_config(tmp_path, changed)
