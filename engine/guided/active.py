"""Active selection on recorded gains: what a predictor makes of a few groups that it asked for itself."""

from __future__ import annotations

from engine.errors import DataError, UsageError
from engine.gains.source import Predictor
from engine.gains.tensor import GainTensor
from engine.guided.collection import collect_guided, recorded, recorded_alone
from engine.guided.study import Study


def measured_actively(
    predictor: Predictor,
    gains: GainTensor,
    multiple: int,
    *,
    seed: int = 0,
) -> Study:
    """Measure K·N groups beyond the single tasks and the full set, as MTG-Net selects them.

    The first N groups are asked for one by one, all others N at a time; so that K = (N − 1)/2 costs as
    much as all pairs (Song et al., NeurIPS 2022).

    Parameters
    ----------
    predictor
        Says what is worth measuring, and is fitted on what was measured.
    gains
        Recorded gains, which measuring looks up.
    multiple
        K.
    seed
        Fixes every random decision.

    Returns
    -------
    Study
        What is known, and the fitted model.

    Raises
    ------
    UsageError
        If K is below 1.
    DataError
        If the gains are predicted.
    """
    if multiple < 1:
        raise UsageError(f"Measure K times the number of tasks, K 1 or more, not {multiple}.")
    if not gains.measured.all():
        raise DataError("These gains are predicted in part: only measured ones can stand for measuring.")
    study = Study(
        gains.tasks,
        (1.0,),
        candidates=gains.membership,
        predictor=predictor,
        acquisition="largest-prediction",
        initial=1,
        seed=seed,
    )
    alone = recorded_alone(gains)
    if alone is not None:
        study.tell(alone)
    count = gains.n_tasks
    collect_guided(study, recorded(gains), 1 + count)
    collect_guided(study, recorded(gains), 1 + multiple * count, batch=count)
    return study
