"""Published weights name real sounds; needs the weights (CA_DEV_WEIGHTS) and ESC clips (CA_DEV_DATA)."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
import torch

from contrastive_artifacts import audio
from contrastive_artifacts.models import backbones

ACCEPTED = {  # ESC target number -> AudioSet names
    0: {"Dog", "Bark", "Animal", "Domestic animals, pets"},
    1: {"Chicken, rooster", "Rooster", "Crowing, cock-a-doodle-doo", "Fowl"},
    10: {"Rain", "Raindrop", "Rain on surface", "Water"},
    20: {"Baby cry, infant cry", "Crying, sobbing"},
    38: {"Tick", "Tick-tock", "Clock"},
    40: {"Helicopter", "Aircraft", "Vehicle"},
    41: {"Chainsaw", "Light engine (high frequency)"},
}
LABELS = {"yamnet": "yamnet/yamnet_class_map.csv", "mn04": "efficientat/audioset_527_class_labels_indices.csv"}


@pytest.mark.parametrize("name", LABELS)
def test_top_classes_of_known_sounds(dev_weights: Path, name: str) -> None:
    data = os.environ.get("CA_DEV_DATA")
    if not data:
        pytest.skip("CA_DEV_DATA is not set")
    with (dev_weights / LABELS[name]).open(newline="") as file:
        labels = [row[2] for row in csv.reader(file)][1:]
    tagger = backbones.create_tagger(name, (dev_weights / LABELS[name]).parent)
    hits = []
    for target, accepted in ACCEPTED.items():
        for path in sorted((Path(data) / "esc10").glob(f"*-{target}.*"))[:4]:
            waveform, rate = audio.read(path)
            samples = audio.resample(audio.mono(waveform), rate, tagger.backbone.sample_rate)
            with torch.no_grad():
                scores = tagger.scores(torch.from_numpy(samples)[None])[0].amax(0)
            hits.append(any(labels[i] in accepted for i in scores.topk(3).indices))
    assert len(hits) == 4 * len(ACCEPTED)
    assert sum(hits) >= 0.75 * len(hits), f"{sum(hits)} of {len(hits)}"
