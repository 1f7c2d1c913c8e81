"""Measurements: `python -m benchmarks` for speed, `python -m benchmarks.evaluate` for quality."""
