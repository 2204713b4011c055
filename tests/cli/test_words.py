"""Command lines taken apart: what hydra makes of them is what was typed, and what does not exist is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from contrastive_artifacts.cli.words import Positional, parse
from contrastive_artifacts.core.errors import ParameterError

CONFIGS = Path(__file__).parents[2] / "configs"
FILE, QUERY = Positional("FILE", "path"), Positional("QUERY", "query", several=True)
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
NAMES |= st.text("\\'\"${}=,[]() aß\n#:~+-?.", min_size=1)


def composed(name: str, *words: str, positional: Positional | None = None) -> dict[str, Any]:
    """The configuration that the words give, by way of hydra."""
    command = parse(words, CONFIGS, name, positional)
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return OmegaConf.to_container(compose(name, command.overrides), resolve=False)  # type: ignore[return-value]


def texts(*words: str, name: str, positional: Positional | None = None) -> list[Any]:
    """The values of the overrides as omegaconf resolves them; hydra's grammar alone, which is quick."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    overrides = OverridesParser.create().parse_overrides(parse(words, CONFIGS, name, positional).overrides)
    return [OmegaConf.to_container(OmegaConf.create([o.value()]), resolve=True)[0] for o in overrides]  # type: ignore[index]


@settings(max_examples=300, deadline=None)
@given(NAMES)
@example("film (1), reel=2.wav")
@example("${oc.env:HOME}\\")
@example("[a, b]/{c: d}")
@example("-'quoted'-\"twice\"")
@example("Jörg's\nfilm")
def test_a_path_is_what_was_typed_whatever_its_name(name: str) -> None:
    in_grammar = len(name) > 1 and (name[0], name[-1]) in (("[", "]"), ("{", "}"), ("'", "'"), ('"', '"'))
    if name not in ("null", "???") and not in_grammar:
        assert texts(f"path={name}", name="scan") == [name]
        assert texts(f"corpus.path={name}", "corpus=folder", name="pretrain") == [name, "folder"]
        assert texts(f"run={name}", name="probe") == [name]
    assert texts("--", name, name="scan", positional=FILE) == ["./???" if name == "???" else name]


@settings(max_examples=200, deadline=None)
@given(NAMES)
def test_a_file_is_given_as_a_file(name: str) -> None:
    if name.startswith(("-", "~")) or "=" in name:  # these after --, or as ./name, or where there is such a file
        name = f"./{name}"
    assert texts(name, name="scan", positional=FILE) == ["./???" if name == "???" else name]


@pytest.mark.parametrize(
    "name", ["film (1), reel=2.wav", "reel=2.wav", "-film.wav", "~x", "[a].wav", "--help.wav", "a=b=c"]
)
def test_files_that_exist_need_no_dashes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    assert composed("scan", name, "encoder=release/mn04", positional=FILE)["path"] == name
    assert composed("scan", f"path={name}")["path"] == name


def test_lists_stay_lists_unless_there_is_such_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert composed("retrieve", "query=[a.wav,b.wav]")["query"] == ["a.wav", "b.wav"]
    (tmp_path / "[a.wav,b.wav]").touch()
    assert composed("retrieve", "query=[a.wav,b.wav]")["query"] == "[a.wav,b.wav]"
    assert composed("retrieve", "a, b.wav", "c.wav", positional=QUERY)["query"] == ["a, b.wav", "c.wav"]
    assert composed("retrieve", "c.wav", positional=QUERY)["query"] == "c.wav"


def test_quotes_are_those_of_hydra_unless_there_is_such_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["corpus=folder", "corpus.path=x", "corpus.file='{set}/{file}'"]
    assert composed("pretrain", *words)["corpus"]["file"] == "{set}/{file}"
    assert composed("scan", 'path="a, b.wav"')["path"] == "a, b.wav"
    assert composed("scan", "path='a' or 'b'")["path"] == "'a' or 'b'"
    (tmp_path / "'a.wav'").touch()
    assert composed("scan", "path='a.wav'")["path"] == "'a.wav'"


def test_other_values_are_of_hydras_grammar() -> None:
    config = composed("pretrain", "trainer.steps=3", "artifacts=[hum,clicks]", "encoder={hidden: 8}", "window_s=1e-1")
    assert config["trainer"]["steps"] == 3
    assert config["artifacts"]["states"] == ["hum", "clicks"]
    assert config["encoder"]["hidden"] == 8
    assert config["window_s"] == 0.1
    assert composed("compare", "csv=null")["csv"] is None
    assert composed("independent", "clips=3")["clips"] == 3  # a number here, a folder in retrieve
    assert composed("retrieve", "clips=3")["clips"] == "3"
    assert (
        composed("pretrain", "backbone=hf", "backbone.id=a/b", "backbone.revision=1e10")["backbone"]["revision"]
        == "1e10"
    )
    assert composed("pretrain", "+corpus.name=x", "++seed=3")["corpus"]["name"] == "x"
    assert composed("render", "corpus=folder", "corpus.path=a b", "split=fold")["corpus"]["path"] == "a b"


def test_flags_of_hydra_pass() -> None:
    command = parse(["--cfg", "job", "-m", "run=a,b", "hydra.verbose=true", "--config-name=probe"], CONFIGS, "pretrain")
    assert command.flags == ["--cfg", "job", "-m", "--config-name", "probe"]
    assert command.overrides == ["run=a,b", "hydra.verbose=true"]  # with -m, commas are hydra's
    assert not command.help
    assert parse(["-h", "encodr=x"], CONFIGS, "scan").help


@pytest.mark.parametrize(
    ("name", "word", "message"),
    [
        (
            "pretrain",
            "optim.lr=3",
            r"optim has no setting 'lr'; did you mean lr_heads, lr_top or lr_bottom\? It has: lr_heads",
        ),
        ("pretrain", "trainer.step=10", r"trainer has no setting 'step'; did you mean steps"),
        ("pretrain", "objectve.x=1", r"pretrain has no setting 'objectve'; did you mean objective"),
        ("embed", "corpus.pth=x", r"corpus has no setting 'pth'; did you mean path\?"),
        ("pretrain", "windows_s=3", r"pretrain has no setting 'windows_s'; did you mean window_s\?"),
        ("pretrain", "corpus=esc05", r"corpus has no choice 'esc05'; did you mean esc50"),
        ("pretrain", "film.wav", r"'film\.wav': pretrain takes settings as name=value\. It has: corpus"),
        (
            "probe",
            "unseen.speech.path=x",
            r"unseen is null, which has no setting 'speech'; give it as a whole: unseen=\.\.\.",
        ),
        ("render", "corpus.path=x", r"There is no corpus to set 'path' of; choose one: corpus=archive_org\|builtin\|"),
        ("render", "--worker=3", r"There is no option '--worker=3'\..* after --\."),
        ("scan", "--confg-name", r"Did you mean --config-name"),
        ("scan", "--config-name=scn", r"--config-name has no choice 'scn'; did you mean scan"),
    ],
)
def test_what_does_not_exist_is_named(name: str, word: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        parse([word], CONFIGS, name)


def test_one_file_is_one_file() -> None:
    with pytest.raises(ParameterError, match=r"'b\.wav': give one FILE; 'a\.wav' is given already"):
        parse(["a.wav", "b.wav"], CONFIGS, "scan", FILE)
    with pytest.raises(ParameterError, match=r"'b\.wav': path= is given already"):
        parse(["path=a.wav", "b.wav"], CONFIGS, "scan", FILE)


def test_files_stay_in_order() -> None:
    assert texts("a.wav", "--", "-b.wav", name="retrieve", positional=QUERY) == [["a.wav", "-b.wav"]]
