"""Checkpoints of Chronos, Chronos-Bolt and Chronos-2, beside the pipelines of chronos-forecasting themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from chronos import BaseChronosPipeline
from metier_contracts import CallContext, ConfigError, Covariate, DetectAnomalies, Forecast, ModelLoadError, Series
from safetensors.torch import load_file, save_file

from tests.support import series_checkpoints

BUILDERS = {
    "chronos-t5-small": series_checkpoints.chronos,
    "chronos-bolt-small": series_checkpoints.chronos_bolt,
    "chronos-2": series_checkpoints.chronos_2,
}
NINE = tuple(series_checkpoints.QUANTILES)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return {name: build(tmp_path_factory.mktemp("checkpoint")) for name, build in BUILDERS.items()}


@pytest.fixture(params=BUILDERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def direct(folder: Path, series: Series, horizon: int, levels: tuple[float, ...] = NINE, seed: int = 0) -> Any:
    """Return quantiles [H, Q] and mean [H] of the pipeline used directly."""
    pipeline = BaseChronosPipeline.from_pretrained(folder, dtype=torch.float32)
    values = torch.from_numpy(series.values.astype(np.float32))
    torch.manual_seed(seed)
    quantiles, mean = pipeline.predict_quantiles([values], prediction_length=horizon, quantile_levels=list(levels))
    return quantiles[0].reshape(horizon, len(levels)).numpy(), mean[0].reshape(horizon).numpy()


def test_it_is_the_forecast_of_the_pipeline(load: Any, context: Any, folders: Any, past: Series, name: str) -> None:
    [answer] = load(name, folders[name]).infer([Forecast(series=past, horizon=12, quantiles=NINE)], context)
    quantiles, mean = direct(folders[name], past, 12)
    assert answer.quantiles == pytest.approx(np.sort(quantiles, axis=1), rel=1e-5)
    if name == "chronos-t5-small":
        assert answer.mean == pytest.approx(mean, rel=1e-5)
    else:
        assert answer.mean == pytest.approx(answer.quantiles[:, 4])
    assert np.ptp(quantiles) > 1  # of a network that answers the same to everything, nothing would be compared


def test_a_batch_answers_as_singles_do(load: Any, context: Any, folders: Any, monthly: list[Any], name: str) -> None:
    model = load(name, folders[name])
    requests = [Forecast(series=Series(values=one.x), horizon=horizon) for one in monthly[:3] for horizon in (3, 18)]
    singles = [model.infer([request], context)[0] for request in requests]
    for alone, together in zip(singles, model.infer(requests, context), strict=True):
        assert together.quantiles == pytest.approx(alone.quantiles, rel=1e-3)


def test_beyond_its_horizon_it_goes_on(load: Any, context: Any, folders: Any, past: Series, name: str) -> None:
    [answer] = load(name, folders[name]).infer([Forecast(series=past, horizon=40, quantiles=(0.05, 0.5))], context)
    assert answer.quantiles.shape == (40, 2)
    assert (answer.quantiles[:, 0] <= answer.quantiles[:, 1]).all()


def test_gaps_are_read_over(load: Any, context: Any, folders: Any, past: Series, name: str) -> None:
    gappy = past.values.copy()
    gappy[[-40, -12, -1]] = np.nan
    series = past.model_copy(update={"values": gappy, "missing": True})
    [answer] = load(name, folders[name]).infer([Forecast(series=series, horizon=4, quantiles=NINE)], context)
    quantiles, _ = direct(folders[name], series, 4)
    assert answer.quantiles == pytest.approx(np.sort(quantiles, axis=1), rel=1e-5)


def test_quantiles_may_be_left_out(load: Any, context: Any, folders: Any, past: Series, name: str) -> None:
    [answer] = load(name, folders[name]).infer([Forecast(series=past, horizon=4, quantiles=())], context)
    assert answer.quantiles.shape == (4, 0)
    assert len(answer.mean) == 4


def test_paths_are_drawn_from_the_seed(load: Any, folders: Any, past: Series) -> None:
    model = load("chronos-t5-small", folders["chronos-t5-small"])
    request = Forecast(series=past, horizon=4)
    before = torch.random.get_rng_state()
    first, again, other = (model.infer([request], CallContext(seed=seed))[0].mean.tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert torch.equal(torch.random.get_rng_state(), before)


def test_more_paths_may_be_asked_for(load: Any, context: Any, folders: Any, past: Series) -> None:
    request = Forecast(series=past, horizon=4)
    few, many = (
        load("chronos-t5-small", folders["chronos-t5-small"], options={"samples": count}).infer([request], context)[0]
        for count in (2, 50)
    )
    assert few.mean.tolist() != many.mean.tolist()


def test_covariates_are_read(load: Any, context: Any, folders: Any, past: Series) -> None:
    folder = folders["chronos-2"]
    driver = np.sin(np.arange(len(past) + 6))
    covariates = {"known": Covariate(past=driver[:-6], future=driver[-6:]), "seen": Covariate(past=driver[6:])}
    plain = Forecast(series=past, horizon=6, quantiles=NINE)
    model = load("chronos-2", folder)
    without, answer = model.infer([plain, plain.model_copy(update={"covariates": covariates})], context)
    pipeline = BaseChronosPipeline.from_pretrained(folder, dtype=torch.float32)
    item = {
        "target": past.values.astype(np.float32),
        "past_covariates": {"known": driver[:-6].astype(np.float32), "seen": driver[6:].astype(np.float32)},
        "future_covariates": {"known": driver[-6:].astype(np.float32)},
    }
    quantiles, _ = pipeline.predict_quantiles([item], prediction_length=6, quantile_levels=list(NINE))
    assert answer.quantiles == pytest.approx(np.sort(quantiles[0][0].numpy(), axis=1), rel=1e-5)
    assert without.quantiles != pytest.approx(answer.quantiles, rel=1e-3)


@pytest.mark.parametrize("bolt", ["chronos-bolt-small", "chronos-2"])
def test_anomalies_are_scored(load: Any, context: Any, folders: Any, passengers: Series, bolt: str) -> None:
    [found] = load(bolt, folders[bolt], options={"windows": 8}).infer([DetectAnomalies(series=passengers)], context)
    assert found.scores[24:].max() > 0
    assert not found.scores[:24].any()


def test_weights_that_are_missing_are_named(load: Any, folders: Any, tmp_path: Path, name: str) -> None:
    weights = load_file(folders[name] / "model.safetensors")
    gone = next(key for key in weights if key.endswith("wi.weight"))
    del weights[gone]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "config.json").write_bytes((folders[name] / "config.json").read_bytes())
    with pytest.raises(ModelLoadError, match=gone):
        load(name, tmp_path)


def test_another_dtype_is_used_and_a_wrong_one_refused(load: Any, context: Any, folders: Any, past: Series) -> None:
    model = load("chronos-bolt-small", folders["chronos-bolt-small"], dtype="bfloat16")
    [answer] = model.infer([Forecast(series=past, horizon=4)], context)
    assert model.dtype == "bfloat16"
    assert np.isfinite(answer.quantiles).all()
    with pytest.raises(ConfigError, match="no such dtype"):
        load("chronos-bolt-small", folders["chronos-bolt-small"], dtype="int8")


def test_its_bytes_are_those_of_its_weights(load: Any, folders: Any, name: str) -> None:
    model = load(name, folders[name])
    stored = sum(tensor.nbytes for tensor in load_file(folders[name] / "model.safetensors").values())
    assert stored <= model.resident_bytes() <= 1.1 * stored
    model.close()
    assert model.resident_bytes() == 0
