"""Registry: order, duplicates, unknown names."""

from __future__ import annotations

import pytest

from contrastive_artifacts.core.errors import ParameterError, UnknownNameError
from contrastive_artifacts.core.registry import Registry


@pytest.fixture
def things() -> Registry[int]:
    registry: Registry[int] = Registry("thing")
    for number, name in enumerate(("hum", "clicks", "dropout")):
        assert registry.register(name, number) == number
    return registry


def test_names_are_in_the_order_of_registration(things):
    assert things.names() == tuple(things) == ("hum", "clicks", "dropout")
    assert len(things) == 3
    assert things["clicks"] == 1
    assert "hum" in things
    assert "hiss" not in things


def test_a_duplicate_name_is_an_error_and_the_first_item_stays(things):
    with pytest.raises(ParameterError, match="thing 'hum' is registered twice"):
        things.register("hum", 9)
    assert things["hum"] == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [("dropuot", "Did you mean dropout"), ("click", "Did you mean clicks"), ("zzz", "Known: hum, clicks, dropout")],
)
def test_the_error_of_an_unknown_name_lists_close_ones(things, wrong, message):
    with pytest.raises(UnknownNameError, match=f"no thing '{wrong}'. {message}"):
        things[wrong]
    assert issubclass(UnknownNameError, LookupError)
