"""Images, series, graphs and sets of examples."""

import numpy as np
from metier_contracts import Contract, Covariate, Example, ExampleSet, Graph, Image, Series

NAN = float("nan")

IMAGE = Image(pixels=np.arange(5 * 4 * 3, dtype=np.uint8).reshape(4, 5, 3) * 4)
HOURLY = Series(
    values=[1.0, 1.5, -2.25, 1e-300, 1e300, 0.1],
    timestamps=np.datetime64("2024-02-28T22", "ns") + np.arange(6) * np.timedelta64(1, "h"),
    frequency="h",
    name="load",
)
GAPPY = Series(values=[NAN, 1.0, NAN, -0.0], missing=True)
PLAIN = Series(values=np.linspace(0, 1, 7))
GRAPH = Graph(
    edge_index=[[0, 1, 2, 2], [1, 2, 0, 2]],
    num_nodes=4,
    x=np.arange(8).reshape(4, 2) / 3,
    edge_attr=[[0.5], [1.5], [2.5], [3.5]],
    node_ids=("ann", "bob", "cid", "dée"),
)
BARE_GRAPH = Graph(edge_index=np.zeros((2, 0), dtype=np.int64), num_nodes=1)
EXAMPLES = ExampleSet.from_pairs(
    [("I was charged twice", "billing"), ("nothing loads", "outage"), ("bravo ✓", "praise"), ("refund?", "billing")]
)

DATA: dict[str, Contract] = {
    "image": IMAGE,
    "series.hourly": HOURLY,
    "series.missing": GAPPY,
    "series.plain": PLAIN,
    "graph": GRAPH,
    "graph.bare": BARE_GRAPH,
    "example": Example(text="bravo ✓", label="praise"),
    "examples": EXAMPLES,
    "covariate": Covariate(past=[1, 2, 3], future=[4, 5]),
}
