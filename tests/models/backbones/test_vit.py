"""The blocks against the encoder layer of PyTorch and against BEATs' attention written out for one query at a time."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.models.backbones.vit import Attention, Block, Transformer, recorded_attention

DIM, HEADS, LENGTH = 24, 3, 7


def _filled(module: nn.Module) -> nn.Module:
    """Random values everywhere, so that biases and norms matter."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.3, generator=generator)
    return module.double().eval()


def _tokens() -> Tensor:
    return torch.randn(2, LENGTH, DIM, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def _bias() -> Tensor:
    return torch.randn(HEADS, LENGTH, LENGTH, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_block_is_the_encoder_layer_of_pytorch(norm: str) -> None:
    theirs = nn.TransformerEncoderLayer(
        DIM,
        HEADS,
        4 * DIM,
        dropout=0,
        activation="gelu",
        layer_norm_eps=1e-6,
        batch_first=True,
        norm_first=norm == "pre",
    )
    _filled(theirs)
    names = {
        "self_attn.in_proj_weight": "attention.qkv.weight", "self_attn.in_proj_bias": "attention.qkv.bias",
        "self_attn.out_proj": "attention.out", "linear1": "mlp.fc1", "linear2": "mlp.fc2",
    }  # fmt: skip
    state = {}
    for key, value in theirs.state_dict().items():
        prefix = next((old for old in names if key.startswith(old)), None)
        state[key.replace(prefix, names[prefix]) if prefix else key] = value
    ours = Block(DIM, HEADS, 4 * DIM, norm=norm).double().eval()  # type: ignore[arg-type]
    ours.load_state_dict(state)
    torch.testing.assert_close(ours(_tokens()), theirs(_tokens()))
    mask = _bias().repeat(2, 1, 1)  # PyTorch wants one for every row and head
    torch.testing.assert_close(ours(_tokens(), _bias()), theirs(_tokens(), src_mask=mask))


def test_gated_attention_written_out_for_every_query() -> None:
    attention = _filled(Attention(DIM, HEADS, gated=True))
    x, bias, size = _tokens(), _bias(), DIM // HEADS
    q, k, v = (part.unflatten(2, (HEADS, size)) for part in attention.qkv(x).chunk(3, dim=2))
    expected = torch.zeros_like(x)
    for row in range(2):
        for head in range(HEADS):
            for place in range(LENGTH):
                query = q[row, place, head]
                gates = attention.gate(query)
                first, second = gates[:4].sum().sigmoid(), gates[4:].sum().sigmoid()
                factor = first * (second * attention.gate_scale[0, head, 0, 0] - 1) + 2
                scores = k[row, :, head] @ query / math.sqrt(size) + factor * bias[head, place]
                mixed = scores.softmax(0) @ v[row, :, head]
                expected[row, place, head * size : (head + 1) * size] = mixed
    torch.testing.assert_close(attention(x, bias), attention.out(expected))
    assert not torch.allclose(attention(x, bias), attention(x))


def test_scaled_residuals() -> None:
    block = _filled(Block(DIM, HEADS, 2 * DIM, norm="post", eps=1e-5, residual=1.7))
    x = _tokens()
    middle = block.norm1(1.7 * x + block.attention(x))
    torch.testing.assert_close(block(x), block.norm2(1.7 * middle + block.mlp(middle)))


def test_maps_are_the_weights_that_mix_the_values() -> None:
    attention = _filled(Attention(DIM, HEADS, gated=True))
    maps = attention.maps(_tokens(), _bias())
    assert maps.shape == (2, HEADS, LENGTH, LENGTH)
    torch.testing.assert_close(maps.sum(-1), torch.ones(2, HEADS, LENGTH, dtype=torch.float64))
    values = attention.qkv(_tokens())[..., 2 * DIM :].unflatten(2, (HEADS, -1))
    mixed = torch.einsum("bhqk,bkhd->bqhd", maps, values).flatten(2)
    torch.testing.assert_close(attention.out(mixed), attention(_tokens(), _bias()))


def test_recording_changes_nothing_and_ends() -> None:
    network = _filled(Transformer(3, DIM, HEADS))
    plain = network(_tokens(), _bias())
    with recorded_attention(network) as maps:
        assert torch.equal(network(_tokens(), _bias()), plain)
        network(_tokens(), _bias())
    network(_tokens(), _bias())
    assert list(maps) == [f"blocks.{i}.attention" for i in range(3)]
    assert all(len(passes) == 2 and torch.equal(*passes) and not passes[0].requires_grad for passes in maps.values())
    first = network.blocks[0]
    expected = first.attention.maps(first.norm1(_tokens()), _bias())
    torch.testing.assert_close(maps["blocks.0.attention"][0], expected.detach().float())


def test_checkpointing_computes_twice_and_gives_the_same_gradients() -> None:
    network = _filled(Transformer(2, DIM, HEADS, gated=True)).train()
    calls: list[int] = []
    network.blocks[0].attention.register_forward_pre_hook(lambda *_: calls.append(1))

    def gradients() -> list[Tensor]:
        bias = _bias().requires_grad_()
        calls.clear()
        loss = network(_tokens(), bias).square().sum()
        return list(torch.autograd.grad(loss, [bias, *network.parameters()]))

    plain, once = gradients(), len(calls)
    network.checkpointing = True
    again, twice = gradients(), len(calls)
    assert (once, twice) == (1, 2)
    for expected, output in zip(plain, again, strict=True):
        torch.testing.assert_close(output, expected)
    network.eval()
    gradients()
    assert len(calls) == 1


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ParameterError, match="equal heads"):
        Attention(10, 3)
    with pytest.raises(ParameterError, match="pre, post"):
        Block(8, 2, 16, norm="layer")  # type: ignore[arg-type]
