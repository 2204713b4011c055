"""The log of a training: JSON lines, TensorBoard scalars and a progress bar."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..core import files
from ..core.console import stderr
from ..models.heads import Encoded

B = TypeVar("B")
LOG_EVERY = 10  # steps between two lines of training


class Judged(NamedTuple):
    """What an encoder says of N validation views, and what they hold."""

    h: np.ndarray  # float32 [N, H]
    logits: np.ndarray  # float32 [N, K]
    estimates: np.ndarray  # float32 [N, K], severities in [0, 1]
    states: np.ndarray  # int64 [N], index of the state; of label sets bool [N, K - 1], which faults are there
    severities: np.ndarray  # float32 [N]; of label sets [N, K - 1]


def judged(encoded: Encoded, states: Any, severities: Any) -> Judged:
    """What an encoder says of a batch of views, beside their labels, in memory of NumPy."""
    h, logits, estimates = (part.float().cpu().numpy() for part in (encoded.h, encoded.logits, encoded.severity))
    return Judged(h, logits, estimates, np.asarray(states), np.asarray(severities))


def joined(parts: Sequence[Judged]) -> Judged:
    """The views of several batches, one after the other."""
    return Judged(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


Draw = Callable[[Judged], Iterable[tuple[str, Any]]]  # names and matplotlib figures


class Clock:
    """Seconds since a training started or resumed, and how many of them it waited for batches."""

    def __init__(self) -> None:
        self.started, self.waited = time.perf_counter(), 0.0

    @property
    def elapsed(self) -> float:
        return max(time.perf_counter() - self.started, 1e-9)

    @property
    def wait_share(self) -> float:
        return self.waited / self.elapsed

    def waiting_for(self, batches: Iterable[B]) -> Iterator[B]:
        """Yields ``batches`` and adds the time that each took to arrive."""
        iterator = iter(batches)
        while True:
            asked = time.perf_counter()
            try:
                batch = next(iterator)
            except StopIteration:
                return
            finally:
                self.waited += time.perf_counter() - asked
            yield batch


class Board:
    """TensorBoard events in ``run/tensorboard``; those of later steps than the ``start`` that are done are hidden."""

    def __init__(self, run: Path, start: int, draw: Draw | None = None) -> None:
        from torch.utils.tensorboard import SummaryWriter

        logging.getLogger("tensorboard").setLevel(logging.ERROR)
        self.writer, self.figures = SummaryWriter(str(run / "tensorboard"), purge_step=start + 1), draw

    def write(self, step: int, kind: str, values: Mapping[str, float]) -> None:
        """Scalars, as ``kind/name``."""
        for name, value in values.items():
            self.writer.add_scalar(f"{kind}/{name}", value, step)

    def draw(self, step: int, views: Judged) -> None:
        """Pictures of a validation, as ``validation/name``, where there is a function that draws them."""
        for name, figure in self.figures(views) if self.figures else ():
            self.writer.add_figure(f"validation/{name}", figure, step)  # closes it

    def close(self) -> None:
        self.writer.close()


class TrainingLog:
    """Writes ``log.jsonl`` and TensorBoard events into the run; shows a progress bar inside its ``with`` block.

    Args:
        run: Directory of the run.
        steps: Number of all steps.
        start: Steps that are done; log lines of later steps, from before a kill, are removed.
        draw: Figures of a validation; None: none.
    """

    def __init__(self, run: Path, steps: int, start: int, draw: Draw | None = None) -> None:
        self.path = run / "log.jsonl"
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        files.write_text(self.path, "".join(line + "\n" for line in lines if _step(line) <= start))
        self.board = Board(run, start, draw)
        self.bar = Progress(
            TextColumn("pretrain {task.fields[stage]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeRemainingColumn(),
            console=stderr,
            disable=not stderr.is_terminal,
        )
        self.task = self.bar.add_task("", total=steps, completed=start, stage="", facts="")

    def __enter__(self) -> TrainingLog:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()
        self.board.close()

    def write(self, step: int, kind: str, stage: str, values: dict[str, Any]) -> None:
        """Writes a line ``{"step", "kind", "stage", **values}``, and the values to TensorBoard as ``kind/name``."""
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, "kind": kind, "stage": stage, **values}) + "\n")
        self.board.write(step, kind, values)

    def draw(self, step: int, views: Judged) -> None:
        """Draws a validation for TensorBoard, if the log was opened with a function for it."""
        self.board.draw(step, views)

    def advance(self, step: int, stage: str, loss: float, rate: float) -> None:
        """Moves the progress bar; ``rate`` is in views per second."""
        self.bar.update(self.task, completed=step, stage=stage, facts=f"loss {loss:.3f}  {rate:.0f} views/s")


class NoLog:
    """In place of :class:`TrainingLog` in all processes but the first one."""

    def __enter__(self) -> NoLog:
        return self

    def __exit__(self, *_: object) -> None: ...

    def write(self, step: int, kind: str, stage: str, values: dict[str, Any]) -> None: ...

    def draw(self, step: int, views: Judged) -> None: ...

    def advance(self, step: int, stage: str, loss: float, rate: float) -> None: ...


def _step(line: str) -> int:
    """Step of a log line; a line that a kill cut short counts as after every checkpoint."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 2**62
