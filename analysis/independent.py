"""Checks an encoder on artifacts that are not rendered by this package.

    python analysis/independent.py
    python analysis/independent.py encoder=release 'corpora={speech: {kind: folder, path: DIR}}' clips=40

Textbook implementations in NumPy and SciPy (``analysis/textbook``), several forms of each artifact, with other
assumptions than those of the package. Of every clip a window of 5 s, rounded to 16 bits, is heard as it is, in every
form at a strength of .3 to 1, with pairs of artifacts, and as recordings of several media. The table has for each form
its area against the clean windows, its recall at the threshold that 5 % of these exceed, and how often it is present;
means over the forms of an artifact and over the artifacts, with intervals over clips; and in which share of the pairs
both are present, and of the recordings any of what they hold, and how many others beside. A form counts for an encoder
that has the label of its artifact.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__)

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.artifacts import CLEAN
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table, track
from contrastive_artifacts.core.errors import ArtifactsError
from contrastive_artifacts.core.seeding import generator
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.data.views.delivery import rounded, under_full_scale
from contrastive_artifacts.data.views.sources import cut_window, window_start
from contrastive_artifacts.probes.set_metrics import FALSE_POSITIVES
from contrastive_artifacts.runs import corpus_sections
from contrastive_artifacts.runs.sets import AUDIBLE, UNHEARD

textbook = cli.load(Path(__file__).parent / "textbook")
FORMS, RECORDINGS = textbook.FORMS, textbook.RECORDINGS
WINDOW_S, LEAST_S = 5, 4
PAIRS = 6  # of each clip
RESAMPLES = 200  # of the clips, for intervals
MEAN, PAIR = "mean", "pair"
HEADER = ["corpus", "artifact", "form", "windows", "area", "low", "high", "recall", "present", "others"]

Chain = tuple[tuple[str, str], ...]  # artifacts and forms


@dataclass(frozen=True)
class Settings:
    encoder: str
    corpora: Mapping[str, Mapping[str, Any]] | None
    clips: int
    seed: int
    csv: str


class Heard(NamedTuple):
    """What the encoder says of one window."""

    clip: int
    chain: Chain  # empty: clean
    kind: str  # of the chain: PAIR, a medium, or a form
    chances: dict[str, float]
    present: frozenset[str]
    unknown: frozenset[str]  # artifacts that the clip itself may hold


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    files.check_file("csv", settings.csv)
    encoder = ca.load(settings.encoder)
    rows: list[list[Any]] = []
    for name, corpus in corpus_sections.make_corpora(settings.corpora or UNHEARD).items():
        windows = list(_heard(encoder, corpus, settings, name))
        rows += [[name, *(f"{v:.3f}" if isinstance(v, float) else v for v in row)] for row in figures(windows)]
    files.write_csv(settings.csv, [HEADER, *rows])
    table(f"textbook renderings, {settings.encoder}", HEADER, [row for row in rows if row[2] == MEAN])
    console.print(f"rows  {settings.csv}")


def _heard(encoder: ca.PretrainedEncoder, corpus: Corpus, settings: Settings, name: str) -> Iterator[Heard]:
    clips = _sources_in_turn([corpus.clips[i] for i in generator(settings.seed, "clips").permutation(len(corpus))])
    usable = ((clip, window) for clip in clips if (window := _window(corpus, clip, settings.seed)))
    numbers = track(range(min(settings.clips, len(corpus))), f"hear {name}")
    for number, (clip, (window, rate)) in zip(numbers, usable, strict=False):
        rng = generator(settings.seed, "independent", number)
        for kind, chain in _chains(encoder, rng):
            sound = window
            for artifact, form in chain:
                sound = FORMS[artifact][form](sound, rate, float(rng.uniform(*AUDIBLE)), rng)
            heard = encoder.classify((rounded(under_full_scale(sound.astype(np.float32)[None]), None), rate))
            unknown = frozenset(clip.unknown)
            yield Heard(number, chain, kind, heard.probabilities, frozenset(heard.present), unknown)


def _sources_in_turn(clips: Sequence[Clip]) -> list[Clip]:
    """The first clip of every source, then the second ones, and so on."""
    of_source: dict[str, list[Clip]] = {}
    for clip in clips:
        of_source.setdefault(clip.source, []).append(clip)
    return [clip for turn in zip_longest(*of_source.values()) for clip in turn if clip is not None]


def _chains(encoder: ca.PretrainedEncoder, rng: np.random.Generator) -> list[tuple[str, Chain]]:
    """What is rendered into one clip: nothing, every form, pairs, and recordings."""
    forms = [(artifact, form) for artifact, of_artifact in FORMS.items() for form in of_artifact]
    forms = [(artifact, form) for artifact, form in forms if artifact in encoder.labels]
    chains: list[tuple[str, Chain]] = [(CLEAN, ()), *((form, ((artifact, form),)) for artifact, form in forms)]
    if encoder.of_sets:
        pairs = [tuple(forms[i] for i in sorted(rng.choice(len(forms), 2, replace=False))) for _ in range(PAIRS)]
        chains += [(PAIR, pair) for pair in pairs if pair[0][0] != pair[1][0]]
        chains += RECORDINGS.items()
    return chains


def _window(corpus: Corpus, clip: Clip, seed: int) -> tuple[np.ndarray, int] | None:
    """A window of the clip, float64 [T] with peaks of .2 to .7, and its rate; None: it is short, silent, or broken."""
    try:
        waveform, rate = corpus.load(clip)
    except ArtifactsError:
        return None
    mono, rng = audio.mono(waveform)[None], generator(seed, clip.id, "window")
    if mono.shape[1] < LEAST_S * rate:
        return None
    window = cut_window(mono, window_start(mono, WINDOW_S * rate, rng), WINDOW_S * rate)[0].astype(np.float64)
    peak = np.abs(window).max()
    return (window * (rng.uniform(0.2, 0.7) / peak), rate) if peak else None


def figures(windows: Sequence[Heard]) -> Iterator[list[Any]]:
    """Rows as HEADER without the corpus: the mean, clean, pairs, recordings, then each artifact before its forms."""
    clean = [window for window in windows if not window.chain]
    singles: dict[tuple[str, str], list[Heard]] = {}
    for window in windows:
        if window.kind not in (CLEAN, PAIR, *RECORDINGS):
            singles.setdefault(window.chain[0], []).append(window)
    forms = {
        form: _figures_of(form[0], heard, clean)
        for form, heard in singles.items()
        if not all(form[0] in window.unknown for window in clean)
    }
    artifacts = {name: np.mean([f for (a, _), f in forms.items() if a == name], axis=0) for name, _ in forms}
    yield ["all", MEAN, sum(map(len, singles.values())), *_row(np.mean(list(artifacts.values()), axis=0))]
    yield [CLEAN, MEAN, len(clean), *[""] * 5, float(np.mean([len(w.present - w.unknown) for w in clean]))]
    for kind in (PAIR, *RECORDINGS):
        of_kind = [window for window in windows if window.kind == kind]
        if of_kind:
            yield [kind, MEAN, len(of_kind), *[""] * 4, *_of_chains(of_kind, all if kind == PAIR else any)]
    for name, mean in artifacts.items():
        of_artifact = {form: values for (artifact, form), values in forms.items() if artifact == name}
        yield [name, MEAN, sum(len(singles[name, form]) for form in of_artifact), *_row(mean)]
        for form, values in of_artifact.items():
            yield [name, form, len(singles[name, form]), *_row(values)]


def _of_chains(windows: Sequence[Heard], needed: Any) -> list[float]:
    """Share of the windows of which all (or any) artifacts are present, and the mean number of others."""
    sets = [({artifact for artifact, _ in window.chain}, window) for window in windows]
    present = [needed(artifact in window.present for artifact in artifacts) for artifacts, window in sets]
    others = [len(window.present - window.unknown - artifacts) for artifacts, window in sets]
    return [float(np.mean(present)), float(np.mean(others))]


def _figures_of(name: str, heard: Sequence[Heard], clean: Sequence[Heard]) -> np.ndarray:
    """Recall, share present, others, area, and the areas of the resampled clips, ``[4 + RESAMPLES]``."""
    heard, clean = ([window for window in part if name not in window.unknown] for part in (heard, clean))
    damaged_at, clean_at = (np.array([window.chances[name] for window in part]) for part in (heard, clean))
    recall = (damaged_at > np.quantile(clean_at, 1 - FALSE_POSITIVES)).mean()
    present = np.mean([name in window.present for window in heard])
    others = np.mean([len(window.present - window.unknown - {name}) for window in heard])
    clips = np.array([window.clip for window in clean])
    rng, areas = generator(0, "independent", "intervals"), [_area(damaged_at, clean_at)]
    for _ in range(RESAMPLES):
        weights = np.bincount(rng.choice(clips, len(clips)), minlength=clips.max() + 1)
        counts = (weights[[window.clip for window in part]] for part in (heard, clean))
        areas.append(_area(*(np.repeat(at, n) for at, n in zip((damaged_at, clean_at), counts, strict=True))))
    return np.array([recall, present, others, *areas])


def _row(figures: np.ndarray) -> list[float]:
    recall, present, others, area, *resampled = figures.tolist()
    low, high = np.quantile(resampled, [0.025, 0.975]).tolist()
    return [area, low, high, recall, present, others]


def _area(damaged: np.ndarray, clean: np.ndarray) -> float:
    """Area under the ROC curve of chances."""
    ranks = rankdata(np.concatenate([damaged, clean]))[: len(damaged)]
    return float((ranks.mean() - (len(damaged) + 1) / 2) / len(clean))
