"""What can be done about each artifact: the stage of a restoration that treats it, and its entry in the AVAA.

Stages are in the order in which they are taken: what is lost at playback cannot be won back later, so the carrier is
played again first; clicks are removed before broadband noise, whose measure they would disturb; tone and level come
last (IASA TC-04, 2009, on transfers; Godsill & Rayner, Digital Audio Restoration, 1998). Each is done on a copy: the
transfer itself stays as it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources

STAGES = (
    "new transfer",
    "speed",
    "de-clip",
    "de-click",
    "repair of gaps",
    "de-hum",
    "de-noise",
    "de-reverb",
    "tone and level",
)
_ATLAS = "https://www.avartifactatlas.com/artifacts/{}.html"


@dataclass(frozen=True)
class Advice:
    """What can be done about an artifact.

    Attributes:
        stage: One of STAGES.
        text: A sentence.
        entry: Name of its page in the A/V Artifact Atlas; "" where it has none.
    """

    stage: str
    text: str
    entry: str = ""

    @property
    def order(self) -> int:
        """Place of the stage, from 1."""
        return STAGES.index(self.stage) + 1

    @property
    def address(self) -> str:
        """Of the page in the A/V Artifact Atlas; "" where it has none."""
        return _ATLAS.format(self.entry) if self.entry else ""


_TABLE = resources.files(__package__).joinpath("restoration.json").read_text(encoding="utf-8")
ADVICE = {name: Advice(*row) for name, row in json.loads(_TABLE).items()}
"""Of each artifact; the table is ``restoration.json``: stage, sentence, entry in the Atlas."""

MEASURED: dict[str, Advice] = {  # kinds of measured findings
    "digital clipping": ADVICE["clipping"],
    "digital silence": ADVICE["dropout"],
}


def advice(label: str) -> Advice | None:
    """What can be done about an artifact or a kind of measured finding; None for labels that users added.

    >>> advice("hum").stage, advice("tape squeal")
    ('de-hum', None)
    """
    return ADVICE.get(label) or MEASURED.get(label)
