"""Cascades of two models whose loss of accuracy is bounded: the test, the calibration, the fit, and the answer."""
