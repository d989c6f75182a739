"""engine: which tasks to train together, in how many models, within a budget, with a proof.

Everything a user needs is an attribute of this package, imported when it is first touched.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.affinity import Affinity as Affinity
    from engine.affinity import pair_affinity as pair_affinity
    from engine.affinity import projected_affinity as projected_affinity
    from engine.affinity import task_affinity as task_affinity
    from engine.calibration import Calibration as Calibration
    from engine.calibration import calibrate as calibrate
    from engine.charts import comparison_chart as comparison_chart
    from engine.charts import frontier_chart as frontier_chart
    from engine.collection.collect import Collected as Collected
    from engine.collection.collect import Plan as Plan
    from engine.collection.collect import collect as collect
    from engine.collection.groups import parse_groups as parse_groups
    from engine.collection.reliability import Reliability as Reliability
    from engine.collection.reliability import reliability as reliability
    from engine.comparison import Comparison as Comparison
    from engine.comparison import compare as compare
    from engine.constraint import Constraint as Constraint
    from engine.constraint import Grouping as Grouping
    from engine.constraint import Limits as Limits
    from engine.constraints import Apart as Apart
    from engine.constraints import Budget as Budget
    from engine.constraints import Floor as Floor
    from engine.constraints import Forbidden as Forbidden
    from engine.constraints import GroupCount as GroupCount
    from engine.constraints import GroupSize as GroupSize
    from engine.constraints import Mandatory as Mandatory
    from engine.constraints import MembershipLimit as MembershipLimit
    from engine.constraints import Partition as Partition
    from engine.constraints import Together as Together
    from engine.data.multi_task_data import MultiTaskData as MultiTaskData
    from engine.data.task import Task as Task
    from engine.errors import DataError as DataError
    from engine.errors import EngineError as EngineError
    from engine.errors import MissingDependencyError as MissingDependencyError
    from engine.errors import PredictedGainsWarning as PredictedGainsWarning
    from engine.errors import UnsupportedError as UnsupportedError
    from engine.errors import UsageError as UsageError
    from engine.evaluate import Scores as Scores
    from engine.evaluate import referee as referee
    from engine.experiment import Experiment as Experiment
    from engine.extension import Decisions as Decisions
    from engine.extension import ExtendedObjective as ExtendedObjective
    from engine.extension import PyomoConstraint as PyomoConstraint
    from engine.file_instance import FileInstance as FileInstance
    from engine.file_instance import open_instance as open_instance
    from engine.frontiers import frontier as frontier
    from engine.gain_model import EmbeddedModel as EmbeddedModel
    from engine.gain_model import GainModel as GainModel
    from engine.gain_model import PosteriorModel as PosteriorModel
    from engine.gain_model import UncertainModel as UncertainModel
    from engine.gain_model import all_groups as all_groups
    from engine.gain_model import tabulate as tabulate
    from engine.gain_source import AffinitySource as AffinitySource
    from engine.gain_source import Collector as Collector
    from engine.gain_source import GainSource as GainSource
    from engine.gain_source import GainSourceInfo as GainSourceInfo
    from engine.gain_source import Predictor as Predictor
    from engine.gain_source import make_gain_source as make_gain_source
    from engine.gains import GainTensor as GainTensor
    from engine.guided.acquisition import Acquisition as Acquisition
    from engine.guided.acquisition import ExpectedImprovement as ExpectedImprovement
    from engine.guided.acquisition import LargestPrediction as LargestPrediction
    from engine.guided.acquisition import Optimistic as Optimistic
    from engine.guided.acquisition import RandomGroups as RandomGroups
    from engine.guided.acquisition import Thompson as Thompson
    from engine.guided.collection import collect_guided as collect_guided
    from engine.guided.collection import recorded as recorded
    from engine.guided.decision import Decision as Decision
    from engine.guided.study import Study as Study
    from engine.instance import CatalogueInstance as CatalogueInstance
    from engine.instance import Instance as Instance
    from engine.instance import InstanceInfo as InstanceInfo
    from engine.instance import load_instance as load_instance
    from engine.lattice import LatticeProblem as LatticeProblem
    from engine.lattice import graph_problem as graph_problem
    from engine.lattice import selection_value as selection_value
    from engine.lattice_limits import LatticeLimits as LatticeLimits
    from engine.objectives import Coefficients as Coefficients
    from engine.objectives import LowerConfidenceGain as LowerConfidenceGain
    from engine.objectives import MembershipAverage as MembershipAverage
    from engine.objectives import Objective as Objective
    from engine.objectives import SetFunction as SetFunction
    from engine.objectives import TotalGain as TotalGain
    from engine.objectives import TotalLoss as TotalLoss
    from engine.objectives import WeightedGain as WeightedGain
    from engine.objectives import WorstGain as WorstGain
    from engine.pair_mean import PairMeanModel as PairMeanModel
    from engine.plots import draw as draw
    from engine.plots import save_figure as save_figure
    from engine.plugins import BACKBONES as BACKBONES
    from engine.plugins import GAIN_SOURCES as GAIN_SOURCES
    from engine.plugins import INSTANCES as INSTANCES
    from engine.plugins import OBJECTIVES as OBJECTIVES
    from engine.plugins import SOLVERS as SOLVERS
    from engine.problem import Feature as Feature
    from engine.problem import Kind as Kind
    from engine.problem import Problem as Problem
    from engine.progress import Control as Control
    from engine.progress import FirstFeasible as FirstFeasible
    from engine.progress import GapBelow as GapBelow
    from engine.progress import Observer as Observer
    from engine.progress import StopRule as StopRule
    from engine.progress import any_of as any_of
    from engine.published import TagScore as TagScore
    from engine.published import standley_problem as standley_problem
    from engine.published import tag_problem as tag_problem
    from engine.published import wang_problem as wang_problem
    from engine.readers import read_affinity as read_affinity
    from engine.readers import read_gains as read_gains
    from engine.readers import write_affinity as write_affinity
    from engine.readers import write_gains as write_gains
    from engine.separable_model import PairSumModel as PairSumModel
    from engine.separable_model import SeparableModel as SeparableModel
    from engine.solution import Certificate as Certificate
    from engine.solution import ChosenGroup as ChosenGroup
    from engine.solution import Event as Event
    from engine.solution import Solution as Solution
    from engine.solution import Status as Status
    from engine.solution import Termination as Termination
    from engine.solver import Outcome as Outcome
    from engine.solver import Solver as Solver
    from engine.solver import SolverInfo as SolverInfo
    from engine.solving import solve as solve
    from engine.store import GainStore as GainStore
    from engine.tabulated_model import TabulatedModel as TabulatedModel
    from engine.trainable_instance import TrainableInstance as TrainableInstance
    from engine.trained_groups import TrainedGroups as TrainedGroups
    from engine.training_settings import TrainingSettings as TrainingSettings

_EXPORTS: dict[str, tuple[str, ...]] = {
    "engine.affinity": ("Affinity", "pair_affinity", "projected_affinity", "task_affinity"),
    "engine.charts": ("comparison_chart", "frontier_chart"),
    "engine.comparison": ("Comparison", "compare"),
    "engine.calibration": ("Calibration", "calibrate"),
    "engine.collection.collect": ("Collected", "Plan", "collect"),
    "engine.collection.groups": ("parse_groups",),
    "engine.collection.reliability": ("Reliability", "reliability"),
    "engine.constraint": ("Constraint", "Grouping", "Limits"),
    "engine.constraints": (
        "Apart",
        "Budget",
        "Floor",
        "Forbidden",
        "GroupCount",
        "GroupSize",
        "Mandatory",
        "MembershipLimit",
        "Partition",
        "Together",
    ),
    "engine.data.multi_task_data": ("MultiTaskData",),
    "engine.data.task": ("Task",),
    "engine.errors": (
        "DataError",
        "EngineError",
        "MissingDependencyError",
        "PredictedGainsWarning",
        "UnsupportedError",
        "UsageError",
    ),
    "engine.evaluate": ("Scores", "referee"),
    "engine.experiment": ("Experiment",),
    "engine.extension": ("Decisions", "ExtendedObjective", "PyomoConstraint"),
    "engine.file_instance": ("FileInstance", "open_instance"),
    "engine.frontiers": ("frontier",),
    "engine.gain_model": (
        "EmbeddedModel",
        "GainModel",
        "PosteriorModel",
        "UncertainModel",
        "all_groups",
        "tabulate",
    ),
    "engine.gain_source": (
        "AffinitySource",
        "Collector",
        "GainSource",
        "GainSourceInfo",
        "Predictor",
        "make_gain_source",
    ),
    "engine.gains": ("GainTensor",),
    "engine.guided.acquisition": (
        "Acquisition",
        "ExpectedImprovement",
        "LargestPrediction",
        "Optimistic",
        "RandomGroups",
        "Thompson",
    ),
    "engine.guided.collection": ("collect_guided", "recorded"),
    "engine.guided.decision": ("Decision",),
    "engine.guided.study": ("Study",),
    "engine.instance": ("CatalogueInstance", "Instance", "InstanceInfo", "load_instance"),
    "engine.lattice": ("LatticeProblem", "graph_problem", "selection_value"),
    "engine.lattice_limits": ("LatticeLimits",),
    "engine.objectives": (
        "Coefficients",
        "LowerConfidenceGain",
        "MembershipAverage",
        "Objective",
        "SetFunction",
        "TotalGain",
        "TotalLoss",
        "WeightedGain",
        "WorstGain",
    ),
    "engine.pair_mean": ("PairMeanModel",),
    "engine.plots": ("draw", "save_figure"),
    "engine.plugins": ("BACKBONES", "GAIN_SOURCES", "INSTANCES", "OBJECTIVES", "SOLVERS"),
    "engine.problem": ("Feature", "Kind", "Problem"),
    "engine.progress": ("Control", "FirstFeasible", "GapBelow", "Observer", "StopRule", "any_of"),
    "engine.published": ("TagScore", "standley_problem", "tag_problem", "wang_problem"),
    "engine.readers": ("read_affinity", "read_gains", "write_affinity", "write_gains"),
    "engine.separable_model": ("PairSumModel", "SeparableModel"),
    "engine.solution": ("Certificate", "ChosenGroup", "Event", "Solution", "Status", "Termination"),
    "engine.solving": ("solve",),
    "engine.solver": ("Outcome", "Solver", "SolverInfo"),
    "engine.store": ("GainStore",),
    "engine.tabulated_model": ("TabulatedModel",),
    "engine.trainable_instance": ("TrainableInstance",),
    "engine.trained_groups": ("TrainedGroups",),
    "engine.training_settings": ("TrainingSettings",),
}
_MODULE_OF = {name: module for module, names in _EXPORTS.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_MODULE_OF)
