"""What is heard when in a long sound: stretches of windows with one verdict."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...embedding.embedder import Embedding
from ...probes import AnyProbe
from .collection import heard_columns


def stretches(probe: AnyProbe | None, embedding: Embedding, samples: int) -> list[dict[str, Any]]:
    """Stretches that cover a sound, as JSON for the page: ``start`` and ``stop`` in seconds, ``label``, ``chance``.

    Windows overlap; each one judges the part of the sound that lies nearest to its middle. The chance is the mean of
    the windows of a stretch. A sound of one window, and one without a probe, has no stretches.

    Args:
        probe: Judges the windows.
        embedding: Of the sound.
        samples: Length of the sound.
    """
    if probe is None or len(embedding.frames) < 2:
        return []
    columns = heard_columns(probe, embedding.frames)
    labels = columns["present" if "present" in columns else "heard"].to_pylist()
    chances = columns["heard_probability"].to_numpy()
    middles = embedding.samples.mean(axis=1)
    edges = np.concatenate([[0], (middles[1:] + middles[:-1]) / 2, [samples]]) / embedding.sample_rate
    first = [n for n, label in enumerate(labels) if n == 0 or label != labels[n - 1]]
    return [
        {
            "start": round(float(edges[a]), 3),
            "stop": round(float(edges[b]), 3),
            "label": labels[a],
            "chance": round(float(np.mean(chances[a:b])), 4),
        }
        for a, b in zip(first, [*first[1:], len(labels)], strict=True)
    ]
