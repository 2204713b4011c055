"""Every JSON file of a run, an index and a release is changed in every place: it opens, or an error names it.

The short version tries a sample of the changes, ``make campaign`` all of them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import contrastive_artifacts as ca
from contrastive_artifacts.core import files
from contrastive_artifacts.core.errors import ArtifactsError
from contrastive_artifacts.embedding.opening import RELEASE
from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.encoder import Encoder, EncoderSettings
from contrastive_artifacts.probes import Embedded, Probe
from contrastive_artifacts.runs import corpus_sections
from contrastive_artifacts.runs.run import Run
from contrastive_artifacts.search.index import Index

NESTED = "<nested>"
VALUES = (None, True, "x", "", [], {}, [[]], float("nan"), float("inf"), -1, 0, 0.5, 3, 10**30, 1e308, NESTED)
DELETED = object()


@dataclass(frozen=True)
class Store:
    """A folder with its files and how it is opened."""

    folder: Path
    open: Callable[[Path], Any]


def open_run(folder: Path) -> None:
    run = Run(folder)
    run.sides(run.corpora())


def small_run(folder: Path) -> None:
    """The files of a pretrained and probed run."""
    encoder = Encoder(backbones.create("mn04", "none"), EncoderSettings(("clean", "hum"), 1.0, hidden=8, embedding=8))
    encoder.save(folder / "encoder")
    rng = np.random.default_rng(0)
    labels, severity = np.array(["clean", "hum"] * 20), np.array([0.0, 0.5] * 20) * np.repeat(rng.random(20), 2)
    sources = np.repeat([f"s{n}" for n in range(10)], 4)
    x = rng.standard_normal((40, encoder.settings.hidden)).astype(np.float32)
    Probe.fit(Embedded(x, labels, severity, sources), encoder.fingerprint()).save(folder / "encoder")
    corpus = {"kind": "builtin", "sources": 4, "duration_s": 1.0}
    config = {
        "seed": 0, "corpus": corpus, "corpus_fingerprint": corpus_sections.make_corpus(corpus).fingerprint,
        "split": {"by": "source", "train": 0.5, "validation": 0.25, "test": 0.25},
        "artifacts": {"states": ["hum"], "severity": [0.1, 1.0]},
    }  # fmt: skip
    files.write_json(folder / "config.json", config)
    files.write_json(folder / "probing.json", {"unseen": {"other": corpus}, "duration_s": 1.0, "labels": None})


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> list[Store]:
    home = tmp_path_factory.mktemp("stores")
    torch.manual_seed(0)
    small_run(home / "run")
    vectors = np.random.default_rng(0).standard_normal((600, 8)).astype(np.float32)
    rows = [{"clip": "a", "start": n, "stop": n + 9, "sample_rate": 8000} for n in range(600)]
    for kind in ("flat", "ivf_sq8"):
        Index.build(vectors, rows, home / kind, "encoder", kind=kind)
    for name in ("mn04", "all"):
        shutil.copytree(RELEASE / name, home / "release" / name)
    return [
        Store(home / "run", open_run),
        Store(home / "run" / "encoder", ca.load),
        Store(home / "flat", Index.open),
        Store(home / "ivf_sq8", Index.open),
        Store(home / "release" / "all", ca.load),
    ]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON value; of long lists, the first two members."""
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, member in members:
        yield from places(member, (*path, key))


def changed(value: Any, path: tuple[Any, ...], to: Any) -> Any:
    """A copy of a JSON value with ``to`` at a path."""
    if not path:
        return None if to is DELETED else to
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and to is DELETED:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(value[path[0]], path[1:], to)
    return copy


def changes(store: Store) -> Iterator[tuple[Path, tuple[Any, ...], Any]]:
    for path in sorted(store.folder.glob("*.json")):
        value = files.read_json(path)
        for place in places(value):
            yield from ((path, place, to) for to in (DELETED, *VALUES))


def problems(store: Store, step: int, first: int = 0) -> list[str]:
    """What happened at every ``step``-th change that neither opened nor raised an error of this package."""
    store.open(store.folder)
    wrong = []
    for path, place, to in list(changes(store))[first::step]:
        before = path.read_bytes()
        text = json.dumps(changed(json.loads(before), place, to)).replace(f'"{NESTED}"', "[" * 10_000 + "]" * 10_000)
        path.write_text(text)
        try:
            store.open(store.folder)
        except ArtifactsError as error:
            if len(str(error)) > 1500:
                wrong.append(f"{path.name} {place} {to!r}: a message of {len(str(error))} characters")
        except BaseException as error:
            wrong.append(f"{path.name} {'.'.join(map(str, place))} -> {to!r}: {error!r:.300}")
        finally:
            path.write_bytes(before)
    return wrong


def test_a_sample_of_changes(stores: list[Store]) -> None:
    steps = (5, 50, 7, 13, 300)  # fewer where each change builds a network
    wrong = [line for store, step in zip(stores, steps, strict=True) for line in problems(store, step, first=3)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.campaign
@pytest.mark.slow
@pytest.mark.parametrize("number", range(5))
def test_every_change(stores: list[Store], number: int) -> None:
    wrong = problems(stores[number], step=1)
    print(f"{stores[number].folder.name}: {len(list(changes(stores[number])))} changes")
    assert not wrong, "\n".join(wrong)
