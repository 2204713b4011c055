"""The sections of a run's configuration as the objects that they configure.

A section is plain JSON, from the files under ``configs/`` or from a Python program. It is checked against the dataclass
or function that takes it, so that an unknown, misspelt or mistyped setting is an error that names it.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

from .. import artifacts
from ..core.typed import options, settings
from ..data.views import ViewSettings
from ..models import backbones
from ..models.backbones import BACKBONES, Backbone
from ..models.context import ContextSettings
from ..models.encoder import EncoderSettings
from ..models.objectives import ObjectiveSettings
from ..training import OptimSettings, Stage, StageViews, TrainerSettings
from ..training.context import FitSettings
from .corpus_sections import ArtifactsSection, check_corpus, split_options


@dataclasses.dataclass(frozen=True)
class PretrainSections:
    """The top level of ``configs/pretrain.yaml`` without ``run``, as :func:`.run.pretrain` takes it.

    Args:
        corpus: See :func:`.corpus_sections.make_corpus`.
        split: See :func:`.corpus_sections.make_splits`.
        backbone: See :func:`make_backbone`.
        artifacts: See :func:`view_settings`.
        objective: Settings of :class:`.ObjectiveSettings`.
        optim: Settings of :class:`.OptimSettings`.
        trainer: Settings of :class:`.TrainerSettings`, and ``stages``, see :func:`make_stages`.
        encoder: Settings of :class:`.EncoderSettings` but for states and window.
        window_s: Length of the views and of the encoder's windows in seconds.
        views: Settings of :class:`.ViewSettings` that may differ between stages: severity, span, spliced.
        seed, objective_name: Only recorded; ``trainer.seed`` is the seed of the training.
        plots: Whether TensorBoard shows plots of each validation; not recorded, a run resumes with or without them.
    """

    corpus: Mapping[str, Any]
    split: Mapping[str, Any]
    backbone: Mapping[str, Any]
    artifacts: Mapping[str, Any]
    objective: Mapping[str, Any]
    optim: Mapping[str, Any]
    trainer: Mapping[str, Any]
    encoder: Mapping[str, Any]
    window_s: float
    views: Mapping[str, Any] | None = None
    seed: int = 0
    objective_name: str | None = None
    plots: bool = False


@dataclasses.dataclass(frozen=True)
class ContextSections:
    """The top level of ``configs/pretrain_context.yaml`` without ``run``; see :func:`.context.pretrain_context`.

    Args:
        corpus, split, artifacts, objective: As in :class:`PretrainSections`.
        encoder: The encoder that gives the patch vectors, see :func:`.open_encoder`.
        window_s: Length of the windows in seconds.
        draws: Views per clip and state.
        workers: Processes that render and embed.
        context: Settings of :class:`.ContextSettings` but for those that the encoder and the views give.
        fitting: Settings of :class:`.FitSettings` but for the seed.
        seed: Of views, weights, batches and dropout.
    """

    corpus: Mapping[str, Any]
    split: Mapping[str, Any]
    artifacts: Mapping[str, Any]
    objective: Mapping[str, Any]
    encoder: str
    window_s: float
    draws: int
    workers: int
    context: Mapping[str, Any]
    fitting: Mapping[str, Any]
    seed: int


@dataclasses.dataclass(frozen=True)
class StageSection:
    """A stage of ``trainer.stages``; what a section of it leaves out is as in the configuration."""

    name: str = "all"
    share: float = 1.0
    optim: Mapping[str, Any] | None = None
    objective: Mapping[str, Any] | None = None
    views: Mapping[str, Any] | None = None


def make_backbone(section: Mapping[str, Any]) -> Backbone:
    """The backbone of a section ``{"name": ..., "weights": ..., **options}``, see :func:`.backbones.create`.

    Raises:
        ParameterError: a setting that it does not have.
        UnknownNameError: no such backbone.
        WeightsError: weights that are missing or do not match.
    """
    return backbones.create(**check_backbone(section))


def check_backbone(section: Mapping[str, Any], name: str = "backbone") -> dict[str, Any]:
    """The checked settings of a backbone, without opening its weights."""
    also: dict[str, Any] = {}
    if isinstance(section.get("name"), str):
        checkpoint = BACKBONES[section["name"]]
        parameters = inspect.signature(checkpoint.build).parameters.values()
        any_option = checkpoint.find is not None or any(p.kind is p.VAR_KEYWORD for p in parameters)
        also = dict.fromkeys([*(p.name for p in parameters), *(section if any_option else ())], Any)
        also = {key: kind for key, kind in also.items() if key not in ("name", "weights", "cache", "lora")}
    return options(backbones.create, section, name, also)


def encoder_settings(config: Mapping[str, Any]) -> EncoderSettings:
    """The settings of the encoder that a configuration describes."""
    states = artifacts.states(_artifacts(config).states)
    return settings(EncoderSettings, config["encoder"], "encoder", states=states, window_s=config["window_s"])


def trainer_settings(config: Mapping[str, Any]) -> TrainerSettings:
    """The section ``trainer``, without its stages."""
    section = {key: value for key, value in config["trainer"].items() if key != "stages"}
    return settings(TrainerSettings, section, "trainer")


def view_settings(config: Mapping[str, Any], sample_rate: int, duration_s: float) -> ViewSettings:
    """Views of the states and severities of the section ``artifacts``."""
    section = _artifacts(config)
    return ViewSettings(artifacts.states(section.states), duration_s, sample_rate, section.severity)


def _artifacts(config: Mapping[str, Any]) -> ArtifactsSection:
    return settings(ArtifactsSection, config["artifacts"], "artifacts")


def view_changes(section: Mapping[str, Any] | None, name: str = "views") -> dict[str, Any]:
    """The fields of :class:`.StageViews` that a section sets."""
    views = settings(StageViews, section or {}, name)
    return {key: getattr(views, key) for key in section or {}}


def make_stages(config: Mapping[str, Any]) -> list[Stage]:
    """The stages of ``trainer.stages``, each the configuration but for what it sets; one where there are none.

    Raises:
        ParameterError: a setting that is not known or of another type; the message names the stage.
    """
    severity, stages = _artifacts(config).severity, []
    for number, changes in enumerate(config["trainer"].get("stages") or [{}]):
        where = f"trainer.stages[{number}]"
        stage = settings(StageSection, changes, where)
        sections = {
            key: {**(config.get(key) or {}), **(getattr(stage, key) or {})} for key in ("views", "objective", "optim")
        }
        names = {key: f"{where}.{key}" if getattr(stage, key) else key for key in sections}
        stages.append(
            Stage(
                StageViews(**{"severity": severity, **view_changes(sections["views"], names["views"])}),
                settings(ObjectiveSettings, sections["objective"], names["objective"]),
                settings(OptimSettings, sections["optim"], names["optim"]),
                stage.share,
                stage.name,
            )
        )
    return stages


def check_context(config: Mapping[str, Any]) -> None:
    """Every section of the training of a context module, as :func:`check_pretraining` does it.

    Raises:
        ParameterError, UnknownNameError: as there.
    """
    checked = settings(ContextSections, config, "")
    settings(FitSettings, checked.fitting, "fitting", seed=checked.seed)
    settings(ObjectiveSettings, checked.objective, "objective")
    views = view_settings(config, 1, checked.window_s)
    fixed = {"states": views.states, "inputs": 1, "hop_s": checked.window_s, "max_s": checked.window_s, "slow": 0}
    settings(ContextSettings, checked.context, "context", **fixed)
    check_corpus(checked.corpus)
    split_options(checked.split)


def check_pretraining(config: Mapping[str, Any]) -> None:
    """Every section of a pretraining, before anything is opened or downloaded.

    Raises:
        ParameterError: a setting that is not known, missing, of another type or out of range.
        UnknownNameError: no such artifact, backbone or kind of corpus.
    """
    settings(PretrainSections, config, "")
    trainer_settings(config)
    encoder_settings(config)
    make_stages(config)
    check_corpus(config["corpus"])
    split_options(config["split"])
    check_backbone(config["backbone"])
