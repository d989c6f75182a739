from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import click
import pytest

from engine.cli.options.kinds import Budgets, Names, Weight
from engine.cli.options.text import read_fields, solver_settings
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
    found = solver_settings("singles", [tuple(option.split("="))])
    assert found == value
    assert [type(one) for one in found.values()] == [type(one) for one in value.values()]


@dataclass(frozen=True)
class Plugin:
    """What options may be."""

    exact: bool | None = None
    limit: int | None = None
    share: float = 1
    cache: str | None = None
    way: Literal["up", "down"] = "up"
    members: tuple[str, ...] = ("a",)
    needed: int = field(kw_only=True)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("exact=0n", None),
        ("exact=on", True),
        ("limit=3", 3),
        ("limit=none", None),
        ("limit=3.5", None),
        ("share=0.5", 0.5),
        ("cache=3", "3"),
        ("way=down", "down"),
        ("members=a, b", ("a", "b")),
        ("needed=7", 7),
    ],
)
def test_an_option_is_what_it_is_annotated_as(option: str, value: object) -> None:
    name, text = option.split("=")
    if value is None and text != "none":
        with pytest.raises(UsageError, match=rf"option {name} of x cannot be '{text}': it takes none or"):
            read_fields(Plugin, [(name, text)], "x")
    else:
        found = read_fields(Plugin, [(name, text)], "x")
        assert found == {name: value}
        assert type(found[name]) is type(value)


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(UsageError, match="Did you mean 'depth'"):
        solver_settings("singles", [("deepth", "1")])
