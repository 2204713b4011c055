"""What a configuration says at its top level holds against the group files that it names."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

CONFIGS = Path(__file__).parent.parent / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_own_values_come_after_the_groups_that_they_change(path: Path) -> None:
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    defaults = config.get("defaults", [])
    groups = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in defaults]
    changed = [groups.index(group) for group in groups if group in config]
    if changed:
        assert "_self_" in groups
        assert groups.index("_self_") > max(changed), "hydra takes the later one"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_group_files_are_mappings(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)
