"""Where chunks of groups are trained: in this process, in several, or on a Ray cluster."""

from engine.executors.choice import executor_class as executor_class
from engine.executors.choice import make_executor as make_executor
from engine.executors.executor import Executor as Executor
