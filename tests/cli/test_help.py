"""--help: every setting of every script with its comment, and the same settings that hydra composes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from omegaconf import OmegaConf

from contrastive_artifacts import cli
from contrastive_artifacts.cli.configs import compose
from contrastive_artifacts.cli.help import docstring, help_text, summary
from contrastive_artifacts.cli.words import Positional

CONFIGS = Path(__file__).parents[2] / "configs"
SCRIPTS = cli.verbs()
NAMES = sorted({path.stem for path in CONFIGS.glob("*.yaml")} - {"base"})


def keys(section: dict, prefix: str = "") -> set[str]:
    inner = [keys(value, f"{prefix}{key}.") for key, value in section.items() if isinstance(value, dict)]
    return {f"{prefix}{key}" for key in section}.union(*inner)


def choices() -> list[tuple[str, str, str]]:
    groups = [(name, group) for name in NAMES for group in compose(CONFIGS, name).groups]
    return [(name, group, option) for name, group in groups for option in compose(CONFIGS, name).options(group)]


def test_settings_are_those_that_hydra_composes() -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        for name in NAMES:
            config = OmegaConf.to_container(hydra_compose(name), resolve=False)
            assert set(compose(CONFIGS, name).settings) - keys(config) == set(), name
            assert keys(config) - set(compose(CONFIGS, name).settings) == set(), name
        for name, group, option in choices():
            if name in ("pretrain", "render"):
                config = OmegaConf.to_container(hydra_compose(name, [f"{group}={option}"]), resolve=False)
                assert set(compose(CONFIGS, name, {group: option}).settings) == keys(config), (name, group, option)


@pytest.mark.parametrize("verb", SCRIPTS)
def test_every_setting_is_described(verb: str) -> None:
    composition = compose(CONFIGS, verb)
    described = {name for name, setting in composition.settings.items() if setting.comment}
    silent = {name for name, setting in composition.settings.items() if not isinstance(setting.value, dict)} - described
    assert {name for name in silent if name.rpartition(".")[0] not in described} == set()
    text = help_text(SCRIPTS[verb], f"contrastive-artifacts {verb}", composition, Positional("FILE", "path"))
    assert f"usage: contrastive-artifacts {verb} [FILE] [setting=value ...]" in text
    assert f"contrastive-artifacts {verb}" in text.partition("Settings")[0].partition("usage:")[2].partition("\n")[2]
    assert all(name in text for name in composition.settings)
    assert all("=" in text and ", ".join(composition.options(group))[:20] in text for group in composition.groups)


@pytest.mark.parametrize("verb", SCRIPTS)
def test_docstrings_begin_with_a_sentence_and_an_example(verb: str) -> None:
    line = docstring(SCRIPTS[verb]).splitlines()[0]
    assert line.endswith((".", "?"))
    assert len(summary(SCRIPTS[verb])) < 90
    assert f"\n    python {SCRIPTS[verb].parent.name}/{verb}.py" in docstring(SCRIPTS[verb])
