"""FAST's promises: the Lipschitz bounds of its parts, its size, and input of any length."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from contrastive_artifacts.models import backbones
from contrastive_artifacts.models.backbones.fast import FAST, CenterNorm, CosineAttention, FastBlock, LipschitzBlock
from contrastive_artifacts.models.backbones.vit import recorded_attention

AST_PARAMETERS = 87e6
SMALLER = 150  # times, says the paper


def _jacobian(module: nn.Module, x: Tensor) -> Tensor:
    return torch.autograd.functional.jacobian(module, x)


def test_center_norm_is_bounded_and_its_bound_is_reached() -> None:
    torch.manual_seed(0)
    norm = CenterNorm(6)
    nn.init.uniform_(norm.weight, -2, 2)
    largest = float(torch.linalg.matrix_norm(_jacobian(norm, torch.randn(6)), 2))
    bound = 6 / 5 * float(norm.weight.detach().abs().max())
    assert largest <= bound * (1 + 1e-6)
    nn.init.ones_(norm.weight)
    near_constant = torch.ones(6) + 1e-6 * torch.randn(6)  # where layer norm's slope explodes
    assert abs(float(torch.linalg.matrix_norm(_jacobian(norm, near_constant), 2)) - 6 / 5) < 1e-5
    assert float(torch.linalg.matrix_norm(_jacobian(nn.LayerNorm(6), near_constant), 2)) > 100


def test_center_norm_takes_the_mean_away_and_keeps_the_scale() -> None:
    x = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    norm = CenterNorm(8)
    torch.testing.assert_close(norm(x).mean(-1), torch.zeros(2, 5), rtol=0, atol=1e-6)
    torch.testing.assert_close(norm(3 * x + 7), 3 * norm(x), rtol=0, atol=1e-5)


def test_attention_weights_are_a_softmax_of_cosines() -> None:
    torch.manual_seed(0)
    attention = CosineAttention(16, 4).eval()
    with torch.no_grad():
        small, large = (attention.maps(scale * torch.randn(1, 9, 16)) for scale in (1.0, 1e4))
    for maps in (small, large):
        torch.testing.assert_close(maps.sum(-1), torch.ones(1, 4, 9))
        # Cosines times 10 lie within [-10, 10]: no two weights of a row differ by more than a factor e^20.
        assert float((maps.amax(-1) / maps.amin(-1)).log().max()) <= 20


def test_attention_agrees_with_its_maps_and_is_bounded() -> None:
    torch.manual_seed(0)
    attention = CosineAttention(16, 4).eval()
    attention.out = nn.Identity()  # type: ignore[assignment]
    x = 1e3 * torch.randn(1, 9, 16)
    with torch.no_grad():
        mixed = attention(x)
        values = attention.qkv(x)[..., 32:].unflatten(2, (4, 4)).transpose(1, 2)
        by_hand = attention.maps(x) @ nn.functional.normalize(values, dim=-1)
    torch.testing.assert_close(mixed, by_hand.transpose(1, 2).flatten(2), rtol=0, atol=1e-4)
    assert float(mixed.unflatten(2, (4, 4)).norm(dim=-1).max()) <= 1 + 1e-5


def test_zero_input_has_a_finite_slope() -> None:
    torch.manual_seed(0)
    x = torch.zeros(1, 5, 16, requires_grad=True)
    LipschitzBlock(16, 6)(x).square().sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_shortcuts_start_at_one_over_the_layers() -> None:
    backbone = backbones.create("fast", "none")
    blocks = [m for m in backbone.modules() if isinstance(m, LipschitzBlock)]
    assert len(blocks) == 6
    for block in blocks:
        assert torch.equal(block.weight1, torch.full_like(block.weight1, 1 / 6))
        assert torch.equal(block.weight2, torch.full_like(block.weight2, 1 / 6))
    x = torch.randn(1, 4, 64, generator=torch.Generator().manual_seed(0))
    nn.init.zeros_(blocks[0].weight1)
    nn.init.zeros_(blocks[0].weight2)
    assert torch.equal(blocks[0](x), x)


def test_size_is_the_published_factor_below_asts() -> None:
    parameters = sum(p.numel() for p in FAST("batch").parameters())
    assert abs(parameters * SMALLER / AST_PARAMETERS - 1) < 0.05


def test_places_within_a_patch_are_sequences_of_their_own() -> None:
    """Row 0 of every patch attends to rows 0 of the others; without the convolutions, rows 1 do not hear it."""
    torch.manual_seed(0)
    block = FastBlock(8, 8, 1, 1, "folded").eval()
    block.local = block.narrow = nn.Identity()  # type: ignore[assignment]
    block.fuse = nn.Identity()  # type: ignore[assignment]
    maps = torch.randn(1, 8, 6, 5)
    changed = maps.clone()
    changed[:, :, 2, 3] += 1
    with torch.no_grad():
        moved = (block(maps) - block(changed))[:, 8:].abs().amax((0, 1, 3))  # by row, of what was mixed
    assert (moved[0::2] > 0).all()
    assert (moved[1::2] == 0).all()


def test_attention_is_recorded_by_the_common_tool() -> None:
    backbone = FAST("folded", channels=(4, 4, 4, 8, 8, 8), widths=(8, 8, 8), depths=(1, 1, 1), last=16).eval()
    with recorded_attention(backbone) as maps:
        frames = backbone(0.1 * torch.randn(1, 16000 * 2)).frames
    assert frames.shape == (1, 6, 16)
    assert [m[0].shape[-1] for m in maps.values()] == [8 * 24, 4 * 12, 2 * 6]
