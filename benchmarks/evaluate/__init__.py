"""How well models do their work, judged on data that none of them was fitted on: `python -m benchmarks.evaluate`."""
