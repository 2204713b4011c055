"""The page of artifacts: each with its docstring (model and sources), its parameters and a rendered spectrogram."""

from __future__ import annotations

import inspect
import io
import sys
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts import Artifact
from contrastive_artifacts.artifacts.fields import Choice, Field, Number, Rows, Whole
from contrastive_artifacts.pages.shared.thumbnail import BANDS, FRAMES, thumbnail

sys.path.insert(0, str(Path(__file__).parents[1] / "analysis"))

import contact_sheet

SEVERITY, SEED, SECONDS, SCALE = 0.8, 0, 3.0, 2
_GAP = 6  # columns between the clean and the damaged picture


def pages() -> dict[str, str | bytes]:
    """Path below docs/ -> the page, and a picture of each artifact that this machine can render."""
    pictures = {f"reference/artifacts/{name}.png": picture(name) for name in artifacts.names() if _renders(name)}
    return {"reference/artifacts.md": page(), **pictures}


def page() -> str:
    """Every artifact by family."""
    parts = [
        "# Artifacts",
        "Every artifact of the package: what it models, after which sources, its parameters and what severity 0 to 1 "
        f"means. Pictures: spectrograms (40 Hz to half the sample rate, logarithmic, 75 dB) of {SECONDS:g} s of a "
        f"synthetic voice, clean and at severity {SEVERITY:g}. Generated from the docstrings of "
        "`contrastive_artifacts/artifacts/kinds/`; `python analysis/contact_sheet.py` makes a page of them to hear.",
    ]
    families = dict.fromkeys(artifacts.artifact(name).family for name in artifacts.names())
    for family in families:
        parts.append(f"## {family}")
        for name in artifacts.names():
            if artifacts.artifact(name).family == family:
                parts.append(section(artifacts.artifact(name)))
    return "\n\n".join(parts) + "\n"


def section(artifact: Artifact) -> str:
    """Heading, picture, docstring, scale, synonyms and parameters of one artifact."""
    parts = [f"### {artifact.name} {{#{artifact.name}}}"]
    if _renders(artifact.name):
        parts.append(f"![{artifact.name}: clean, and at severity {SEVERITY:g}](artifacts/{artifact.name}.png)")
    text = inspect.getdoc(type(artifact)) or ""
    parts += [text.replace("``", "`").replace("<", "&lt;"), f"**Severity**: {artifact.scale}."]
    if artifact.synonyms:
        parts.append(f"**Also called**: {', '.join(artifact.synonyms)}.")
    if artifact.fields:
        rows = [f"| `{name}` | {_range(field)} |" for name, field in artifact.fields.items()]
        parts.append("\n".join(["| parameter | range |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def _range(field: Field) -> str:
    """The values of a parameter in words."""
    if isinstance(field, Number):
        return f"{field.low:g} .. {field.high:g} {field.unit}".strip()
    if isinstance(field, Whole):
        return f"{field.low} .. {field.high}"
    if isinstance(field, Choice):
        return ", ".join(map(str, field.options))
    if isinstance(field, Rows):
        return "rows of " + ", ".join(f"{name} ({_range(inner)})" for name, inner in field.columns.items())
    return type(field).__name__.lower()


def picture(name: str) -> bytes:
    """Spectrograms of the clip, clean and with the artifact, side by side: a PNG file."""
    artifact, (waveform, rate) = artifacts.artifact(name), _clip()
    clean = waveform if len(waveform) >= artifact.least_channels else contact_sheet.widened(waveform, rate)
    damaged = artifacts.render(name, clean, rate, SEVERITY, SEED).waveform
    # A fault between channels shows in their difference.
    one = [x[0] - x[-1] if artifact.least_channels > 1 else x.mean(axis=0) for x in (clean, damaged)]
    images = [np.frombuffer(thumbnail(x, rate), np.uint8).reshape(BANDS, FRAMES) for x in one]
    joined = np.concatenate([images[0], np.full((BANDS, _GAP), 255, np.uint8), images[1]], axis=1)
    matplotlib.use("Agg")
    from matplotlib.image import imsave

    data = io.BytesIO()
    imsave(data, joined.repeat(SCALE, 0).repeat(SCALE, 1), cmap="magma", origin="lower", vmin=0, vmax=255, format="png")
    return data.getvalue()


def _renders(name: str) -> bool:
    return artifacts.artifact(name).fits(2)


@cache
def _clip() -> tuple[np.ndarray, int]:
    waveform, rate, _ = contact_sheet.clip(None, SECONDS)
    return waveform, rate
