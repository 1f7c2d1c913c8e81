"""`--plot`: what is drawn, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from metier.cli import plots, writers
from metier_contracts import (
    Anomalies,
    ConfigError,
    DetectAnomalies,
    Forecast,
    ForecastResult,
    InputError,
    Series,
    StorageError,
)
from PIL import Image

SERIES = Series(values=np.sin(np.arange(100)), name="load")
STEPS = np.arange(6.0)


def answer(levels: tuple[float, ...], **fields: object) -> ForecastResult:
    quantiles = STEPS[:, None] + np.array(levels)
    return ForecastResult(mean=STEPS, quantiles=quantiles, quantile_levels=levels, **fields)


def test_a_forecast_has_a_band_for_each_pair_of_quantiles() -> None:
    levels = (0.05, 0.1, 0.5, 0.9, 0.95)
    [axes] = plots.forecast(Forecast(series=SERIES, horizon=6, quantiles=levels), answer(levels)).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["0.05 to 0.95", "0.1 to 0.9", "forecast"]
    wide, narrow = (band.get_paths()[0].vertices for band in axes.collections)
    assert np.ptp(wide[:, 1]) > np.ptp(narrow[:, 1])
    past, future = axes.lines
    assert past.get_ydata().tolist() == SERIES.values[-48:].tolist()
    assert future.get_xdata().tolist() == list(range(100, 106))
    assert axes.get_ylabel() == "load"


def test_without_quantiles_there_is_the_line_alone() -> None:
    [axes] = plots.forecast(Forecast(series=SERIES, horizon=6, quantiles=()), answer(())).axes
    assert not axes.collections
    assert axes.lines[1].get_ydata().tolist() == STEPS.tolist()


def test_dates_are_the_axis() -> None:
    dates = np.datetime64("2024-01-01", "ns") + np.arange(106) * np.timedelta64(1, "D")
    series = SERIES.model_copy(update={"timestamps": dates[:100]})
    [axes] = plots.forecast(Forecast(series=series, horizon=6), answer((0.1, 0.5, 0.9), timestamps=dates[100:])).axes
    assert axes.lines[1].get_xdata().tolist() == dates[100:].tolist()


def test_flagged_points_are_marked() -> None:
    flags = np.zeros(100, dtype=bool)
    flags[[3, 60]] = True
    [axes] = plots.anomalies(DetectAnomalies(series=SERIES), Anomalies(scores=flags, flags=flags)).axes
    assert axes.lines[1].get_xdata().tolist() == [3, 60]
    assert axes.get_legend().get_texts()[0].get_text() == "2 flagged"


def test_the_file_is_a_picture(tmp_path: Path) -> None:
    levels = (0.1, 0.5, 0.9)
    writers.forecast(tmp_path / "out.png")(Forecast(series=SERIES, horizon=6, quantiles=levels), answer(levels))
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == (1080, 480)
        assert len(picture.convert("RGB").getcolors(10**6)) > 20


@pytest.mark.parametrize("name", ["out.txt", "out", "nowhere/out.png"])
def test_what_cannot_be_written_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"\.png, \.svg, \.pdf"):
        writers.forecast(tmp_path / name)


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out.png").mkdir()
    flags = np.zeros(100, dtype=bool)
    with pytest.raises(StorageError, match="cannot be written"):
        writers.detect_anomalies(tmp_path / "out.png")(
            DetectAnomalies(series=SERIES), Anomalies(scores=flags, flags=flags)
        )


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"metier\[timeseries\]"):
        writers.detect_anomalies(tmp_path / "out.png")
