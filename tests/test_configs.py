"""Every configuration composes and fits the settings that it is for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from loading import loaded
from omegaconf import OmegaConf

from contrastive_artifacts import cli
from contrastive_artifacts.cli.configs import compose as read_settings
from contrastive_artifacts.core import typed
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.runs import corpus_sections, sections
from contrastive_artifacts.runs.comparing import CompareSettings
from contrastive_artifacts.runs.long_range import Plan
from contrastive_artifacts.runs.sets import check_sets
from contrastive_artifacts.training.context import FitSettings

CONFIGS = Path(__file__).parent.parent / "configs"
SCRIPTS = cli.verbs()
TRAININGS: dict[str, Callable[[dict[str, Any]], object]] = {
    "pretrain": sections.check_pretraining, "pretrain_context": sections.check_context, "pretrain_sets": check_sets,
}  # fmt: skip
REQUIRED = {"path": "x", "run": "x", "to": "x", "index": "x"}
GIVEN = {"corpus": {"path": "x"}, "backbone": {"id": "x", "revision": "x"}}  # for what a group file leaves open
GROUPS = [
    (verb, group, option)
    for verb in ("pretrain", "render")
    for group in read_settings(CONFIGS, verb).groups
    for option in read_settings(CONFIGS, verb).options(group)
]


def composed(name: str, *overrides: str) -> dict[str, Any]:
    """The configuration as a script receives it, with something for what must be given."""
    if "objective_name" in read_settings(CONFIGS, name).settings:
        overrides += ("objective_name=x",)  # comes from hydra's own configuration, which compose leaves out
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        cfg = compose(name, list(overrides))
    for key in OmegaConf.missing_keys(cfg):
        OmegaConf.update(cfg, key, REQUIRED.get(key) or GIVEN[key.split(".")[0]][key.split(".")[1]])
    return OmegaConf.to_container(cfg, resolve=True)  # type: ignore[return-value]


def check(verb: str, config: dict[str, Any]) -> None:
    """What the script checks before it opens anything."""
    if verb in TRAININGS:
        config.pop("run")
        TRAININGS[verb](config)
    else:
        typed.settings(loaded(SCRIPTS[verb]).Settings, config, "")
    if verb == "recipes":
        sections.check_pretraining({key: config[key] for key in sections.PretrainSections.__dataclass_fields__})
    if verb == "compare":
        typed.settings(CompareSettings, config["measure"], "measure", states=("clean",))
    if verb == "long_range_context":
        typed.settings(FitSettings, config["fitting"], "fitting")
        typed.settings(Plan, config["plan"], "plan", fitting=FitSettings())
    if config.get("corpus"):
        corpus_sections.check_corpus(config["corpus"])


@pytest.mark.parametrize("verb", SCRIPTS)
def test_every_configuration_fits_its_script(verb: str) -> None:
    check(verb, composed(verb))


@pytest.mark.parametrize("recipe", read_settings(CONFIGS, "pretrain").options("objective"))
def test_recipes_are_the_objectives_that_hydra_composes(recipe: str) -> None:
    settings = {name: setting.value for name, setting in read_settings(CONFIGS / "objective", recipe).settings.items()}
    assert settings == composed("pretrain", f"objective={recipe}")["objective"]


def test_esc50_is_a_configuration_of_render() -> None:
    check("render", composed("render_esc50"))


@pytest.mark.parametrize(("verb", "group", "option"), GROUPS)
def test_every_choice_of_a_group_fits(verb: str, group: str, option: str) -> None:
    check(verb, composed(verb, f"{group}={option}"))


@pytest.mark.parametrize("verb", SCRIPTS)
def test_settings_of_the_wrong_type_are_refused(verb: str) -> None:
    config = composed(verb)
    numbers = [key for key, value in config.items() if isinstance(value, int | float) and not isinstance(value, bool)]
    for key in numbers:
        with pytest.raises(ParameterError, match=f"^{key} is 'abc'; it must be"):
            check(verb, {**config, key: "abc"})
    with pytest.raises(ParameterError, match="no setting 'nonsense'"):
        check(verb, {**config, "nonsense": 1})


def test_hydra_leaves_no_traces() -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        for verb in SCRIPTS:
            hydra = compose(verb, return_hydra_config=True).hydra
            assert (hydra.job.chdir, hydra.output_subdir, hydra.run.dir) == (False, None, "."), verb
            assert hydra.hydra_logging == hydra.job_logging, verb


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_own_values_come_after_the_groups_that_they_change(path: Path) -> None:
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    defaults = config.get("defaults", [])
    groups = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in defaults]
    changed = [groups.index(group) for group in groups if group in config]
    if changed:
        assert "_self_" in groups
        assert groups.index("_self_") > max(changed), "hydra takes the later one"
