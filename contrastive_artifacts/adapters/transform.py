"""Artifacts as transforms in the style of audiomentations: ``transform(samples, sample_rate)``, alone or in a Compose.

    augment = Compose([ArtifactTransform(["hum", "clicks"], p=0.5, severity=(0.2, 0.8)), ...])
    augmented = augment(samples, sample_rate=44100)

Nothing of audiomentations is imported. Draws come from Python's ``random``, as its own do: ``random.seed`` repeats
them, and workers of a PyTorch DataLoader draw differently.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import artifacts
from ..artifacts.base import check_severity
from ..core.errors import AudioError, ParameterError

Parameters = dict[str, Any]


def _uniform() -> float:  # a function of the module: pickled, random.random would be a generator of its own
    return random.random()


class ArtifactTransform:
    """Renders one of several artifacts with a probability, at a severity drawn from a range.

    Args:
        names: The artifact, or those that one is drawn of; default: those of :data:`.artifacts.DEFAULT`.
        p: Probability that anything is rendered, [0, 1].
        severity: Range that the severity is drawn from, uniformly, or the severity itself; in [0, 1].

    Attributes:
        parameters: Of the last call: ``{"should_apply": bool, "params": ...}``. It is JSON; with the params,
            :func:`contrastive_artifacts.replay` renders the same samples.

    Raises:
        UnknownNameError: no such artifact.
        ParameterError: ``p`` or ``severity`` out of range, or no names.
    """

    supports_mono = supports_multichannel = True

    def __init__(
        self,
        names: str | Sequence[str] = artifacts.DEFAULT,
        p: float = 0.5,
        severity: float | tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self.names = (names,) if isinstance(names, str) else tuple(names)
        low, high = severity if isinstance(severity, Sequence) else (severity, severity)
        self.severity = (check_severity(low), check_severity(high))
        self.p = float(p)
        if not self.names or self.severity[0] > self.severity[1] or not 0.0 <= self.p <= 1.0:
            raise ParameterError(
                f"names={names!r}, p={p!r}, severity={severity!r}: give a name or more, p in [0, 1], and low <= high."
            )
        self._artifacts = [artifacts.artifact(name) for name in self.names]
        self.parameters: Parameters = {"should_apply": None}
        self.are_parameters_frozen = False
        self.uniform: Callable[[], float] = _uniform

    def __call__(self, samples: Any, sample_rate: int) -> Any:
        """The samples with the artifact, or as they are.

        Args:
            samples: NumPy or torch, ``[T]`` or ``[C, T]``; not changed.
            sample_rate: Hz.

        Returns:
            The same kind and shape, float32.

        Raises:
            AudioError: no samples, or none of the artifacts fits so few channels.
        """
        if not self.are_parameters_frozen:
            self.randomize_parameters(samples, sample_rate)
        if not self.parameters["should_apply"]:
            return samples
        return artifacts.replay(samples, sample_rate, self.parameters["params"])

    def randomize_parameters(self, samples: Any, sample_rate: int) -> None:
        """Draws the parameters of the next call; they do not depend on the samples, only on their channels."""
        self.parameters = {"should_apply": self.uniform() < self.p}
        if not self.parameters["should_apply"]:
            return
        channels = 1 if np.ndim(samples) < 2 else len(samples)
        fitting = [artifact for artifact in self._artifacts if artifact.fits(channels)]
        if not fitting:
            raise AudioError(f"{', '.join(self.names)} need more channels than {channels}; choose other artifacts.")
        name = fitting[int(self.uniform() * len(fitting))].name
        low, high = self.severity
        severity, seed = low + (high - low) * self.uniform(), int(self.uniform() * 2**31)
        self.parameters["params"] = artifacts.draw(name, severity, seed)

    def freeze_parameters(self) -> None:
        """The next calls repeat the last parameters, on whatever they are given."""
        self.are_parameters_frozen = True

    def unfreeze_parameters(self) -> None:
        """The next calls draw anew."""
        self.are_parameters_frozen = False

    def serialize_parameters(self) -> Parameters:
        """The parameters of the last call, JSON."""
        return self.parameters

    def __repr__(self) -> str:
        return f"ArtifactTransform(names={self.names!r}, p={self.p!r}, severity={self.severity!r})"
