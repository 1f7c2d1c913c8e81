from __future__ import annotations

import numpy as np
import pytest
from metier.cascades.scaling import calibrated_error, calibration_error, fitted_temperature, scaled, scaled_scores


def drawn(temperature: float, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Return scores that are true at that temperature, and the labels drawn by them."""
    rng = np.random.default_rng(3)
    logits = rng.normal(scale=2, size=(n, 3))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (rng.uniform(size=(n, 1)) > true.cumsum(axis=1)).sum(axis=1)
    return scaled(true, 1 / temperature), labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(temperature: float) -> None:
    scores, labels = drawn(temperature)
    assert fitted_temperature(scores, labels) == pytest.approx(temperature, rel=0.1)


def test_the_calibration_error_falls() -> None:
    scores, labels = drawn(3.0)
    assert calibration_error(scores, labels) > 0.1
    assert calibrated_error(scores, labels) < 0.03


def test_the_calibration_error_by_hand() -> None:
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    assert calibration_error(scores, np.array([0, 1, 1])) == pytest.approx((2 * 0.4 + 0.4) / 3)


def test_scaling_leaves_the_order_and_the_sum() -> None:
    made = scaled_scores({"a": 0.7, "b": 0.0, "c": 0.3}, 4.0)
    assert sorted(made, key=made.__getitem__) == ["b", "c", "a"]
    assert sum(made.values()) == pytest.approx(1)
    assert made["a"] < 0.7
