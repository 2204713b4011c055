"""Every fixture and every test starts on one thread, whatever ran before it."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(scope="module")
def threads_of_a_module_fixture() -> int:
    return torch.get_num_threads()


def test_a_training_leaves_more_threads() -> None:
    torch.set_num_threads(2)
    assert torch.get_num_threads() == 2


def test_the_next_fixture_has_one(threads_of_a_module_fixture: int) -> None:
    assert threads_of_a_module_fixture == torch.get_num_threads() == 1
