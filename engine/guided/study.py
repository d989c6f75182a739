"""Ask and tell: a study says which groups to measure next, whoever measures them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.catalogue.instance import Instance
from engine.errors import UsageError
from engine.gains.bits import as_membership, distinct, places
from engine.gains.model import GainModel
from engine.gains.source import Predictor, Purpose, choose_source, make_gain_source
from engine.gains.tensor import GainTensor
from engine.guided.acquisition import Acquisition, acquisition_class, expected_improvements
from engine.guided.belief import Belief
from engine.guided.candidates import candidate_groups, initial_order
from engine.guided.decision import Decision, decide
from engine.guided.improvement import Improvement, expected_improvement
from engine.guided.known import canonical_order, single_gains, with_measured
from engine.guided.question import Question
from engine.problem.constraint import Constraint
from engine.problem.objectives import Objective

Membership = NDArray[np.bool_]

DEFAULT_ACQUISITION = "expected-improvement"


class Study:
    """Which groups to measure next, for a problem and some budgets.

    The state is what was told: a study that is told the same gains goes on from there, so that a
    store of gains is all that has to survive.

    Parameters
    ----------
    tasks
        N names.
    budgets
        The budgets of interest.
    candidates
        Shape (M, N): the groups that can be measured; by default all groups of up to 12 tasks, and a
        pool around promising ones beyond that. Groups that the constraints rule out are passed over.
    predictor
        A predictor, or its name; by default the preferred one to guide a collection.
    acquisition
        What is worth measuring: an :class:`~engine.guided.acquisition.Acquisition`, or the name of one.
    objective, constraints
        The problem, as for :class:`~engine.Problem`.
    initial
        Groups that are measured before the predictor is asked: the full group, then groups of all sizes;
        by default one for two tasks, besides the full group.
    solver
        Of the problem, by name.
    seed
        Fixes every random decision.

    Raises
    ------
    UsageError
        If a part is unknown or does not fit.

    Notes
    -----
    Single-task groups gain nothing by definition, and are known from the beginning; of losses, tell
    those of the single-task groups before anything else is asked for. What is asked for depends on the
    names of tasks, but not on their order, nor on that of candidates or of telling; a predictor that
    starts from its fit to less, as ``mtgnet`` does, may differ a little after other tellings.
    """

    def __init__(
        self,
        tasks: Sequence[str],
        budgets: Iterable[float],
        *,
        candidates: Membership | None = None,
        predictor: str | Predictor | None = None,
        acquisition: str | Acquisition = DEFAULT_ACQUISITION,
        objective: Objective | None = None,
        constraints: Sequence[Constraint] = (),
        initial: int | None = None,
        solver: str | None = None,
        seed: int = 0,
    ) -> None:
        self.tasks = tuple(tasks)
        self.question = Question(
            tasks=self.tasks,
            budgets=budgets,  # type: ignore[arg-type]
            objective=objective,
            constraints=tuple(constraints),
            solver=solver,
        )
        source = choose_source(Purpose.GUIDE) if predictor is None else predictor
        self.predictor = make_gain_source(source, Predictor) if isinstance(source, str) else source
        self.acquisition = acquisition_class(acquisition)() if isinstance(acquisition, str) else acquisition
        self.initial = 1 + math.ceil(len(self.tasks) / 2) if initial is None else initial
        if self.initial < 0:
            raise UsageError(f"The number of initial groups is 0 or more, not {self.initial}.")
        self.seed = seed
        self.candidates = None if candidates is None else self._usable(_checked(candidates, self.tasks))
        self.known = single_gains(self.tasks)
        self._pending: Membership = np.zeros((0, len(self.tasks)), dtype=bool)
        self._model: GainModel | None = None
        self._fitted_on = ""

    @classmethod
    def on(cls, instance: Instance, budgets: Iterable[float] | None = None, **options: Any) -> Study:
        """Return a study of the tasks of an instance.

        Parameters
        ----------
        instance
            Any instance.
        budgets
            The budgets of interest; by default the instance's own.
        **options
            Other arguments of a study.
        """
        info = instance.info
        return cls(info.tasks, [info.default_budget] if budgets is None else budgets, **options)

    @property
    def measured(self) -> int:
        """How many groups of two or more tasks were told."""
        return int((self.known.sizes > 1).sum())

    def tell(self, gains: GainTensor) -> None:
        """Take note of measured gains.

        Parameters
        ----------
        gains
            Of any groups, over the same tasks; a group that was told before is replaced.

        Raises
        ------
        DataError
            If the tasks differ, a row is predicted, a group stands there twice, or gains of another kind were
            told before.
        """
        self.known = with_measured(self.known, gains)
        self._pending = self._pending[self.known.rows_of(self._pending) < 0]

    def ask(self, count: int = 1) -> Membership:
        """Return groups to measure next, and remember them as under way until they are told.

        Parameters
        ----------
        count
            How many are measured at once.

        Returns
        -------
        ndarray
            Shape (m, N), m at most ``count``; none when every candidate is known or under way.

        Raises
        ------
        DataError
            If too little is known to fit the predictor, or the demands leave no choice.
        """
        if count < 1:
            raise UsageError(f"Ask for 1 group or more, not {count}.")
        chosen = self._initial(count)
        if len(chosen) < count and self.measured:
            chosen = np.concatenate([chosen, self._acquired(count - len(chosen), chosen)])
        self._pending = np.concatenate([self._pending, chosen])
        return chosen

    def forget(self, groups: Membership) -> None:
        """Take groups back that were asked for and will not be told; they may be asked for again.

        Parameters
        ----------
        groups
            Shape (m, N); those that are not under way are passed over.
        """
        self._pending = self._pending[places(self._pending, as_membership(groups, len(self.tasks))) < 0]

    def belief(self) -> Belief:
        """Return what is believed of all known groups and candidates now.

        Raises
        ------
        DataError
            If too little is known to fit the predictor.
        """
        return Belief.of(self.model(), self.known, self._candidates())

    def model(self) -> GainModel:
        """Return the predictor fitted on all that is known.

        Raises
        ------
        DataError
            If too little is known.
        """
        if self._model is None:
            self._model = self.predictor.fit(self.known)
        elif self._fitted_on != self.known.digest:
            self._model = self.predictor.refit(self.known, self._model)
        self._fitted_on = self.known.digest
        return self._model

    def decide(self, budget: float, kappa: float = 1.0) -> Decision:
        """Return the groups to train for good.

        Parameters
        ----------
        budget
            The limit on their cost.
        kappa
            How many errors a prediction has to be better than a measurement.

        Raises
        ------
        DataError
            If nothing is known, or the demands leave no choice.
        """
        return decide(self.belief(), self.question, budget, kappa, self.predictor)

    def promised(self) -> tuple[float | None, ...]:
        """Return the best mean value over tasks among the measured groups, for every budget."""
        solutions = self.question.solutions(self.known)
        return tuple(
            solutions[budget].mean if budget in solutions else None for budget in self.question.budgets
        )

    def improvement(self, draws: int = 16) -> Improvement:
        """Return how much any further measurement may be expected to improve the decisions.

        Parameters
        ----------
        draws
            From the belief; each costs a solution per budget.
        """
        return expected_improvement(self.belief(), self.question, draws, self._random(1))

    def _initial(self, count: int) -> Membership:
        """Return groups of an initial order, while fewer than the initial ones are known.

        More follow where a task is in none of them: no predictor can tell anything of it.
        """
        begun = np.concatenate([self.known.membership[self.known.sizes > 1], self._pending])
        alone = ~begun.any(axis=0)
        # Without any measurement there is nothing to fit, however many are asked for.
        wanted = count if not self.measured else min(count, max(self.initial - len(begun), 0))
        listed = self._candidates() if wanted or alone.any() else self._pending[:0]
        if not len(listed):
            return listed
        left = self._new(initial_order(listed, np.random.default_rng([self.seed, 0])))
        chosen = np.arange(len(left)) < wanted
        alone &= ~left[chosen].any(axis=0)
        for row in range(wanted, len(left)):
            if chosen.sum() < count and (left[row] & alone).any():
                chosen[row] = True
                alone &= ~left[row]
        return np.asarray(left[chosen])

    def _acquired(self, count: int, before: Membership) -> Membership:
        """Return what the acquisition asks for, filled up by expected improvement."""
        taken = np.concatenate([self._pending, before])
        belief = self.belief().counting(taken)
        round = self.measured + len(taken) - self.initial
        wanted = self.acquisition.choose(belief, self.question, count, max(round, 0), self._random(0))
        rows = self._checked_rows(wanted, belief)
        chosen = list(dict.fromkeys(row for row in rows if not belief.gains.measured[row]))[:count]
        groups = belief.gains.membership
        if len(chosen) < count:
            rest = belief.counting(groups[chosen])
            chosen += expected_improvements(rest, self.question, count - len(chosen)).tolist()
        return np.asarray(groups[chosen])

    def _new(self, groups: Membership) -> Membership:
        """Return the groups that are neither known nor under way, each once."""
        new = (self.known.rows_of(groups) < 0) & (places(groups, self._pending) < 0)
        return distinct(groups[new])

    def _candidates(self) -> Membership:
        if self.candidates is not None:
            return self.candidates
        columns = np.array(sorted(range(len(self.tasks)), key=self.tasks.__getitem__))
        near = np.concatenate([self._promising(), self._pending])
        groups = candidate_groups(len(self.tasks), near[:, columns], self._random(2))
        return self._usable(groups[:, np.argsort(columns)])

    def _usable(self, groups: Membership) -> Membership:
        return np.asarray(groups[self.question.choosable(groups)])

    def _checked_rows(self, wanted: object, belief: Belief) -> list[int]:
        """Return the rows that an acquisition named."""
        rows = np.atleast_1d(np.asarray(wanted))
        if len(rows) and not (
            rows.ndim == 1
            and rows.dtype.kind in "iu"
            and 0 <= rows.min() <= rows.max() < belief.gains.n_groups
        ):
            raise UsageError(
                f"The acquisition {self.acquisition.name!r} must return rows of the belief, whole "
                f"numbers from 0 to {belief.gains.n_groups - 1}."
            )
        return [int(row) for row in rows]

    def _promising(self) -> Membership:
        """Return the groups that the measured gains alone would choose."""
        chosen = [
            np.isin(self.tasks, group.tasks)
            for solution in self.question.solutions(self.known).values()
            for group in solution.groups
            if len(group.tasks) > 1
        ]
        return np.array(chosen, dtype=bool).reshape(len(chosen), len(self.tasks))

    def _random(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, purpose, self.known.n_groups, len(self._pending)])


def _checked(candidates: Membership, tasks: tuple[str, ...]) -> Membership:
    """Return the candidates of two or more tasks, each once, in an order of their own."""
    member = np.asarray(candidates, dtype=bool)
    if member.ndim != 2 or member.shape[1] != len(tasks):
        raise UsageError(f"Candidates of shape {member.shape} do not fit {len(tasks)} tasks.")
    groups = distinct(member[member.sum(axis=1) > 1])
    return np.asarray(groups[canonical_order(tasks, groups)])
