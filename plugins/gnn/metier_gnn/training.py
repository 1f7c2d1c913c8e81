"""Fitting a network, from weights drawn at random."""

from __future__ import annotations

from typing import Any

import torch
from metier_contracts import CallContext, GraphFit, InferenceError
from torch.nn import functional

from metier_gnn.lessons import Lesson, config_of, lessons_of
from metier_gnn.network import Network
from metier_gnn.options import ScratchOptions


def fit_network(request: GraphFit, options: ScratchOptions, device: str, context: CallContext) -> Network:
    """Return the network that the request wants, in evaluation mode.

    The same request and seed give the same weights on one machine. Checks `context` before each step, and reports each
    epoch.

    Raises:
        InputError: the request's graphs or targets do not fit each other.
    """
    config = config_of(request, options)
    devices = [torch.device(device)] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(request.seed)
        network = Network(config).to(device)
        lessons = lessons_of(request, config, options, device)
        lessons.prepare(network)
        optimizer = torch.optim.Adam(network.parameters(), lr=request.learning_rate, weight_decay=options.weight_decay)
        network.train()
        for epoch in range(request.epochs):
            for lesson in lessons.epoch():
                context.check()
                optimizer.zero_grad()
                loss: Any = _loss(network, lesson)
                _check(loss, epoch)
                loss.backward()
                optimizer.step()
            context.report(epoch + 1, request.epochs)
    return network.eval()


def _check(loss: torch.Tensor, epoch: int) -> None:
    if not torch.isfinite(loss):
        raise InferenceError(
            "training diverged", got=f"a loss of {loss.item()} in epoch {epoch + 1}", hint="lower the learning_rate"
        )


def _loss(network: Network, lesson: Lesson) -> torch.Tensor:
    outputs, _ = network.read(lesson.batch)
    if network.config.goal == "classes":
        return functional.cross_entropy(outputs, lesson.truth)
    if network.config.goal == "link":
        return functional.binary_cross_entropy_with_logits(outputs[:, 0], lesson.truth)
    return functional.mse_loss(outputs, network.value_scale(lesson.truth[:, None]))
