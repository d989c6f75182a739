"""Every registered backbone, and the template, against the conformance suite."""

from __future__ import annotations

from backbones.testing import THREE_TASKS, BackboneConformance
from engine.data import Task
from engine.plugins import BACKBONES

CASES = {
    "linear": ((6,), {}, ()),
    "mlp": ((6,), {"hidden": 8}, ()),
    "cnn": ((3, 9, 10), {"channels": 4, "hidden": 8}, ((6,), (3, 7, 8), (8, 8))),
    "resnet18": ((3, 8, 8), {"channels": 4}, ((6,), (3, 7, 8), (8, 8))),
    "gru": ((5, 2), {"hidden": 8}, ((5,), (3, 8, 8))),
    "transformer": ((5, 2), {"hidden": 8}, ((5,), (3, 8, 8))),
    "text-encoder": ((6,), {"hidden": 8}, ((5, 2), (3, 8, 8))),
}

for _name, (_shape, _options, _wrong) in CASES.items():
    _class = f"Test{_name.title().replace('-', '')}"
    globals()[_class] = type(
        _class,
        (BackboneConformance,),
        {"backbone": _name, "shape": _shape, "options": _options, "wrong_shapes": _wrong},
    )


class TestXception(BackboneConformance):
    backbone = "xception"
    options = {"channels": 2, "middle_blocks": 1}  # noqa: RUF012
    shape = (1, 16, 16)
    wrong_shapes = ((6,), (3, 15, 16))
    learning_rate = 1e-2


class TestAutoformer(BackboneConformance):
    backbone = "autoformer"
    options = {  # noqa: RUF012
        "horizon": 4,
        "label": 4,
        "hidden": 8,
        "inner": 16,
        "window": 3,
        "encoder_layers": 1,
    }
    shape = (12, 2)
    tasks = (*THREE_TASKS, Task("ahead", outputs=4))
    wrong_shapes = ((12,), (3, 2))


class TestTextEncoderOnTokens(BackboneConformance):
    backbone = "text-encoder"
    options = {"hidden": 8, "vocabulary": 12}  # noqa: RUF012
    shape = (6,)
    tokens = 12
    wrong_shapes = ((6, 2),)
    learning_rate = 1e-2


class TestTemplate(BackboneConformance):
    backbone = "backbones.TEMPLATE:OneLayer"
    shape = (6,)
    options = {"dropout": 0.1}  # noqa: RUF012
    wrong_shapes = ((6, 2), ())


def test_every_registered_backbone_is_tested() -> None:
    assert {*CASES, "autoformer", "xception"} == set(BACKBONES.names())
