"""The sections of a run's configuration: what is wrong in them is named before anything is opened."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from contrastive_artifacts.core.errors import ArtifactsError, ParameterError, UnknownNameError
from contrastive_artifacts.runs import run
from contrastive_artifacts.runs.corpus_sections import make_corpus, make_splits
from contrastive_artifacts.runs.sections import check_backbone, check_pretraining, make_stages

CONFIG: dict[str, Any] = {
    "corpus": {"kind": "builtin", "sources": 8, "duration_s": 1.0},
    "split": {"by": "source", "train": 0.5, "validation": 0.25, "test": 0.25},
    "backbone": {"name": "mn04", "weights": "none"},
    "artifacts": {"states": ["hiss"], "severity": [0.5, 1.0]},
    "objective": {"memory": 0},
    "optim": {"lr_top": 1e-3},
    "trainer": {"steps": 2, "seed": 0, "stages": None},
    "encoder": {"hidden": 16},
    "window_s": 1.0,
}  # fmt: skip


def changed(key: str, value: Any) -> dict[str, Any]:
    config = deepcopy(CONFIG)
    *sections, last = key.split(".")
    section = config
    for name in sections:
        section = section[name]
    section[last] = value
    return config


def test_a_right_configuration_passes() -> None:
    check_pretraining(CONFIG)
    check_pretraining(changed("trainer.stages", [{"name": "a", "share": 1, "optim": {"lr_heads": 1e-4}}]))
    check_pretraining(changed("backbone", {"name": "hf", "id": "owner/model", "revision": "main"}))
    check_pretraining(changed("split", {"by": "fold", "test": 1, "validation": 2}))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("optim.lr", 3, r"optim has no setting 'lr'; did you mean lr_heads, lr_top or lr_bottom\?"),
        ("optim.lr_top", "fast", r"optim\.lr_top is 'fast'; it must be a number"),
        ("trainer.step", 10, r"trainer has no setting 'step'; did you mean steps"),
        ("trainer.steps", "abc", r"trainer\.steps is 'abc'; it must be a whole number"),
        ("trainer.seed", 1.5, r"trainer\.seed is 1\.5; it must be a whole number"),
        ("trainer.device", "tpu", r"device"),
        ("seed", 1.5, r"seed is 1\.5; it must be a whole number"),
        ("objectve", {"x": 1}, r"no setting 'objectve'; did you mean objective"),
        ("objective.x", 1, r"objective has no setting 'x'"),
        ("objective.positives", "typ", r"positives must be 'type' or 'source'"),
        ("windows_s", 3, r"no setting 'windows_s'; did you mean window_s\?"),
        ("window_s", "3 s", r"window_s is '3 s'; it must be a number"),
        ("encoder.window_s", 3, r"encoder has no setting 'window_s'"),
        ("encoder.hiden", 3, r"encoder has no setting 'hiden'; did you mean hidden\?"),
        ("views", {"splced": 1.0}, r"views has no setting 'splced'; did you mean spliced\?"),
        ("artifacts.state", ["hum"], r"artifacts has no setting 'state'; did you mean states\?"),
        ("artifacts.severity", 0.5, r"artifacts\.severity is 0\.5; it must be a list of 2"),
        ("corpus.pth", "x", r"corpus has no setting 'pth'. It has: seed, sources"),
        ("corpus.sources", "many", r"corpus\.sources is 'many'; it must be a whole number"),
        ("corpus", {"kind": "folder", "pth": "x"}, r"corpus has no setting 'pth'; did you mean path\?"),
        ("corpus", {"kind": "folder", "path": None}, r"corpus\.path is not given"),
        ("corpus", {"sources": 3}, r"corpus\.kind is not given; it must be one of folder, esc50, builtin"),
        ("split.by", "window", r"no source is on two sides; got 'window'"),
        ("split.validaton", 0.5, r"split has no setting 'validaton'; did you mean validation\?"),
        ("split", {"by": "fold", "test": 1}, r"split\.validation is not given"),
        ("backbone.wieghts", "none", r"backbone has no setting 'wieghts'; did you mean weights\?"),
        (
            "trainer.stages",
            [{"name": "a", "shre": 1}],
            r"trainer\.stages\[0\] has no setting 'shre'; did you mean share",
        ),
        ("trainer.stages", [{}, {"optim": {"lr": 1}}], r"trainer\.stages\[1\]\.optim has no setting 'lr'"),
        ("trainer.stages", [{"views": {"states": []}}], r"trainer\.stages\[0\]\.views has no setting 'states'"),
        ("trainer.stages", "three", r"trainer\.stages\[0\] is 't'"),
    ],
)
def test_a_wrong_setting_is_named(key: str, value: Any, message: str, tmp_path) -> None:
    with pytest.raises(ParameterError, match=message):
        check_pretraining(changed(key, value))
    with pytest.raises(ParameterError, match=message):
        run.pretrain(changed(key, value), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("corpus.kind", "bultin", r"Did you mean builtin\?"),
        ("backbone.name", "mn44", r"Did you mean mn40"),
        ("artifacts.states", ["hizz"], r"Did you mean hiss"),
    ],
)
def test_a_wrong_name_is_helped(key: str, value: Any, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        check_pretraining(changed(key, value))


def test_a_backbone_in_a_list_is_checked_too() -> None:
    assert check_backbone({"name": "mn04", "weights": "none"}, "backbones[2]")["name"] == "mn04"
    with pytest.raises(ParameterError, match=r"backbones\[2\] has no setting 'wieghts'; did you mean weights"):
        check_backbone({"name": "mn04", "wieghts": "none"}, "backbones[2]")


def test_sections_say_whose_corpus_is_wrong() -> None:
    with pytest.raises(ParameterError, match=r"unseen\.speech has no setting 'pth'; did you mean path"):
        make_corpus({"kind": "folder", "pth": "x"}, "unseen.speech")


def test_every_error_is_one_of_the_package() -> None:
    for key, value in (("split", {}), ("corpus", {"kind": 3}), ("backbone", {}), ("artifacts", {"states": 3})):
        with pytest.raises(ArtifactsError):
            check_pretraining(changed(key, value))


def test_a_missing_section_is_named() -> None:
    with pytest.raises(ParameterError, match=r"^optim is not given; it must be a mapping"):
        check_pretraining({key: value for key, value in CONFIG.items() if key != "optim"})


def test_splits_are_by_source(small_corpus) -> None:
    sides = make_splits(small_corpus, {"by": "source", "train": 0.5, "validation": 0.5, "test": 0, "seed": 3})
    assert {side: len(clips) for side, clips in sides.items()} == {"train": 6, "validation": 6}
    (stage,) = make_stages(CONFIG)
    assert (stage.name, stage.share, stage.objective.memory) == ("all", 1.0, 0)
