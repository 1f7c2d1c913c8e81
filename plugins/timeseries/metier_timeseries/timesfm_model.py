"""Loader `timesfm`: checkpoints of TimesFM 2.5, by the timesfm library."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from metier_contracts import CallContext, InputError, MetierError, ModelCard, Placement
from metier_contracts.authoring import attempt, module_bytes, read_options
from timesfm import ForecastConfig, TimesFM_2p5_200M_torch

from metier_timeseries.checkpoint import weights_folder
from metier_timeseries.forecaster import Forecaster, Prediction, Window, checked
from metier_timeseries.network import alone_where_it_fails, batches
from metier_timeseries.options import NetworkOptions
from metier_timeseries.quantiles import at_levels

_LEVELS = tuple(round(0.1 * step, 1) for step in range(1, 10))
_MEAN = 0


class TimesFM(Forecaster):
    """A checkpoint of TimesFM 2.5, asked as its authors advise.

    Its context is padded to a power of two, which depends on the series alone: what else is asked for changes nothing.
    """

    _options: NetworkOptions

    def __init__(self, card: ModelCard, options: NetworkOptions, model: Any) -> None:
        super().__init__(card, options)
        self._model = model
        self.device = str(model.model.device)

    def predict(self, windows: Sequence[Window], context: CallContext) -> Sequence[Prediction | MetierError]:
        """Return what follows each window, `batch_series` of like horizon and context in one pass."""
        answers: dict[int, Prediction | MetierError] = {}
        keys: dict[int, tuple[int, int]] = {}
        for place, window in enumerate(windows):
            size = attempt(partial(self._context, window))
            if isinstance(size, MetierError):
                answers[place] = size
            else:
                keys[place] = (window.horizon, size)
        for places in batches(keys, self._options.batch_series):
            context.check()
            forward = partial(self._forward, keys[places[0]][1])
            answers |= zip(places, alone_where_it_fails(forward, [windows[place] for place in places]), strict=True)
        return [answers[place] for place in range(len(windows))]

    def _context(self, window: Window) -> int:
        """Return how many points are read: a power of two, and no more than the network holds beside the horizon."""
        module = self._model.model
        room = module.config.context_limit - _rounded(window.horizon, module.o)
        if room < module.p:
            raise InputError(
                f"the horizon is too long for {self.card.id}",
                expected=f"at most {module.config.context_limit - module.p - module.o} steps",
                got=str(window.horizon),
                blame="horizon of the request",
            )
        wanted = max(module.p, 1 << (len(window.values) - 1).bit_length())
        return int(min(wanted, room // module.p * module.p))

    def _forward(self, size: int, batch: Sequence[Window]) -> Sequence[Prediction | MetierError]:
        horizon = batch[0].horizon
        self._model.compile(settings(self._model.model, size, horizon, len(batch)))
        _, given = self._model.forecast(horizon=horizon, inputs=[window.values for window in batch])
        return [attempt(partial(_prediction, rows, window)) for rows, window in zip(given, batch, strict=True)]

    def resident_bytes(self) -> int:
        """Return the bytes of parameters and buffers."""
        return 0 if self._model is None else module_bytes(self._model.model)

    def close(self) -> None:
        """Drop the tensors."""
        self._model = None
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()


def settings(module: Any, context: int, horizon: int, batch: int) -> ForecastConfig:
    """Return how the network is asked: inputs scaled, and its head of quantiles used as far ahead as it reaches."""
    return ForecastConfig(
        max_context=context,
        max_horizon=_rounded(horizon, module.o),
        per_core_batch_size=batch,
        normalize_inputs=True,
        use_continuous_quantile_head=_rounded(horizon, module.o) <= module.os,
        force_flip_invariance=True,
        infer_is_positive=True,
        fix_quantile_crossing=True,
    )


def _prediction(rows: Any, window: Window) -> Prediction:
    given = np.asarray(rows, dtype=np.float64)
    return checked(Prediction(given[:, _MEAN], at_levels(given[:, 1:], _LEVELS, window.levels)))


def _rounded(count: int, step: int) -> int:
    return -(-count // step) * step


def load(card: ModelCard, placement: Placement) -> TimesFM:
    """Return the model in `placement.directory`, in float32."""
    options = read_options(NetworkOptions, card)
    folder = weights_folder(card, placement, TimesFM_2p5_200M_torch.WEIGHTS_FILENAME)
    model = TimesFM_2p5_200M_torch(torch_compile=False)
    # By itself it takes the first GPU, and as many series at once as there are GPUs.
    model.model.device, model.model.device_count = torch.device(placement.device), 1
    model.load_checkpoint(str(folder / TimesFM_2p5_200M_torch.WEIGHTS_FILENAME))
    return TimesFM(card, options, model)
