"""Names of artifacts and findings in vocabularies of the trade."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...artifacts import ARTIFACTS
from ..marks import NO_DATA, OUT_OF_PHASE
from ..measured.clipping import KIND as CLIPPING
from ..measured.silence import KIND as SILENCE
from ..measured.silence import LEADER, TRAILER

MEASURED = (CLIPPING, SILENCE, LEADER, TRAILER)  # kinds of findings
_VOCABULARIES = {"AVAA": "A/V Artifact Atlas", "ML": "MovieLabs QC Vocabulary"}  # beginning of a synonym -> its name


@dataclass(frozen=True)
class Item:
    """A test of the EBU QC catalogue (https://qc.ebu.io), or one of this package where the catalogue has none.

    Attributes:
        id, name, version: Those of the catalogue; an id that begins with "ca-" is one of this package.
        is_check: Whether a mark fails the test; other tests only report.
    """

    id: str
    name: str
    version: str
    is_check: bool = True

    @property
    def of_catalogue(self) -> bool:
        return not self.id.startswith("ca-")


_CLIPPING = Item("0005B", "Audio Digital Clipping", "2.0")
_DROPOUTS = Item("0008B", "Audio Dropouts", "2.0")
_PHASE = Item("0012B", "Audio Phase Reversal", "2.0")
_CLICKS = Item("0057B", "Audio Clicks", "1.0")
_SILENCE = Item("0078B", "Audio Silence", "3.0", is_check=False)
_DISTORTION = Item("0231B", "Audio Distortion", "1.0")
EBU_QC = {
    "clipping": _CLIPPING,
    "dropout": _DROPOUTS,
    "tape_dropout": _DROPOUTS,
    "packet_loss": _DROPOUTS,
    "polarity": _PHASE,
    "clicks": _CLICKS,
    "periodic_clicks": _CLICKS,
    "crackle": _CLICKS,
    "hiss": Item("0086B", "Audio Noise", "1.0"),
    "hum": Item("0088B", "Audio Hum & Buzz", "1.0"),
    "saturation": _DISTORTION,
    "crossover": _DISTORTION,
    CLIPPING: _CLIPPING,
    SILENCE: _SILENCE,
    LEADER: _SILENCE,
    TRAILER: _SILENCE,
    OUT_OF_PHASE: _PHASE,
    NO_DATA: Item("ca-no-data", "No Audio Data in the File", "1.0"),
}


def ebu_item(name: str) -> Item:
    """The test of an artifact, a kind of finding or a note; one of this package where the catalogue has none."""
    words = re.findall(r"[0-9a-zA-Z]+", name)
    return EBU_QC.get(name) or Item(f"ca-{'-'.join(words).lower()}", " ".join(words).title(), "1.0")


def terms(name: str) -> list[str]:
    """The names of an artifact, a kind of finding or a note in other vocabularies, each after that of the vocabulary.

    >>> terms("clipping")[:2]
    ['A/V Artifact Atlas: Digital Clipping', 'MovieLabs QC Vocabulary: clipping']
    """
    synonyms = ARTIFACTS[name].synonyms if name in ARTIFACTS else ()
    split = (synonym.partition(" ") for synonym in synonyms)
    names = [f"{_VOCABULARIES[first]}: {term}" for first, _, term in split if first in _VOCABULARIES]
    item = ebu_item(name)
    return [*names, f"EBU QC: {item.id} {item.name}"] if item.of_catalogue else names
