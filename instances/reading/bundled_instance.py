"""What stands in for an instance whose published gains cannot be had: predictions, told as such."""

from __future__ import annotations

from dataclasses import replace

from engine import GainTensor, Instance, InstanceInfo, Predictor, UsageError
from engine.gains.source import source_names
from instances.reading.bundled_predictions import BundledPredictions

LICENCE = "predictions made by the engine's own code, not redistributed measurements"


class BundledInstance(Instance):
    """The tasks, splits and budgets of a published instance with predicted gains in place of measured ones.

    Its one recorded source is the predictor, and its evaluation gains are predictions too. Other
    predictors are fitted on these predictions.

    Parameters
    ----------
    name
        How it was asked for.
    info
        Of the published instance.
    tasks_note
        What a reader must know of its tasks and splits.
    bundle
        The predictions.
    missing
        Which published file is missing, and how it can be had.
    """

    def __init__(
        self, name: str, info: InstanceInfo, tasks_note: str, bundle: BundledPredictions, missing: str
    ) -> None:
        super().__init__(name)
        self._bundle, self._published, self._missing = bundle, info.sources, missing
        predictor = bundle.fit.source
        self.info = replace(
            info,
            summary=f"{len(info.tasks)} tasks, gains predicted by {predictor}: {self._error}",
            n_groups=bundle.gains[info.source_split].n_groups,
            sources=(predictor,),
            origin=bundle.gains[info.source_split].provenance.text,
            licence=LICENCE,
            note=" ".join(filter(None, ("Every gain is predicted, those judged on too.", tasks_note))),
            bundled="",
        )

    @property
    def notice(self) -> str:
        """What a user must know before using these gains, in one line."""
        return (
            f"{self.name}: every gain is predicted by {self._bundle.fit.source} ({self._error}), none "
            f"is measured. {self._missing}"
        )

    @property
    def _error(self) -> str:
        fitted = self._bundle.fit.splits[next(iter(self._bundle.gains))]
        return (
            f"off by {100 * fitted.mean_error:.1f} points on average, rank correlation "
            f"{fitted.rank_correlation:.2f}, on measured groups left out of the fit"
        )

    def recorded(self, source: str, split: str) -> GainTensor:
        """Return the predicted gains of a split."""
        if source != self.info.sources[0] or split not in self._bundle.gains:
            raise UsageError(
                f"Instance {self.name!r} has no gains of {source!r} on {split!r} here. It has predictions of "
                f"{self.info.sources[0]!r} on {' and '.join(self._bundle.gains)}. {self._missing}"
            )
        return self._bundle.gains[split]

    def gains(self, source: str | None = None) -> GainTensor:
        """Return the gains the solver sees: the predictions, or another predictor fitted on them.

        Raises
        ------
        UsageError
            If there is no such source, or its gains were published but are not here.
        """
        lacking = set(self._published) - {*self.info.sources, *source_names(Predictor)}
        if source in lacking:
            return self.recorded(str(source), self.info.source_split)
        return super().gains(source)
