"""Checkpoints of TimesFM 2.5, of a small size, beside the library used directly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier_contracts import DetectAnomalies, Forecast, InputError, ModelLoadError, Series
from safetensors.torch import load_file, save_file

from tests.support import series_checkpoints

NAME = "timesfm-2.5-200m"
NINE = tuple(series_checkpoints.QUANTILES)


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    with series_checkpoints.small_timesfm():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return series_checkpoints.timesfm(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def model(load: Any, folder: Path) -> Any:
    return load(NAME, folder)


def direct(folder: Path, values: Any, horizon: int, context: int) -> Any:
    """Return what the library gives, [H, 10]: the mean and nine quantiles."""
    from timesfm import ForecastConfig, TimesFM_2p5_200M_torch

    own = TimesFM_2p5_200M_torch.from_pretrained(folder, torch_compile=False, local_files_only=True)
    own.compile(
        ForecastConfig(
            max_context=context,
            max_horizon=-(-horizon // 128) * 128,
            normalize_inputs=True,
            use_continuous_quantile_head=horizon <= 1024,
            fix_quantile_crossing=True,
        )
    )
    _, quantiles = own.forecast(horizon=horizon, inputs=[values.copy()])
    return quantiles[0]


@pytest.mark.parametrize("horizon", [1, 12, 200])
def test_it_is_the_forecast_of_the_library(model: Any, context: Any, folder: Path, past: Series, horizon: int) -> None:
    [answer] = model.infer([Forecast(series=past, horizon=horizon, quantiles=NINE)], context)
    given = direct(folder, past.values, horizon, 128)
    assert answer.mean == pytest.approx(given[:, 0], rel=1e-6)
    assert answer.quantiles == pytest.approx(np.sort(given[:, 1:], axis=1), rel=1e-6)
    assert np.ptp(given[:, 1:]) > 1  # of a network that answers the same to everything, nothing would be compared


def test_beyond_its_head_of_quantiles_it_goes_on(model: Any, context: Any, folder: Path, past: Series) -> None:
    [answer] = model.infer([Forecast(series=past, horizon=1100, quantiles=NINE)], context)
    assert answer.quantiles == pytest.approx(np.sort(direct(folder, past.values, 1100, 128)[:, 1:], axis=1), rel=1e-5)


def test_a_batch_answers_as_singles_do(model: Any, context: Any, monthly: list[Any]) -> None:
    requests = [Forecast(series=Series(values=one.x), horizon=horizon) for one in monthly[:4] for horizon in (3, 18)]
    singles = [model.infer([request], context)[0] for request in requests]
    for alone, together in zip(singles, model.infer(requests, context), strict=True):
        assert together.quantiles == pytest.approx(alone.quantiles, rel=1e-4)


def test_gaps_are_bridged_as_the_library_does(model: Any, context: Any, folder: Path, past: Series) -> None:
    gappy = past.values.copy()
    gappy[[0, 1, -40, -12, -1]] = np.nan
    series = past.model_copy(update={"values": gappy, "missing": True})
    [answer] = model.infer([Forecast(series=series, horizon=4, quantiles=NINE)], context)
    assert answer.quantiles == pytest.approx(np.sort(direct(folder, gappy, 4, 128)[:, 1:], axis=1), rel=1e-6)
    assert np.isnan(gappy[-1])  # the caller's values are left as they were


def test_a_long_series_is_read_from_its_end(model: Any, context: Any) -> None:
    values = np.sin(np.arange(20_000) / 7)
    whole, end = (Forecast(series=Series(values=one), horizon=3) for one in (values, values[-16256:]))
    first, second = model.infer([whole, end], context)
    assert first.quantiles == pytest.approx(second.quantiles)


def test_a_horizon_beyond_its_limit_fails_alone(model: Any, context: Any, past: Series) -> None:
    long, short = Forecast(series=past, horizon=16_384), Forecast(series=past, horizon=2)
    refused, answer = model.infer([long, short], context)
    assert isinstance(refused, InputError)
    assert "16224" in str(refused.expected)
    assert len(answer.mean) == 2


def test_anomalies(model: Any, context: Any, past: Series) -> None:
    [found] = model.infer([DetectAnomalies(series=past)], context)
    assert found.scores.shape == past.values.shape


def test_a_folder_without_weights_is_refused(load: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="no checkpoint") as caught:
        load(NAME, tmp_path)
    assert "model.safetensors" in str(caught.value.expected)


def test_a_checkpoint_that_lacks_weights_is_refused(load: Any, folder: Path, tmp_path: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["tokenizer.output_layer.weight"]
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(ModelLoadError, match="could not be loaded"):
        load(NAME, tmp_path)
