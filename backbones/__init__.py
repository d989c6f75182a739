"""Backbones: networks and their training, plug-ins of the measured gain source."""

from backbones.network.backbone import Backbone, BackboneInfo, make_backbone
from backbones.network.behaviour import observe
from backbones.network.group_model import GroupModel, build_group_model
from backbones.network.randomness import key
from backbones.network.task_losses import sample_losses, task_loss
from backbones.serving.served_models import ServedModels, load_served
from backbones.serving.train_for_good import train_for_good
from backbones.training.batches import Batches, DeviceData
from backbones.training.optimisers import make_optimiser
from backbones.training.train_groups import suggested_chunk, train_groups
from backbones.training.trainer_options import TrainerOptions

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
