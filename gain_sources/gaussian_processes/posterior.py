"""The posterior of gains under a Gaussian process over groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from gain_sources.gaussian_processes.draws import draw_functions
from gain_sources.gaussian_processes.entries import GainEntries
from gain_sources.gaussian_processes.kernels import GroupPairs
from gain_sources.gaussian_processes.likelihood import Factors, entry_scales, shrunk
from gain_sources.gaussian_processes.parameters import Parameters

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GaussianProcessModel:
    """Gains of any group given measured ones; it is an :class:`~engine.PosteriorModel`.

    Attributes
    ----------
    tasks
        N names.
    entries
        What was measured, in an order of its own.
    order
        Shape (N,): the column of ``tasks`` of each task of the entries.
    learned
        The parameters of the highest posterior density, where a later fit starts from.
    learned_from
        How many gains they were learned from.
    parameters
        With a scale that allows for what was learned from the same entries.
    run
        Variance of what a run adds to each common function of the entries.
    errors
        Per task the error variances of its entries, or their covariance, in squared units of the
        entries.
    usual_variances
        Shape (N,): known part of the error variance of one measurement of each task of the entries.
    factors
        Of the covariance of the entries.
    shifts
        Shape (N,): what was taken off the values of each task of the entries.
    run_is_gain
        Whether what a run adds belongs to the true gains of its group.
    source
        Name of the gain source.
    """

    tasks: tuple[str, ...]
    entries: GainEntries
    order: NDArray[np.int64]
    learned: Parameters
    learned_from: int
    parameters: Parameters
    run: float
    errors: tuple[Numbers, ...]
    usual_variances: Numbers
    factors: Factors
    shifts: Numbers
    run_is_gain: bool
    source: str = "gaussian-process"

    def predict(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return the posterior mean of the true gains, shape (m, N), NaN off the membership.

        Raises
        ------
        DataError
            If the shape is wrong.
        """
        member = self._inner(membership)
        rank, count = self.parameters.loadings.shape[1], len(self.entries.membership)
        pairs = self._pairs(member)
        own = self.parameters.own.covariance(pairs)
        spread = np.zeros((rank, count))
        found = np.empty(member.shape)
        for task, loads in enumerate(self.parameters.loadings):
            here = self.entries.of_task(task)
            rows, weights = self.entries.rows[here], self.factors.weights[here]
            spread[:, rows] += loads[:, None] * weights
            found[:, task] = own[:, rows] @ weights
        found += self._shared(pairs) @ spread.T @ self.parameters.loadings.T
        found = found * self._scales(member) + self.shifts
        return self._outer(found, member)

    def std(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return the standard error against a new measurement, shape (m, N), NaN off the membership.

        Raises
        ------
        DataError
            If the shape is wrong.
        """
        member = self._inner(membership)
        latent = self._latent_variance(member) * np.square(self._scales(member))
        return self._outer(np.sqrt(latent + self._noise_variance(member)), member)

    def noise(self, membership: NDArray[np.bool_]) -> Numbers:
        """Return the standard deviation of one measurement about the true gain, shape (m, N).

        Raises
        ------
        DataError
            If the shape is wrong.
        """
        member = self._inner(membership)
        return self._outer(np.sqrt(self._noise_variance(member)), member)

    def sample(self, membership: NDArray[np.bool_], count: int, random: np.random.Generator) -> Numbers:
        """Draw true gains from the posterior, jointly over all groups and tasks.

        A draw of the prior is corrected by what the measurements say of it (Matheron's rule; Wilson
        et al., "Pathwise conditioning of Gaussian processes", JMLR 2021).

        Parameters
        ----------
        membership
            Shape (m, N).
        count
            Number of draws, S.
        random
            Source of randomness.

        Returns
        -------
        ndarray
            Shape (S, m, N), NaN where the task is not a member.

        Raises
        ------
        DataError
            If the shape is wrong.
        """
        member = self._inner(membership)
        known = self.entries.membership
        together = np.concatenate([member, known])
        pairs = self._pairs(member)
        own, shared = self.parameters.own.covariance(pairs), self._shared(pairs)
        task_weights = self.parameters.weights
        loadings, rank = self.parameters.loadings, self.parameters.loadings.shape[1]
        tasks, rows = self.entries.tasks, self.entries.rows
        scales = self._scales(member)
        measured = self.entries.values / entry_scales(self.entries, self.parameters)
        roots = [np.diag(np.sqrt(one)) if one.ndim == 1 else np.linalg.cholesky(one) for one in self.errors]
        distinct, group = np.unique(np.packbits(together, axis=1), axis=0, return_inverse=True)
        group = group.ravel()
        found = np.empty((count, *member.shape))
        for draw in range(count):
            common = draw_functions(self.parameters.shared, together, task_weights, rank, random)
            single = draw_functions(self.parameters.own, together, task_weights, len(loadings), random)
            values = single + common @ loadings.T
            added = random.standard_normal((len(distinct), rank))[group]
            runs = np.sqrt(self.run) * added[len(member) :]
            if self.run_is_gain:
                values[: len(member)] += np.exp(0.5 * self.parameters.run) * added[: len(member)] @ loadings.T
            seen = values[len(member) + rows, tasks] + np.sum(runs[rows] * loadings[tasks], axis=1)
            seen += np.concatenate([root @ random.standard_normal(root.shape[1]) for root in roots])
            weights = self.factors.solve(self.entries, loadings, measured - seen)
            spread = np.zeros((len(known), rank))
            np.add.at(spread, rows, loadings[tasks] * weights[:, None])
            drawn = values[: len(member)] + shared @ spread @ loadings.T
            for task in range(len(loadings)):
                here = self.entries.of_task(task)
                drawn[:, task] += own[:, rows[here]] @ weights[here]
            found[draw] = self._outer(drawn * scales + self.shifts, member)
        return found

    def _scales(self, member: NDArray[np.bool_]) -> Numbers:
        """Return the unit of each gain, shape (m, N)."""
        scales = np.broadcast_to(self.parameters.task_scales, member.shape)
        return scales * shrunk(member, self.parameters) if self.entries.alone_is_zero else scales

    def _shared(self, pairs: GroupPairs) -> Numbers:
        """Return the covariance of what tasks have in common with that of the entries, shape (m, M)."""
        found = self.parameters.shared.covariance(pairs)
        if self.run_is_gain:
            found[pairs.same] += self.run
        return found

    def _noise_variance(self, member: NDArray[np.bool_]) -> Numbers:
        """Return the variance of one measurement about the true gain, shape (m, N)."""
        noise = self.parameters.task_noises * np.square(self.parameters.task_scales) + self.usual_variances
        if self.run_is_gain:
            return np.asarray(np.broadcast_to(noise, member.shape))
        run = np.exp(self.parameters.run) * np.square(self.parameters.loadings).sum(axis=1)
        return np.asarray(run * np.square(self._scales(member)) + noise)

    def _latent_variance(self, member: NDArray[np.bool_]) -> Numbers:
        """Return the variance of the true gains in squared units of the gains, shape (m, N)."""
        parameters, factors = self.parameters, self.factors
        pairs = self._pairs(member)
        own, shared = parameters.own.covariance(pairs), self._shared(pairs)
        prior_own = parameters.own.variance(pairs.left_shares)
        prior_shared = parameters.shared.variance(pairs.left_shares)
        if self.run_is_gain:
            prior_shared += np.exp(parameters.run)
        rank, count = parameters.loadings.shape[1], len(self.entries.membership)
        middle, information = factors.middle, factors.information
        passed = np.eye(rank * count) - middle @ information
        both = (information @ passed).reshape(rank, count, rank, count)
        passed = passed.reshape(rank, count, rank, count)
        middle = middle.reshape(rank, count, rank, count)
        found = np.empty(member.shape)
        for task, loads in enumerate(parameters.loadings):
            held = np.flatnonzero(member[:, task])
            rows, single = self.entries.rows[self.entries.of_task(task)], factors.inverses[task]
            square = np.einsum("k,kalb,l->ab", loads, middle[:, rows][:, :, :, rows], loads)
            across = single @ np.einsum("k,kalb,l->ab", loads, passed[:, rows], loads)
            common = np.einsum("k,kalb,l->ab", loads, both, loads)
            left, right = own[np.ix_(held, rows)], shared[held]
            told = np.sum((left @ (single - single @ square @ single)) * left, axis=1)
            told += 2.0 * np.sum((left @ across) * right, axis=1)
            told += np.sum((right @ common) * right, axis=1)
            found[held, task] = prior_own[held] + loads @ loads * prior_shared[held] - told
        return np.asarray(np.maximum(np.where(member, found, 0.0), 0.0))

    def _pairs(self, member: NDArray[np.bool_]) -> GroupPairs:
        return GroupPairs.of(member, self.entries.membership, self.parameters.weights)

    def _inner(self, membership: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return a membership in the order of the entries' tasks."""
        member = np.asarray(membership, dtype=bool)
        if member.ndim != 2 or member.shape[1] != len(self.tasks):
            raise DataError(f"Membership of shape {member.shape} does not fit {len(self.tasks)} tasks.")
        return member[:, self.order]

    def _outer(self, values: Numbers, member: NDArray[np.bool_]) -> Numbers:
        """Return values in the order of the tasks, as they are off the membership and for tasks alone."""
        kept = np.where(member, values, np.nan)
        if self.entries.alone_is_zero:
            alone = member.sum(axis=1) == 1
            kept[alone] = np.where(member[alone], 0.0, np.nan)
        found = np.empty(kept.shape)
        found[:, self.order] = kept
        return found
