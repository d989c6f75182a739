from __future__ import annotations

from typing import Any

import pytest

from engine import TrainingSettings, UsageError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of 1 or more, not 0"),
        ({"epochs": 2.5}, "epochs must be a whole number of 1 or more, not 2.5"),
        ({"patience": -1}, "patience must be a whole number of 0 or more"),
        ({"batch_size": True}, "batch_size must be a whole number of 1 or more"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"learning_rate": float("inf")}, "learning_rate must be above 0 and finite"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0"),
        ({"momentum": -0.1}, "momentum must be 0 or more"),
        ({"weight_decay": float("inf")}, "weight_decay must be 0 or more and finite"),
        ({"clip_norm": float("nan")}, "clip_norm must be 0 or more"),
        ({"optimiser": "adma"}, "adam"),
        ({"precision": "float16"}, "bfloat16"),
    ],
)
def test_unusable_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TrainingSettings(**settings)
