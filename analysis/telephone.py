"""Checks an encoder of label sets on codecs in files of 8 kHz, and on 8 kHz in wider files.

    python analysis/telephone.py
    python analysis/telephone.py 'corpora={speech: {kind: folder, path: DIR}}'

Each clip is brought to 8 kHz and coded by the real encoders, two that training views hold (GSM 06.10, AMR) and three
that they do not (G.723.1, RealAudio 14.4, Nellymoser). The decoded sound is rounded to 16 bits and heard at 8 kHz,
where nothing but the codec tells, and in a file of 44.1 kHz, which lacks its upper band as well. The table has for each
of these in which share of the recordings the codec is heard, and a band limit, and how many other faults a recording.
"""

from __future__ import annotations

from contrastive_artifacts import cli

if __name__ == "__main__":  # before the slow imports
    cli.run(__file__)

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.artifacts.dsp.coders import code, through_ffmpeg
from contrastive_artifacts.core import files, typed
from contrastive_artifacts.core.console import console, table, track
from contrastive_artifacts.core.errors import ArtifactsError
from contrastive_artifacts.data.corpora import Corpus
from contrastive_artifacts.data.views.delivery import rounded
from contrastive_artifacts.probes.precision import wilson
from contrastive_artifacts.runs import corpus_sections
from contrastive_artifacts.runs.sets import UNHEARD

RATE, WIDE = 8000, 44100
LEVEL = 0.5  # peak of what is coded
HEADER = ["corpus", "codec", "file_rate", "clips", "codec_share", "low", "high", "bandlimit_share", "other_faults"]


@dataclass(frozen=True)
class Settings:
    encoder: str
    corpora: Mapping[str, Mapping[str, Any]] | None
    clips: int
    csv: str


def unseen_codec(name: str, kbps: float, kind: str) -> Callable[[np.ndarray], np.ndarray]:
    """Takes float32 ``[T]`` at 8 kHz through an encoder and a decoder of FFmpeg, late by less than 25 ms."""
    return lambda samples: through_ffmpeg(samples, RATE, kbps, name, name, kind, lambda kbps: {})


CODECS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda samples: samples,
    "gsm": lambda samples: code(samples, RATE, "gsm", 13.0),
    "amr_nb 12.2": lambda samples: code(samples, RATE, "amr_nb", 12.2),
    "amr_nb 4.75": lambda samples: code(samples, RATE, "amr_nb", 4.75),
    "g723_1": unseen_codec("g723_1", 6.3, "s16"),
    "real_144": unseen_codec("real_144", 8.0, "s16"),
    "nellymoser": unseen_codec("nellymoser", 16.0, "flt"),
}


def main(config: dict[str, Any]) -> None:
    settings = typed.settings(Settings, config, "")
    files.check_file("csv", settings.csv)
    encoder = ca.load(settings.encoder)
    rows = [
        row
        for name, corpus in corpus_sections.make_corpora(settings.corpora or UNHEARD).items()
        for row in _rows(name, encoder, corpus, settings.clips)
    ]
    files.write_csv(settings.csv, [HEADER, *rows])
    table(f"{settings.encoder}: telephone codecs", HEADER, rows)
    console.print(f"table  {settings.csv}")


def _rows(name: str, encoder: ca.PretrainedEncoder, corpus: Corpus, clips: int) -> list[list[Any]]:
    present: dict[tuple[str, int], list[tuple[str, ...]]] = {(c, rate): [] for c in CODECS for rate in (RATE, WIDE)}
    for clip in track(corpus.clips[:clips], f"classify {name}"):
        try:
            waveform, rate = corpus.load(clip)
            narrow = audio.resample(audio.mono(waveform), rate, RATE)
            narrow *= np.float32(LEVEL / max(float(np.abs(narrow).max()), 1e-6))
            for codec, through in CODECS.items():
                decoded = through(narrow)[: len(narrow)]
                for file_rate in (RATE, WIDE):
                    heard = rounded(audio.resample(decoded, RATE, file_rate), None)
                    present[codec, file_rate].append(encoder.classify((heard, file_rate)).present)
        except ArtifactsError:  # cannot be read, or too short
            continue
    rows = []
    for (codec, file_rate), sets in present.items():
        with_codec, limited = (sum(fault in names for names in sets) for fault in ("codec", "bandlimit"))
        others = sum(len(set(names) - {"codec", "bandlimit"}) for names in sets)
        count = max(1, len(sets))
        shares = (with_codec / count, *wilson(with_codec, len(sets)), limited / count, others / count)
        rows.append([name, codec, file_rate, len(sets), *(f"{share:.3f}" for share in shares)])
    return rows
