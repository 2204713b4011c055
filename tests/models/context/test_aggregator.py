"""What order is to each kind of context module, that padding is nothing, and that files keep it all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from contrastive_artifacts.core.errors import FingerprintError, ParameterError, StorageError, WeightsError
from contrastive_artifacts.models.context import (
    Context,
    ContextSettings,
    Stretch,
    attention_distance,
    encode,
    recorded_attention,
)
from contrastive_artifacts.models.objectives import ObjectiveSettings
from contrastive_artifacts.training.context import FitSettings, Sequences, fit

STATES = ("clean", "periodic_clicks")
INPUTS = 6


def module(kind: str, **options: object) -> Context:
    torch.manual_seed(0)
    settings = {"width": 16, "heads": 2, "hidden": 16, "embedding": 8, "dropout": 0.0, "max_s": 30.0, **options}
    return Context(ContextSettings(kind, STATES, INPUTS, **settings)).eval()  # type: ignore[arg-type]


def stretch(vectors: np.ndarray, slow: np.ndarray | None = None) -> Stretch:
    return Stretch(vectors.astype(np.float32), np.zeros(0, np.float32) if slow is None else slow.astype(np.float32))


@pytest.mark.parametrize("kind", ["mean", "attention", "recurrent"])
def test_order_counts_where_there_is_a_position(kind: str) -> None:
    context, patches = module(kind), torch.randn(3, 20, INPUTS)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        change = (context(patches).h - context(patches[:, order]).h).abs().max()
    assert change < 1e-5 if kind == "mean" else change > 1e-3


@pytest.mark.parametrize("kind", ["mean", "attention", "recurrent"])
def test_padding_changes_nothing(kind: str) -> None:
    context, lengths = module(kind), (1, 7, 20)
    rows = [stretch(np.random.default_rng(n).standard_normal((n, INPUTS))) for n in lengths]
    together = encode(context, rows)
    for i, row in enumerate(rows):
        alone = encode(context, [row])
        for batched, single in zip(together[:4], alone[:4], strict=True):
            torch.testing.assert_close(batched[i], single[0], atol=1e-5, rtol=1e-4)
    patches, mask = torch.full((1, 20, INPUTS), 1e3), torch.arange(20)[None] < 7
    patches[0, :7] = torch.from_numpy(rows[1].vectors)  # whatever stands behind the mask
    with torch.no_grad():
        torch.testing.assert_close(context(patches, mask).h[0], together.h[1], atol=1e-5, rtol=1e-4)


def test_the_position_bias_knows_lags_and_not_places() -> None:
    """One value a lag along every diagonal, another for the same lag the other way, the same whatever the length."""
    bias = module("attention").lags(30)
    assert torch.equal(bias[:, 3:, 3:], bias[:, :-3, :-3])
    torch.testing.assert_close(bias[:, :10, :10], module("attention").lags(10))
    assert (bias[:, 0, 7] - bias[:, 7, 0]).abs().min() > 1e-3


@pytest.mark.parametrize("kind", ["attention", "recurrent"])
def test_a_period_is_learned_with_context_and_not_by_the_mean(kind: str) -> None:
    data, test = turns(240, 0), turns(200, 1)
    accuracy = {}
    for name in ("mean", kind):
        context = module(name, width=32, heads=4, depth=1)
        settings = FitSettings(steps=110, batch=40, lr=8e-3, patience=9, held_out=0.1)
        fit(context, data, settings, ObjectiveSettings(contrastive=0, ranking=0, severity=0, memory=0))
        accuracy[name] = float(
            (encode(context, [row[0] for row in test.rows]).logits.argmax(1).numpy() == test.states).mean()
        )
    assert accuracy["mean"] < 0.65, accuracy
    assert accuracy[kind] > 0.85, accuracy


def turns(count: int, seed: int) -> Sequences:
    """Ten events in 50 patches: every fifth patch, or at random places."""
    rng = np.random.default_rng(seed)
    rows, states = [], np.arange(count) % 2
    for state in states:
        row = 0.3 * rng.standard_normal((50, INPUTS)).astype(np.float32)
        places = rng.integers(5) + 5 * np.arange(10) if state else rng.permutation(50)[:10]
        row[places, 0] += 3.0
        rows.append([stretch(row)])
    sources = np.array([f"s{i // 2}" for i in range(count)])
    return Sequences(rows, states, states.astype(np.float32), sources)


def test_slow_figures_tell_what_no_patch_shows() -> None:
    """Patches of noise, the same in both states; one slow figure differs, and is unknown for some stretches."""
    context, rng = module("attention", slow=3, width=32), np.random.default_rng(0)
    states = np.arange(80) % 2
    rows = [
        [stretch(rng.standard_normal((5, INPUTS)), 50 + rng.standard_normal(3) + [4 * state, 0, 0]),
         stretch(rng.standard_normal((2, INPUTS)), np.full(3, np.nan))]
        for state in states
    ]  # fmt: skip
    data = Sequences(rows, states, states.astype(np.float32), np.array([f"s{i // 2}" for i in range(80)]))
    settings = FitSettings(steps=60, lr=5e-3, patience=9)
    fit(context, data, settings, ObjectiveSettings(contrastive=0, ranking=0, severity=0, memory=0))
    encoded = encode(context, [row[0] for row in rows])
    assert (encoded.logits.argmax(1).numpy() == states).mean() > 0.9
    unknown = encode(context, [row[1] for row in rows])
    assert unknown.h.isfinite().all()
    patches = torch.from_numpy(np.stack([row[1].vectors for row in rows]))
    with torch.no_grad():
        torch.testing.assert_close(context(patches).h, unknown.h, atol=1e-5, rtol=1e-4)
    with pytest.raises(ParameterError, match=r"expected \[80, 3\]"):
        context(patches, None, torch.zeros(80, 4))


def test_attention_distance_in_seconds() -> None:
    seconds = torch.arange(4) * 0.5
    near = torch.eye(4)[None, None]
    far = torch.eye(4)[[3, 2, 1, 0]][None, None]
    torch.testing.assert_close(attention_distance(near, seconds), torch.zeros(1))
    torch.testing.assert_close(attention_distance(far, seconds), torch.tensor([1.0]))  # 1.5, .5, .5, 1.5
    with recorded_attention(module("attention")) as maps, torch.no_grad():
        module("attention")(torch.randn(1, 5, INPUTS))
    assert all(not passes for passes in maps.values())  # of another module, no passes are recorded
    context = module("attention")
    with recorded_attention(context) as maps, torch.no_grad():
        context(torch.randn(2, 5, INPUTS))
    assert [passes[0].shape for passes in maps.values()] == [(2, 2, 5, 5)] * 2


def test_saved_and_loaded_and_refused(tmp_path: Path) -> None:
    context = module("recurrent")
    context.standardise(torch.randn(50, INPUTS))
    context.save(tmp_path, "patches-of-a")
    again, patches = Context.load(tmp_path, "patches-of-a"), torch.randn(2, 9, INPUTS)
    with torch.no_grad():
        assert torch.equal(context(patches).h, again(patches).h)
    assert context.fingerprint("a") == again.fingerprint("a") != context.fingerprint("b")
    with pytest.raises(FingerprintError, match="patches-of-a"):
        Context.load(tmp_path, "patches-of-b")
    module("mean", slow=2).save(tmp_path / "slow", "p")
    assert Context.load(tmp_path / "slow", "p").settings.slow == 2
    record = tmp_path / "slow" / "context.json"
    record.write_text(record.read_text().replace('"slow": 1', '"slow": 0'))
    with pytest.raises(FingerprintError, match="version 0, not 1"):
        Context.load(tmp_path / "slow", "p")
    module("attention").save(tmp_path / "other", "patches-of-a")
    (tmp_path / "other" / "context.safetensors").replace(tmp_path / "context.safetensors")
    with pytest.raises(WeightsError, match="do not fit"):
        Context.load(tmp_path, "patches-of-a")
    (tmp_path / "context.json").write_text("{}")
    with pytest.raises(StorageError, match="train it again"):
        Context.load(tmp_path, "patches-of-a")


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ParameterError, match="mean, attention"):
        module("lstm")
    with pytest.raises(ParameterError, match="multiple"):
        module("attention", width=15)
    context = module("mean")
    with pytest.raises(ParameterError, match="expected"):
        context(torch.randn(2, 3, INPUTS + 1))
    with pytest.raises(ParameterError, match="cut the input"):
        context(torch.randn(1, 80, INPUTS))
    with pytest.raises(ParameterError, match="no patch"):
        context(torch.randn(1, 3, INPUTS), torch.zeros(1, 3, dtype=torch.bool))
