"""MTG-Net: a network that learns, from the gains of some groups, those of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine import GainModel, GainSourceInfo, GainTensor, Predictor
from engine.errors import UsageError, unknown_name
from gain_sources.meta_learner.baseline import Baseline
from gain_sources.meta_learner.blend import Blend, fit_blend
from gain_sources.meta_learner.known import FOLDS, KnownGroups
from gain_sources.meta_learner.model import MtgnetModel

if TYPE_CHECKING:
    import torch

    from gain_sources.meta_learner.network import Weights

VARIANTS = ("default", "paper")
PRIOR_ENTRIES = 2.0
"""The spread of all tasks counts as so many values of each task."""

EMBEDDING_SCALE, HEAD_SCALE = 0.03, 0.1
"""Initial embeddings and heads in units of the published ones: where all tasks are nearly alike at first, and
predictions nearly the mean, training finds the differences that pay and not those that were drawn."""

KEPT = 0.7
"""So much of the previous weights is kept in refitting, the rest drawn anew: networks that start where they
ended learn new groups less well (Ash and Adams, NeurIPS 2020)."""


class _Parts(NamedTuple):
    """What a fit finds; as in :class:`~gain_sources.meta_learner.model.MtgnetModel`, folds (repeats, M)."""

    weights: Weights
    scales: NDArray[np.float64]
    baseline: Baseline
    blend: Blend
    folds: NDArray[np.int64]


@dataclass(frozen=True)
class Mtgnet(Predictor):
    """Attention among the tasks of a group.

    Attributes
    ----------
    variant
        ``"paper"`` has the published network and training: full batches, L1, stopped when the training
        error stalls, the mean of the two best epochs; no standard error. ``"default"`` trains several
        networks, each without a fifth of the groups, on gains in units of the spread of each task; it
        shrinks their mean towards the mean of a task, or ridge, by what they had not seen.
    width, layers
        Size of the embeddings and number of layers; 0: as the variant has it.
    repeats
        How often the groups are dealt out to five networks, or, as published, how many networks there
        are, each with its two epochs; 0: as the variant has it, 2 or 1.
    seed
        Of initial weights, folds and batches.
    device
        As in :class:`backbones.TrainerOptions`.

    Raises
    ------
    UsageError
        If the variant is unknown or a number is negative.
    """

    variant: str = "default"
    width: int = 0
    layers: int = 0
    repeats: int = 0
    seed: int = 0
    device: str = "auto"
    info = GainSourceInfo(
        summary="MTG-Net: attention among the tasks of a group, with a standard error; variant=paper serves "
        "comparison only",
        requires=("torch",),
        reference="Song et al., Efficient and Effective Multi-task Grouping via Meta Learning on Task "
        "Combinations, NeurIPS 2022",
    )

    @property
    def caution(self) -> str:
        """That the published variant serves comparison."""
        if self.variant != "paper":
            return ""
        return (
            "variant=paper is the published network and training, for comparison only: it has larger errors "
            "than variant=default (benchmarks/RESULTS.md)"
        )

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise unknown_name("variant of gain source 'mtgnet':", self.variant, VARIANTS)
        for name in ("width", "layers", "repeats", "seed"):
            value = getattr(self, name)
            if value < 0:
                raise UsageError(f"{name} of gain source 'mtgnet' must be 0 or more, not {value!r}.")

    def fit(self, gains: GainTensor) -> MtgnetModel:
        """Fit the networks anew.

        Parameters
        ----------
        gains
            Gains or losses; every task is in some group of two or more.

        Raises
        ------
        DataError
            If a task is in no group of two or more.
        UsageError
            If the device is unknown.
        """
        return self._fit(gains, None)

    def refit(self, gains: GainTensor, previous: GainModel) -> MtgnetModel:
        """Train the networks of a previous model on; groups stay in their folds.

        Starts anew where the previous model has other tasks or options, and as published, where every
        round has a new network.

        Parameters
        ----------
        gains
            All that is known now.
        previous
            What this source made of some of it.

        Raises
        ------
        DataError
            If a task is in no group of two or more.
        """
        same = (
            isinstance(previous, MtgnetModel)
            and previous.made_by == self
            and set(previous.tasks) == set(gains.tasks)
            and previous.quantity == gains.quantity
            and len(previous.folds) > 1
        )
        return self._fit(gains, previous if same else None)  # type: ignore[arg-type]

    def _fit(self, gains: GainTensor, previous: MtgnetModel | None) -> MtgnetModel:
        from backbones import TrainerOptions

        known = KnownGroups.of(gains, "mtgnet")
        device = TrainerOptions(device=self.device).torch_device
        if self.variant == "paper":
            parts = self._as_published(known, device)
        else:
            parts = self._held_out(known, device, previous)
        return MtgnetModel(
            gains.tasks,
            self,
            parts.weights,
            known.columns,
            known.alone,
            parts.scales,
            parts.baseline,
            parts.blend,
            dict(zip(known.keys, parts.folds.T, strict=True)),
            gains.quantity,
        )

    def _drawn(self, tasks: tuple[str, ...], networks: int, device: torch.device) -> Weights:
        import torch

        from gain_sources.meta_learner.network import initial_weights

        paper = self.variant == "paper"
        drawn = initial_weights(
            tasks,
            self.width or (64 if paper else 16),
            self.layers or 2,
            self.seed,
            range(networks),
            torch.float32,
        )
        if not paper:
            drawn["embedding"] *= EMBEDDING_SCALE
            drawn["head_weight"] *= HEAD_SCALE
            drawn["head_bias"] *= 0.0
        return {name: value.to(device) for name, value in drawn.items()}

    def _as_published(self, known: KnownGroups, device: torch.device) -> _Parts:
        import torch

        from gain_sources.meta_learner.training import train_as_published

        alone = np.eye(len(known.tasks), dtype=bool)[known.recorded_alone]
        membership = np.concatenate([alone, known.membership])
        values = np.concatenate([np.where(alone, known.alone, 0.0), np.nan_to_num(known.values)])
        weights = train_as_published(
            self._drawn(known.tasks, self.repeats or 1, device),
            torch.from_numpy(membership).to(device),
            torch.from_numpy(values).to(device, torch.float32),
        )
        count = len(known.tasks)
        blend = Blend(0.0, 1.0, np.full(count, np.nan))
        folds = np.empty((0, len(known.membership)), dtype=np.int64)
        return _Parts(weights, np.ones(count), Baseline.zero(count), blend, folds)

    def _held_out(self, known: KnownGroups, device: torch.device, previous: MtgnetModel | None) -> _Parts:
        import torch

        from gain_sources.meta_learner.training import predicted_in_blocks, train_held_out

        repeats = self.repeats or 2
        member, values = known.membership, known.values
        baseline = Baseline.fit(member, values)
        scales = _scales(member, values - baseline.means)
        folds = known.folds(repeats, self.seed, {} if previous is None else previous.folds)
        held_out = (folds[:, None] == np.arange(FOLDS)[:, None]).reshape(repeats * FOLDS, -1)
        weights = self._drawn(known.tasks, repeats * FOLDS, device)
        if previous is not None:
            before = previous.weights
            weights = {name: KEPT * before[name] + (1 - KEPT) * drawn for name, drawn in weights.items()}
        if len(member) < 2:
            nothing = Blend(0.0, 0.0, np.full(len(scales), np.nan))
            return _Parts(weights, scales, baseline, nothing, folds)
        others = [Baseline.fit(member[~held], values[~held]) for held in held_out]
        means = np.stack([one.means for one in others])
        targets = np.where(member, (values - means[:, None]) / scales, 0.0)
        groups = torch.tensor(member, device=device)
        weights = train_held_out(
            weights,
            groups,
            torch.from_numpy(targets).to(device, torch.float32),
            torch.from_numpy(held_out).to(device),
            seed=self.seed,
        )
        with torch.inference_mode():
            found = predicted_in_blocks(weights, groups).double().cpu().numpy()
        ridge = np.stack([(one.ridge(member) - one.means) / scales for one in others])
        blend = fit_blend(
            member,
            _of_repeats(targets, held_out, repeats).mean(axis=0),
            _of_repeats(ridge, held_out, repeats).mean(axis=0),
            _of_repeats(found, held_out, repeats),
        )
        return _Parts(weights, scales, baseline, blend, folds)


def _scales(membership: NDArray[np.bool_], deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the spread of each task, drawn towards that of all; 1 where nothing differs."""
    squares = np.where(membership, deviations, 0.0) ** 2
    counts = membership.sum(axis=0)
    overall = squares.sum() / counts.sum()
    found = np.sqrt((squares.sum(axis=0) + PRIOR_ENTRIES * overall) / (counts + PRIOR_ENTRIES))
    scales: NDArray[np.float64] = np.where(found > 0, found, 1.0)
    return scales


def _of_repeats(found: NDArray[np.float64], held_out: NDArray[np.bool_], repeats: int) -> NDArray[np.float64]:
    """Return, of each repeat, what the network says that had not seen the group: (repeats, M, N)."""
    blind: NDArray[np.float64] = np.where(held_out[:, :, None], found, 0.0)
    by_repeat: NDArray[np.float64] = blind.reshape(repeats, -1, *found.shape[1:]).sum(axis=1)
    return by_repeat
