"""engine: which tasks to train together, in how many models, within a budget, with a proof.

Everything a user needs is an attribute of this package, imported when it is first touched.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.catalogue.files import FileInstance as FileInstance
    from engine.catalogue.files import open_instance as open_instance
    from engine.catalogue.instance import CatalogueInstance as CatalogueInstance
    from engine.catalogue.instance import Instance as Instance
    from engine.catalogue.instance import InstanceInfo as InstanceInfo
    from engine.catalogue.instance import load_instance as load_instance
    from engine.catalogue.trainable import TrainableInstance as TrainableInstance
    from engine.collection.collect import Collected as Collected
    from engine.collection.collect import Plan as Plan
    from engine.collection.collect import collect as collect
    from engine.collection.groups import parse_groups as parse_groups
    from engine.collection.reliability import Reliability as Reliability
    from engine.collection.reliability import reliability as reliability
    from engine.data.multi_task_data import MultiTaskData as MultiTaskData
    from engine.data.task import Task as Task
    from engine.errors import DataError as DataError
    from engine.errors import EngineError as EngineError
    from engine.errors import MissingDependencyError as MissingDependencyError
    from engine.errors import PredictedGainsWarning as PredictedGainsWarning
    from engine.errors import UnsupportedError as UnsupportedError
    from engine.errors import UsageError as UsageError
    from engine.gains.affinity import Affinity as Affinity
    from engine.gains.affinity import pair_affinity as pair_affinity
    from engine.gains.affinity import projected_affinity as projected_affinity
    from engine.gains.affinity import task_affinity as task_affinity
    from engine.gains.calibration import Calibration as Calibration
    from engine.gains.calibration import calibrate as calibrate
    from engine.gains.formats import read_affinity as read_affinity
    from engine.gains.formats import read_gains as read_gains
    from engine.gains.formats import write_affinity as write_affinity
    from engine.gains.formats import write_gains as write_gains
    from engine.gains.model import EmbeddedModel as EmbeddedModel
    from engine.gains.model import GainModel as GainModel
    from engine.gains.model import PosteriorModel as PosteriorModel
    from engine.gains.model import UncertainModel as UncertainModel
    from engine.gains.model import all_groups as all_groups
    from engine.gains.model import tabulate as tabulate
    from engine.gains.pair_mean import PairMeanModel as PairMeanModel
    from engine.gains.separable import PairSumModel as PairSumModel
    from engine.gains.separable import SeparableModel as SeparableModel
    from engine.gains.source import AffinitySource as AffinitySource
    from engine.gains.source import Collector as Collector
    from engine.gains.source import GainSource as GainSource
    from engine.gains.source import GainSourceInfo as GainSourceInfo
    from engine.gains.source import Predictor as Predictor
    from engine.gains.source import make_gain_source as make_gain_source
    from engine.gains.tabulated import TabulatedModel as TabulatedModel
    from engine.gains.tensor import GainTensor as GainTensor
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
    from engine.plots.charts import comparison_chart as comparison_chart
    from engine.plots.charts import frontier_chart as frontier_chart
    from engine.plots.drawing import draw as draw
    from engine.plots.drawing import save_figure as save_figure
    from engine.plugins import BACKBONES as BACKBONES
    from engine.plugins import GAIN_SOURCES as GAIN_SOURCES
    from engine.plugins import INSTANCES as INSTANCES
    from engine.plugins import OBJECTIVES as OBJECTIVES
    from engine.plugins import SOLVERS as SOLVERS
    from engine.problem.constraint import Constraint as Constraint
    from engine.problem.constraint import Grouping as Grouping
    from engine.problem.constraint import Limits as Limits
    from engine.problem.constraints import Apart as Apart
    from engine.problem.constraints import Budget as Budget
    from engine.problem.constraints import Floor as Floor
    from engine.problem.constraints import Forbidden as Forbidden
    from engine.problem.constraints import GroupCount as GroupCount
    from engine.problem.constraints import GroupSize as GroupSize
    from engine.problem.constraints import Mandatory as Mandatory
    from engine.problem.constraints import MembershipLimit as MembershipLimit
    from engine.problem.constraints import Partition as Partition
    from engine.problem.constraints import Together as Together
    from engine.problem.extension import Decisions as Decisions
    from engine.problem.extension import ExtendedObjective as ExtendedObjective
    from engine.problem.extension import PyomoConstraint as PyomoConstraint
    from engine.problem.lattice import LatticeProblem as LatticeProblem
    from engine.problem.lattice import graph_problem as graph_problem
    from engine.problem.lattice import selection_value as selection_value
    from engine.problem.lattice_limits import LatticeLimits as LatticeLimits
    from engine.problem.objectives import Coefficients as Coefficients
    from engine.problem.objectives import LowerConfidenceGain as LowerConfidenceGain
    from engine.problem.objectives import MembershipAverage as MembershipAverage
    from engine.problem.objectives import Objective as Objective
    from engine.problem.objectives import SetFunction as SetFunction
    from engine.problem.objectives import TotalGain as TotalGain
    from engine.problem.objectives import TotalLoss as TotalLoss
    from engine.problem.objectives import WeightedGain as WeightedGain
    from engine.problem.objectives import WorstGain as WorstGain
    from engine.problem.published import TagScore as TagScore
    from engine.problem.published import standley_problem as standley_problem
    from engine.problem.published import tag_problem as tag_problem
    from engine.problem.published import wang_problem as wang_problem
    from engine.problem.table import Feature as Feature
    from engine.problem.table import Kind as Kind
    from engine.problem.table import Problem as Problem
    from engine.solving.comparison import Comparison as Comparison
    from engine.solving.comparison import compare as compare
    from engine.solving.control import Control as Control
    from engine.solving.control import FirstFeasible as FirstFeasible
    from engine.solving.control import GapBelow as GapBelow
    from engine.solving.control import Observer as Observer
    from engine.solving.control import StopRule as StopRule
    from engine.solving.control import any_of as any_of
    from engine.solving.frontier import frontier as frontier
    from engine.solving.referee import Scores as Scores
    from engine.solving.referee import referee as referee
    from engine.solving.solution import Certificate as Certificate
    from engine.solving.solution import ChosenGroup as ChosenGroup
    from engine.solving.solution import Event as Event
    from engine.solving.solution import Solution as Solution
    from engine.solving.solution import Status as Status
    from engine.solving.solution import Termination as Termination
    from engine.solving.solve import solve as solve
    from engine.solving.solver import Outcome as Outcome
    from engine.solving.solver import Solver as Solver
    from engine.solving.solver import SolverInfo as SolverInfo
    from engine.store import GainStore as GainStore
    from engine.training.experiment import Experiment as Experiment
    from engine.training.settings import TrainingSettings as TrainingSettings
    from engine.training.trained_groups import TrainedGroups as TrainedGroups

_EXPORTS: dict[str, tuple[str, ...]] = {
    "engine.gains.affinity": ("Affinity", "pair_affinity", "projected_affinity", "task_affinity"),
    "engine.plots.charts": ("comparison_chart", "frontier_chart"),
    "engine.solving.comparison": ("Comparison", "compare"),
    "engine.gains.calibration": ("Calibration", "calibrate"),
    "engine.collection.collect": ("Collected", "Plan", "collect"),
    "engine.collection.groups": ("parse_groups",),
    "engine.collection.reliability": ("Reliability", "reliability"),
    "engine.problem.constraint": ("Constraint", "Grouping", "Limits"),
    "engine.problem.constraints": (
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
    "engine.solving.referee": ("Scores", "referee"),
    "engine.training.experiment": ("Experiment",),
    "engine.problem.extension": ("Decisions", "ExtendedObjective", "PyomoConstraint"),
    "engine.catalogue.files": ("FileInstance", "open_instance"),
    "engine.solving.frontier": ("frontier",),
    "engine.gains.model": (
        "EmbeddedModel",
        "GainModel",
        "PosteriorModel",
        "UncertainModel",
        "all_groups",
        "tabulate",
    ),
    "engine.gains.source": (
        "AffinitySource",
        "Collector",
        "GainSource",
        "GainSourceInfo",
        "Predictor",
        "make_gain_source",
    ),
    "engine.gains.tensor": ("GainTensor",),
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
    "engine.catalogue.instance": ("CatalogueInstance", "Instance", "InstanceInfo", "load_instance"),
    "engine.problem.lattice": ("LatticeProblem", "graph_problem", "selection_value"),
    "engine.problem.lattice_limits": ("LatticeLimits",),
    "engine.problem.objectives": (
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
    "engine.gains.pair_mean": ("PairMeanModel",),
    "engine.plots.drawing": ("draw", "save_figure"),
    "engine.plugins": ("BACKBONES", "GAIN_SOURCES", "INSTANCES", "OBJECTIVES", "SOLVERS"),
    "engine.problem.table": ("Feature", "Kind", "Problem"),
    "engine.solving.control": ("Control", "FirstFeasible", "GapBelow", "Observer", "StopRule", "any_of"),
    "engine.problem.published": ("TagScore", "standley_problem", "tag_problem", "wang_problem"),
    "engine.gains.formats": ("read_affinity", "read_gains", "write_affinity", "write_gains"),
    "engine.gains.separable": ("PairSumModel", "SeparableModel"),
    "engine.solving.solution": ("Certificate", "ChosenGroup", "Event", "Solution", "Status", "Termination"),
    "engine.solving.solve": ("solve",),
    "engine.solving.solver": ("Outcome", "Solver", "SolverInfo"),
    "engine.store": ("GainStore",),
    "engine.gains.tabulated": ("TabulatedModel",),
    "engine.catalogue.trainable": ("TrainableInstance",),
    "engine.training.trained_groups": ("TrainedGroups",),
    "engine.training.settings": ("TrainingSettings",),
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
