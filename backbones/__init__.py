"""Backbones: networks and their training, plug-ins of the measured gain source."""

from backbones.network.backbone import Backbone, BackboneInfo, make_backbone
from backbones.network.behaviour import observe
from backbones.network.group_model import GroupModel, build_group_model
from backbones.network.losses import sample_losses, task_loss
from backbones.network.randomness import key
from backbones.serving.saving import train_for_good
from backbones.serving.serving import ServedModels, load_served
from backbones.training.batches import Batches, DeviceData
from backbones.training.optimisers import make_optimiser
from backbones.training.options import TrainerOptions
from backbones.training.train import suggested_chunk, train_groups

__all__ = [
    "Backbone",
    "BackboneInfo",
    "Batches",
    "DeviceData",
    "GroupModel",
    "ServedModels",
    "TrainerOptions",
    "build_group_model",
    "key",
    "load_served",
    "make_backbone",
    "make_optimiser",
    "observe",
    "sample_losses",
    "suggested_chunk",
    "task_loss",
    "train_for_good",
    "train_groups",
]
