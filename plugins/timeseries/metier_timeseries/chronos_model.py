"""Loader `chronos`: checkpoints of Chronos, Chronos-Bolt and Chronos-2, by chronos-forecasting."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from chronos import BaseChronosPipeline, Chronos2Pipeline, ChronosPipeline
from metier_contracts import CallContext, ConfigError, MetierError, ModelCard, ModelLoadError, Placement
from metier_contracts.authoring import attempt, dtype_name, module_bytes, quiet_transformers, read_options
from safetensors import safe_open

from metier_timeseries.checkpoint import weights_folder
from metier_timeseries.forecaster import Forecaster, Prediction, Window, checked
from metier_timeseries.network import alone_where_it_fails, batches, from_quantiles, padded
from metier_timeseries.options import ChronosOptions


class Quantiles(Forecaster):
    """A checkpoint that gives quantiles: Chronos-Bolt, or Chronos-2, which reads covariates too."""

    _options: ChronosOptions

    def __init__(self, card: ModelCard, options: ChronosOptions, pipeline: Any) -> None:
        super().__init__(card, options)
        self._pipeline = pipeline
        self.device = str(pipeline.inner_model.device)
        self.dtype = dtype_name(pipeline.inner_model.dtype)

    def predict(self, windows: Sequence[Window], context: CallContext) -> Sequence[Prediction | MetierError]:
        """Return what follows each window, `batch_series` of like horizon in one pass."""
        answers: dict[int, Prediction | MetierError] = {}
        keys = {place: (window.horizon, _schema(window)) for place, window in enumerate(windows)}
        for places in batches(keys, self._options.batch_series):
            context.check()
            batch = [windows[place] for place in places]
            answers |= zip(places, alone_where_it_fails(self._forward, batch), strict=True)
        return [answers[place] for place in range(len(windows))]

    def _forward(self, batch: Sequence[Window]) -> Sequence[Prediction | MetierError]:
        with _unconcerned():
            given = self._pipeline.predict(self._inputs(batch), prediction_length=batch[0].horizon)
        rows = (rows.reshape(-1, batch[0].horizon).T.numpy() for rows in given)
        levels = self._pipeline.quantiles
        return [attempt(partial(from_quantiles, row, levels, window)) for row, window in zip(rows, batch, strict=True)]

    def _inputs(self, batch: Sequence[Window]) -> Any:
        if not isinstance(self._pipeline, Chronos2Pipeline):
            length = self._pipeline.model_context_length
            return torch.from_numpy(padded([window.values[-length:] for window in batch]))
        return [_with_covariates(window) for window in batch]

    def resident_bytes(self) -> int:
        """Return the bytes of parameters and buffers."""
        return 0 if self._pipeline is None else module_bytes(self._pipeline.inner_model)

    def close(self) -> None:
        """Drop the tensors."""
        self._pipeline = None
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()


class Samples(Quantiles):
    """A checkpoint of Chronos, which draws paths; quantiles and mean are those of the paths.

    Each series is drawn for by itself, from the call's seed (0 where it has none): its forecast does not depend on
    what else is asked for.
    """

    def predict(self, windows: Sequence[Window], context: CallContext) -> Sequence[Prediction | MetierError]:
        """Return what follows each window."""
        answers = []
        for window in windows:
            context.check()
            answers.append(attempt(partial(self._draw, window, context.seed or 0)))
        return answers

    def _draw(self, window: Window, seed: int) -> Prediction:
        devices = [self.device] if self.device.startswith("cuda") else []
        with torch.random.fork_rng(devices), _unconcerned():
            torch.manual_seed(seed)
            quantiles, mean = self._pipeline.predict_quantiles(
                torch.from_numpy(window.values.astype(np.float32)),
                prediction_length=window.horizon,
                quantile_levels=list(window.levels) or [0.5],
                num_samples=self._options.samples,
            )
        ordered = np.sort(quantiles[0].double().numpy()[:, : len(window.levels)], axis=1)
        return checked(Prediction(mean[0].double().numpy(), ordered))


def load(card: ModelCard, placement: Placement) -> Quantiles:
    """Return the model in `placement.directory`."""
    folder = weights_folder(card, placement)
    options = read_options(ChronosOptions, card)
    with quiet_transformers():
        pipeline = BaseChronosPipeline.from_pretrained(
            folder, dtype=_dtype(placement), local_files_only=True, use_safetensors=True
        )
    _refuse_gaps(pipeline.inner_model, folder)
    pipeline.inner_model.to(placement.device).eval()
    kind = Samples if isinstance(pipeline, ChronosPipeline) else Quantiles
    return kind(card, options, pipeline)


def _refuse_gaps(module: Any, folder: Path) -> None:
    """Raise where weights that the network has are not in the files: they would be drawn at random."""
    stored: set[str] = set()
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            stored.update(file.keys())
    names: dict[int, list[str]] = {}  # tied weights are stored under one of their names
    for name, tensor in module.named_parameters(remove_duplicate=False):
        names.setdefault(tensor.data_ptr(), []).append(name)
    missing = [own[0] for own in names.values() if stored.isdisjoint(own)]
    if missing:
        raise ModelLoadError(
            f"the checkpoint in {folder} lacks weights",
            expected=", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else ""),
            got="none of these",
            blame="the folder",
        )


def _schema(window: Window) -> tuple[tuple[str, bool], ...]:
    """Return which covariates a series has: all of one batch have the same."""
    return tuple((name, covariate.future is None) for name, covariate in sorted(window.covariates.items()))


def _with_covariates(window: Window) -> dict[str, Any]:
    past = {name: covariate.past.astype(np.float32) for name, covariate in window.covariates.items()}
    future = {
        name: covariate.future.astype(np.float32)
        for name, covariate in window.covariates.items()
        if covariate.future is not None
    }
    return {"target": window.values.astype(np.float32), "past_covariates": past, "future_covariates": future}


def _dtype(placement: Placement) -> torch.dtype:
    dtype = getattr(torch, placement.dtype or "float32", None)
    if isinstance(dtype, torch.dtype) and dtype.is_floating_point:
        return dtype
    raise ConfigError(
        "no such dtype", expected="a floating dtype of torch, such as float32 or bfloat16", got=repr(placement.dtype)
    )


@contextmanager
def _unconcerned() -> Iterator[None]:
    """Leave out what the pipelines advise about long horizons: the documentation says it."""
    logger = logging.getLogger("chronos")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="We recommend keeping prediction length")
            yield
    finally:
        logger.setLevel(before)
