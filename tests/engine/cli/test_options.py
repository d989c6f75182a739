from __future__ import annotations

import click
import pytest

from engine.cli.parameters import Budgets, Names, Weight
from engine.cli.problems import read_options
from engine.errors import UsageError


@pytest.mark.parametrize(
    ("text", "budgets"),
    [
        ("1-4", (1, 2, 3, 4)),
        ("3", (3,)),
        ("3,1,2,2", (1, 2, 3)),
        ("1-3:0.5", (1, 1.5, 2, 2.5, 3)),
        ("0.1-0.5:0.1", (0.1, 0.2, 0.3, 0.4, 0.5)),
        ("1-3,2.5,6-7", (1, 2, 2.5, 3, 6, 7)),
        ("1-2:0.4", (1, 1.4, 1.8)),
    ],
)
def test_budgets(text: str, budgets: tuple[float, ...]) -> None:
    assert Budgets().convert(text, None, None) == budgets


@pytest.mark.parametrize(
    "text", ["", "0", "0-3", "2-1", "1-3:-1", "1-3:0", "nan", "1-inf", "1e300", "a-b", "1--3"]
)
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Budgets().convert(text, None, None)


def test_names_are_split_at_commas_or_bars() -> None:
    assert Names().convert("a, b,a", None, None) == ("a", "b")
    assert Names().convert("a, b|c", None, None) == ("a, b", "c")


def test_a_weight_is_split_at_its_last_sign() -> None:
    assert Weight().convert("a=b=2", None, None) == ("a=b", 2.0)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("depth=3", {"depth": 3}),
        ("mode=3", {"mode": "3"}),
        ("strict=yes", {"strict": True}),
        ("strict=off", {"strict": False}),
    ],
)
def test_an_option_has_the_type_of_its_default(option: str, value: dict[str, object]) -> None:
    found = read_options("singles", [tuple(option.split("="))])
    assert found == value
    assert [type(one) for one in found.values()] == [type(one) for one in value.values()]


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(UsageError, match="Did you mean 'depth'"):
        read_options("singles", [("deepth", "1")])
