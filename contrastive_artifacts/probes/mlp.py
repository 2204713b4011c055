"""A small multilayer perceptron as a probe: shows what is readable from an embedding beyond a linear probe."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..core.seeding import derive
from .calibration import fit_temperature, probabilities_of
from .data import check_matrix, grouped_folds, training_set
from .linear import standardisation
from .storage import PROBES

HIDDEN = 256
DROPOUT = 0.2
WEIGHT_DECAY = 0.05
LEARNING_RATE = 1e-3
BATCH = 256  # or a sixteenth of the rows if that is less, so that an epoch of a small set has enough steps
EPOCHS = 60
PATIENCE = 8


@dataclass(frozen=True, eq=False)
class MLPProbe:
    """One hidden layer of ReLU units; inference in NumPy.

    Attributes:
        classes: K names, sorted.
        layers: ((weights [H, D], bias [H]), (weights [K, H], bias [K])), float32, standardisation folded in.
        temperature: Fitted on the held-out sources.
    """

    kind: ClassVar[str] = "mlp"
    classes: tuple[str, ...]
    layers: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    temperature: float

    @classmethod
    def fit(cls, x: Any, labels: Any, sources: Any, seed: int = 0) -> MLPProbe:
        """Trains by AdamW with dropout and weight decay; one fifth of the sources is held out for early stopping.

        Args:
            x: [N, D].
            labels: [N] class names, two or more.
            sources: [N] split keys, two or more.
            seed: Of the initial weights, the batches and the dropout; torch's global random state does not change.

        Raises:
            ParameterError: unfit shapes or values, or a single class.
            SplitError: fewer than two sources.
        """
        import torch
        from torch import nn

        x, labels, sources = training_set(x, labels, sources)
        classes, target = np.unique(labels, return_inverse=True)
        train, held_out = grouped_folds(labels, sources, folds=5)[0]
        held_out = held_out[np.isin(target[held_out], target[train])]
        mean, scale = standardisation(x[train])
        inputs = torch.from_numpy(((x - mean) / scale).astype(np.float32))
        targets = torch.from_numpy(target.astype(np.int64))
        batch = min(BATCH, -(-len(train) // 16))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive("mlp probe", seed))
            net = nn.Sequential(
                nn.Dropout(DROPOUT),
                nn.Linear(x.shape[1], HIDDEN),
                nn.ReLU(),
                nn.Dropout(DROPOUT),
                nn.Linear(HIDDEN, len(classes)),
            )
            optimiser = torch.optim.AdamW(net.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
            best, best_state, waited = float("inf"), copy.deepcopy(net.state_dict()), 0
            for _ in range(EPOCHS):
                net.train()
                for rows in torch.from_numpy(train)[torch.randperm(len(train))].split(batch):
                    optimiser.zero_grad()
                    nn.functional.cross_entropy(net(inputs[rows]), targets[rows]).backward()
                    optimiser.step()
                net.eval()
                with torch.no_grad():
                    outputs = net(inputs[held_out])
                    loss = float(nn.functional.cross_entropy(outputs, targets[held_out]))
                waited += 1
                if loss < best:
                    best, best_state, waited = loss, copy.deepcopy(net.state_dict()), 0
                if waited == PATIENCE:
                    break
        first, first_bias, second, second_bias = (value.numpy().astype(np.float64) for value in best_state.values())
        first = first / scale
        layers = ((first, first_bias - first @ mean), (second, second_bias))
        single = tuple((w.astype(np.float32), b.astype(np.float32)) for w, b in layers)
        probe = cls(tuple(map(str, classes)), (single[0], single[1]), 1.0)
        return cls(probe.classes, probe.layers, fit_temperature(probe.logits(x[held_out]), target[held_out]))

    def logits(self, x: Any) -> np.ndarray:
        """Before temperature and softmax, float32 [N, K]."""
        (first, first_bias), (second, second_bias) = self.layers
        hidden = np.maximum(check_matrix(x, first.shape[1]) @ first.T + first_bias, 0.0)
        return hidden @ second.T + second_bias

    def predict_proba(self, x: Any) -> np.ndarray:
        """Calibrated probabilities, float64 [N, K] in the order of ``classes``."""
        return probabilities_of(self.logits(x), self.temperature)

    def predict(self, x: Any) -> np.ndarray:
        """The most probable class of each row, [N] strings."""
        return np.array(self.classes)[self.logits(x).argmax(axis=1)]

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        (first, first_bias), (second, second_bias) = self.layers
        arrays = {"first": first, "first_bias": first_bias, "second": second, "second_bias": second_bias}
        return arrays, {"classes": list(self.classes), "temperature": self.temperature}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray], record: dict[str, Any]) -> MLPProbe:
        classes, temperature = tuple(map(str, record["classes"])), float(record["temperature"])
        first, second = arrays["first"], arrays["second"]
        shapes = (arrays["first_bias"].shape, second.shape, arrays["second_bias"].shape)
        if first.ndim != 2 or shapes != ((len(first),), (len(classes), len(first)), (len(classes),)):
            raise ValueError(f"layers {first.shape}, {second.shape} do not fit {len(classes)} classes")
        if not temperature > 0:
            raise ValueError(f"temperature {temperature} is not positive")
        return cls(classes, ((first, arrays["first_bias"]), (second, arrays["second_bias"])), temperature)


PROBES.register(MLPProbe.kind, MLPProbe)
