"""Measured gains: every group is trained, and its members are compared with training alone."""

from __future__ import annotations

from dataclasses import dataclass

from engine.gains.source import GainSourceInfo, Purpose
from gain_sources.trained.backbone_collector import BackboneCollector


@dataclass(frozen=True)
class Measured(BackboneCollector):
    """Gains by training to the end, as many groups at once as the trainer can.

    Attributes
    ----------
    device, method
        As in :class:`backbones.TrainerOptions`.
    """

    info = GainSourceInfo(
        summary="trains every group and compares with single-task training",
        requires=("torch",),
        ranks={Purpose.TRAIN: 10},
    )
