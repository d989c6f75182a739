"""Gated recurrent units of many members, with back-propagation through time by hand.

Autograd over the steps of a stack is slower than the members one by one: every slice of a series gets
a full array of zeros in the backward pass. Here state, input and a row of ones are the rows of one
array per time step, so that one product serves all gates and their biases; arrays are used again in
the next step of training; and tanh is computed as 2 σ(2x) − 1, since σ has a vectorised kernel on the
CPU that is several times faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from backbones.stacked.layer import Layer, Pass, Values


@dataclass
class _Workspace:
    """Arrays of one recurrent layer, one entry per time step.

    Attributes
    ----------
    states
        Shape (steps + 1, members, hidden + inputs + 1, samples): state, input and ones.
    gates
        Shape (steps, members, 2 hidden, samples): reset and update.
    proposals
        Shape (steps, members, hidden, samples): proposed states.
    recurrent
        Same shape: what the state contributes to them before the reset.
    """

    states: torch.Tensor
    gates: torch.Tensor
    proposals: torch.Tensor
    recurrent: torch.Tensor


class StackedGru(Layer):
    """The last state of the uppermost layer of ``nn.GRU``, for many members.

    Its inputs have shape (1 or members, samples, time, channels).

    Parameters
    ----------
    module
        The recurrent network of one member: one direction, batch first, no dropout.
    prefix
        Of its names.
    """

    def __init__(self, module: nn.GRU, prefix: str) -> None:
        self._depth, self._hidden, self._biased = module.num_layers, module.hidden_size, module.bias
        self._prefix = prefix
        self._workspaces: dict[tuple[int, ...], _Workspace] = {}
        self._used: list[_Workspace] = []

    def forward(self, values: Values, inputs: torch.Tensor, how: Pass) -> torch.Tensor:
        """Return the last state, shape (members, hidden, samples)."""
        sequence = inputs.permute(2, 0, 3, 1)
        self._used = []
        for depth in range(self._depth):
            workspace = self._run(values, sequence, depth, how.training)
            sequence = workspace.states[1:, :, : self._hidden]
            if how.training:
                self._used.append(workspace)
        # A copy, since the next pass writes there.
        return sequence[-1].clone()

    def _run(self, values: Values, sequence: torch.Tensor, depth: int, keep: bool) -> _Workspace:
        hidden, wide = self._hidden, 2 * self._hidden
        from_input, from_state = self._weights(values, depth)
        of_input, of_state = self._biases(values, depth, from_input)
        of_gates = torch.cat(
            [from_state[:, :wide], from_input[:, :wide], of_input[:, :wide] + of_state[:, :wide]], 2
        )
        # 2 x, for tanh x = 2 σ(2x) − 1; doubling is exact.
        of_proposal = 2 * torch.cat([from_input[:, wide:], of_input[:, wide:]], 2)
        of_recurrent = torch.cat(
            [from_state[:, wide:], torch.zeros_like(from_input[:, wide:]), of_state[:, wide:]], 2
        )
        steps, minus_one = len(sequence), from_input.new_tensor(-1.0)
        workspace = self._workspace(depth, steps, len(from_input), sequence, keep)
        workspace.states[:steps, :, hidden:-1] = sequence
        for step in range(steps):
            states, at = workspace.states[step], step if keep else 0
            gates, proposal, recurrent = workspace.gates[at], workspace.proposals[at], workspace.recurrent[at]
            torch.bmm(of_gates, states, out=gates).sigmoid_()
            torch.bmm(of_recurrent, states, out=recurrent)
            torch.bmm(of_proposal, states[:, hidden:], out=proposal)
            proposal.addcmul_(gates[:, :hidden], recurrent, value=2).sigmoid_()
            torch.add(minus_one, proposal, alpha=2, out=proposal)
            following = workspace.states[step + 1][:, :hidden]
            torch.lerp(proposal, states[:, :hidden], gates[:, hidden:], out=following)
        return workspace

    def _workspace(
        self, depth: int, steps: int, members: int, sequence: torch.Tensor, keep: bool
    ) -> _Workspace:
        rows, samples = self._hidden + sequence.shape[2] + 1, sequence.shape[3]
        key = (depth, int(keep), samples)
        found = self._workspaces.get(key)
        if found is None or found.states.shape != (steps + 1, members, rows, samples):
            kept = steps if keep else 1
            found = _Workspace(
                sequence.new_empty(steps + 1, members, rows, samples),
                sequence.new_empty(kept, members, 2 * self._hidden, samples),
                sequence.new_empty(kept, members, self._hidden, samples),
                sequence.new_empty(kept, members, self._hidden, samples),
            )
            found.states[0, :, : self._hidden] = 0
            found.states[:, :, -1] = 1
            self._workspaces[key] = found
        return found

    def backward(
        self, values: Mapping[str, torch.Tensor], gradient: torch.Tensor, gradients: Values, further: bool
    ) -> torch.Tensor | None:
        """Store the gradients of all layers; the series itself needs none."""
        if further:
            raise RuntimeError("A recurrent network must be the first layer of a stack.")
        after: torch.Tensor | None = None
        for depth in reversed(range(self._depth)):
            after = self._back(values, self._used.pop(), gradient, after, gradients, depth)
        return None

    def _back(
        self,
        values: Mapping[str, torch.Tensor],
        workspace: _Workspace,
        gradient: torch.Tensor,
        after: torch.Tensor | None,
        gradients: Values,
        depth: int,
    ) -> torch.Tensor | None:
        """Go back through time in one layer, and return the gradients of its inputs.

        Parameters
        ----------
        values, gradients
            As in :meth:`backward`.
        workspace
            Of the forward pass.
        gradient
            Of the last state of the uppermost layer.
        after
            Of all states, shape (steps, members, hidden, samples), from the layer above; None: there is none.
        depth
            Of this layer.
        """
        hidden, wide = self._hidden, 2 * self._hidden
        from_input, from_state = self._weights(values, depth)
        steps, (members, _, samples) = len(workspace.gates), workspace.gates.shape[1:]
        channels = from_input.shape[2]
        grown = from_input.new_zeros(members, 3 * hidden, hidden + channels + 1)
        of_proposals = from_input.new_zeros(members, hidden, channels + 1)
        before = from_input.new_empty(steps, members, channels, samples) if depth else None
        back = from_input.new_empty(members, 3 * hidden, samples)
        flowing = gradient if after is None else after[-1]
        spare = [torch.empty_like(workspace.proposals[0]) for _ in range(4)]
        inner, outer = spare[:2]
        for step in reversed(range(steps)):
            gates, proposal, states = workspace.gates[step], workspace.proposals[step], workspace.states[step]
            reset, update = gates[:, :hidden], gates[:, hidden:]
            carried = spare[2 + step % 2]
            torch.mul(flowing, update, out=carried)
            torch.sub(flowing, carried, out=inner)
            torch.ops.aten.tanh_backward.grad_input(inner, proposal, grad_input=outer)
            torch.mul(outer, workspace.recurrent[step], out=inner)
            torch.ops.aten.sigmoid_backward.grad_input(inner, reset, grad_input=back[:, :hidden])
            torch.sub(states[:, :hidden], proposal, out=inner).mul_(flowing)
            torch.ops.aten.sigmoid_backward.grad_input(inner, update, grad_input=back[:, hidden:wide])
            torch.mul(outer, reset, out=back[:, wide:])
            grown.baddbmm_(back, states.transpose(1, 2))
            of_proposals.baddbmm_(outer, states[:, hidden:].transpose(1, 2))
            if before is not None:
                torch.bmm(from_input[:, :wide].transpose(1, 2), back[:, :wide], out=before[step])
                before[step].baddbmm_(from_input[:, wide:].transpose(1, 2), outer)
            flowing = carried.baddbmm_(from_state.transpose(1, 2), back)
            if after is not None and step:
                flowing += after[step - 1]
        self._store(gradients, grown, of_proposals, depth)
        return before

    def _store(self, gradients: Values, grown: torch.Tensor, of_proposals: torch.Tensor, depth: int) -> None:
        hidden, wide = self._hidden, 2 * self._hidden
        from_input = torch.cat([grown[:, :wide, hidden:], of_proposals], 1)
        gradients[f"{self._prefix}weight_ih_l{depth}"] = from_input[:, :, :-1]
        gradients[f"{self._prefix}weight_hh_l{depth}"] = grown[:, :, :hidden]
        if self._biased:
            gradients[f"{self._prefix}bias_ih_l{depth}"] = from_input[:, :, -1]
            gradients[f"{self._prefix}bias_hh_l{depth}"] = grown[:, :, -1]

    def _weights(self, values: Mapping[str, torch.Tensor], depth: int) -> tuple[torch.Tensor, torch.Tensor]:
        return values[f"{self._prefix}weight_ih_l{depth}"], values[f"{self._prefix}weight_hh_l{depth}"]

    def _biases(self, values: Values, depth: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the biases of input and state, shape (members, 3 hidden, 1)."""
        if not self._biased:
            none = torch.zeros_like(like[:, :, :1])
            return none, none
        first, second = (values[f"{self._prefix}bias_{kind}_l{depth}"] for kind in ("ih", "hh"))
        return first.unsqueeze(2), second.unsqueeze(2)
