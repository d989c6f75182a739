"""Where chunks of groups are trained: in this process, in several, or on a Ray cluster."""

from engine.executors.executor import Executor as Executor
from engine.executors.executor import executor_class as executor_class
from engine.executors.executor import make_executor as make_executor
