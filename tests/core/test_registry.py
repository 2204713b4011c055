"""Names: one meaning each, in order, and a wrong one is helped."""

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


def test_order_is_that_of_registration(things):
    assert things.names() == tuple(things) == ("hum", "clicks", "dropout")
    assert len(things) == 3
    assert things["clicks"] == 1
    assert "hum" in things
    assert "hiss" not in things


def test_a_second_meaning_is_refused_and_the_first_stays(things):
    with pytest.raises(ParameterError, match="thing 'hum' is registered twice"):
        things.register("hum", 9)
    assert things["hum"] == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("dropuot", "Did you mean dropout"), ("click", "Did you mean clicks"), ("zzz", "Known: hum, clicks, dropout")],
)
def test_an_unknown_name_is_helped(things, wrong, said):
    with pytest.raises(UnknownNameError, match=f"no thing '{wrong}'. {said}"):
        things[wrong]
    assert issubclass(UnknownNameError, LookupError)
