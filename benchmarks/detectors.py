"""Compares a scan with the detectors of ffmpeg and Essentia on the same recordings, with faults at known places.

    python benchmarks/detectors.py [FOLDER] [--hours 1] [--encoder release] [--alarms-per-hour 6]

FOLDER holds clean recordings that the encoder was not trained on; by default built-in sounds. Recordings are those of
analysis/events.py. Detectors have their own default settings (ffmpeg: silence of 20 ms below -60 dB, and a flat factor
of astats above 0 in 100 ms), for the label that each is made for; detections less than .5 s apart are one. Columns: the
share of the true events of the label that a detection overlaps or is within 100 ms of, and detections per hour of the
same recordings without faults. Detectors that are not installed are left out. Writes results/detectors.csv.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import contrastive_artifacts as ca
from contrastive_artifacts import audio
from contrastive_artifacts.core import files
from contrastive_artifacts.core.console import track
from contrastive_artifacts.data import corpora
from contrastive_artifacts.probes.events import Event, touches
from contrastive_artifacts.runs.timelines import RATE, TimelineRecipe, rendered_timeline

RESULTS = Path(__file__).parent.parent / "results" / "detectors.csv"
LABELS = ("clicks", "crackle", "clipping", "dropout", "hum", "skip", "splice")
NEAR_S, TOGETHER_S = 0.1, 0.5
Spans = Iterable[tuple[float, float]]  # seconds
Detector = Callable[[Path, np.ndarray], Spans]  # of a file, and its samples float32 [T] at RATE


def ffmpeg_silence(path: Path, x: np.ndarray) -> Spans:
    text = _ffmpeg(path, "silencedetect=noise=-60dB:d=0.02")
    starts, stops = (re.findall(rf"silence_{bound}: (-?[\d.]+)", text) for bound in ("start", "end"))
    return zip(map(float, starts), map(float, [*stops, str(len(x) / RATE)]), strict=False)


def ffmpeg_flat(path: Path, x: np.ndarray) -> Spans:
    key = "lavfi.astats.Overall.Flat_factor"
    text = _ffmpeg(path, f"asetnsamples={RATE // 10},astats=metadata=1:reset=1,ametadata=print:key={key}")
    for time, flat in re.findall(rf"pts_time:([\d.]+)[^\n]*\n[^\n]*{re.escape(key)}=([\d.]+)", text):
        if float(flat) > 0:
            yield float(time), float(time) + 0.1


def _ffmpeg(path: Path, graph: str) -> str:
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-i", str(path), "-af", graph, "-f", "null", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def essentia_spans(name: str, frame: int) -> Detector:
    """A detector that gives starts and ends in seconds."""

    def detected(path: Path, x: np.ndarray) -> Spans:
        for starts, ends in _frames(name, x, frame, sampleRate=RATE, frameSize=frame, hopSize=frame // 2):
            yield from zip(map(float, starts), map(float, ends), strict=False)

    return detected


def essentia_places(name: str, **settings: Any) -> Detector:
    """A detector that gives samples of a frame."""

    def detected(path: Path, x: np.ndarray) -> Spans:
        for number, outputs in enumerate(_frames(name, x, 512, **settings)):
            places = outputs[0] if isinstance(outputs, tuple) else outputs
            for place in np.atleast_1d(places).tolist():
                yield (number * 256 + place) / RATE, (number * 256 + place + 1) / RATE

    return detected


def essentia_hum(path: Path, x: np.ndarray) -> Spans:
    _, _, _, starts, ends = _essentia().HumDetector(sampleRate=RATE)(x)
    return zip(map(float, starts), map(float, ends), strict=True)


def _frames(name: str, x: np.ndarray, frame: int, **settings: Any) -> Iterable[Any]:
    standard = _essentia()
    detector = getattr(standard, name)(**settings)
    frames = standard.FrameGenerator(x, frameSize=frame, hopSize=frame // 2, startFromZero=True)
    return (detector(one) for one in frames)


def _essentia() -> Any:
    import essentia
    import essentia.standard as standard

    essentia.log.infoActive = essentia.log.warningActive = False
    return standard


def detectors() -> dict[str, tuple[tuple[str, ...], Detector]]:
    """Name -> the labels that a detector is made for, and the detector; of what is installed."""
    of_ffmpeg: dict[str, tuple[tuple[str, ...], Detector]] = {
        "ffmpeg silencedetect": (("dropout",), ffmpeg_silence),
        "ffmpeg astats": (("clipping",), ffmpeg_flat),
    }
    of_essentia: dict[str, tuple[tuple[str, ...], Detector]] = {
        "Essentia ClickDetector": (("clicks",), essentia_spans("ClickDetector", 512)),
        "Essentia NoiseBurstDetector": (("crackle",), essentia_places("NoiseBurstDetector")),
        "Essentia GapsDetector": (("dropout",), essentia_spans("GapsDetector", 2048)),
        "Essentia SaturationDetector": (("clipping",), essentia_spans("SaturationDetector", 512)),
        "Essentia DiscontinuityDetector": (
            ("skip", "splice"),
            essentia_places("DiscontinuityDetector", frameSize=512, hopSize=256),
        ),
        "Essentia HumDetector": (("hum",), essentia_hum),
    }
    return {
        **(of_ffmpeg if shutil.which("ffmpeg") else {}),
        **(of_essentia if importlib.util.find_spec("essentia") else {}),
    }


def joined(spans: Spans, label: str) -> list[Event]:
    """Detections, widened by NEAR_S; those less than TOGETHER_S apart are one."""
    events: list[Event] = []
    for start, stop in sorted(spans):
        if events and start - NEAR_S - events[-1].stop_s < TOGETHER_S:
            events[-1] = events[-1]._replace(stop_s=max(events[-1].stop_s, stop + NEAR_S))
        else:
            events.append(Event(start - NEAR_S, stop + NEAR_S, label))
    return events


def scanned(path: Path, encoder: ca.PretrainedEncoder, alarms: float) -> dict[str, list[Event]]:
    """Label -> the segments of a scan."""
    segments = ca.scan(path, encoder, alarms_per_hour=alarms, progress=False).segments
    spans = {label: [(s.start / RATE, s.stop / RATE) for s in segments if s.label == label] for label in LABELS}
    return {label: joined(of_label, label) for label, of_label in spans.items()}


def counts(events: Sequence[Event], truth: Sequence[Event], unknown: Sequence[Event], label: str) -> tuple[int, int]:
    """True events of a label that were detected, and all of them; in recordings without any, detections."""
    there = [event for event in truth if event.label == label and not touches(event, unknown)]
    if not truth:
        return sum(not touches(event, unknown) for event in events), 0
    return sum(touches(event, events) for event in there), len(there)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--encoder", default="release")
    parser.add_argument("--alarms-per-hour", type=float, default=6.0)
    arguments = parser.parse_args()
    encoder = ca.load(arguments.encoder)
    unseen = {"sources": 60, "duration_s": 6.0, "seed": 4321, "sample_rate": RATE}
    corpus = (
        corpora.create("builtin", **unseen)
        if arguments.folder is None
        else corpora.create("folder", path=arguments.folder)
    )
    recipe, peers = TimelineRecipe(LABELS, 300.0), detectors()
    ours = f"contrastive_artifacts {arguments.encoder}, {arguments.alarms_per_hour:g}/h"
    total: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros(3, int))
    recordings = max(1, round(12 * arguments.hours))
    for number in track(range(recordings), "recordings", total=recordings):
        timeline = rendered_timeline([(corpus, corpus.clips)], recipe, number)
        for samples, truth in ((timeline.damaged, timeline.events), (timeline.clean, ())):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "recording.wav"
                audio.write(path, samples, RATE)
                events = {
                    (label, ours): segments
                    for label, segments in scanned(path, encoder, arguments.alarms_per_hour).items()
                }
                for name, (labels, detector) in peers.items():
                    spans = list(detector(path, samples[0]))
                    events |= {(label, name): joined(spans, label) for label in labels}
            for (label, name), detected in events.items():
                matched, true = counts(detected, truth, timeline.unknown, label)
                total[label, name] += (matched, true, 0) if truth else (0, 0, matched)
    hours = recordings * recipe.seconds / 3600
    rows = [
        [label, name, str(true), f"{matched / max(true, 1):.3f}", f"{false / hours:.1f}"]
        for (label, name), (matched, true, false) in sorted(total.items())
    ]
    for row in rows:
        print(*row, sep="\t")
    sound = "built-in" if arguments.folder is None else arguments.folder.name
    command = (
        f"python benchmarks/detectors.py --hours {arguments.hours:g} --alarms-per-hour {arguments.alarms_per_hour:g}"
    )
    about = ["sound", "hours", "commit", "command"]
    end = [sound, f"{hours:.2f}", files.commit(__file__), command]
    files.write_csv(
        RESULTS, [["label", "detector", "events", "recall", "false_per_hour", *about], *([*row, *end] for row in rows)]
    )
    print(f"-> {RESULTS}")


if __name__ == "__main__":
    main()
