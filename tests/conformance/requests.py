"""Requests of each task that differ in size and content. A card is asked those whose needs it meets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np
from metier_contracts import (
    Classify,
    Covariate,
    DetectAnomalies,
    Embed,
    ExampleSet,
    Extract,
    FillMask,
    Forecast,
    Generate,
    Graph,
    GraphScore,
    Rank,
    Request,
    Sampling,
    Segment,
    Series,
    Tool,
)
from metier_gnn.molecules import molecule
from skimage import data

TEXTS = (
    "The parcel arrived a day late, but whole.",
    "On 3 March you charged Helen Marsh $49.99 twice for the same subscription with Kestrel Mobile.",
    "Yes.",
    "Since the update on Tuesday the app closes whenever I open a photograph; reinstalling it did not help, and "
    "neither did the advice on your page. Ça alors! I moved from Vienna to Lyon in May 2024 and kept my number.",
    "Thanks a lot 🙂 that solved it",
)
EXAMPLES = ExampleSet.from_pairs(
    [
        ("I was charged twice", "billing"),
        ("Why is there a fee of $5 on my card?", "billing"),
        ("The app closes when I open it", "fault"),
        ("No signal since noon", "fault"),
        ("Thank you for the quick help", "praise"),
        ("Great service, five stars", "praise"),
    ]
)
CLOCK = Tool(
    name="clock",
    description="Tell the time of day in a place.",
    parameters={"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
)
ANTIBODY = "EVQLVESGGGLVQPGGSLRLSCAASGFNIKDTYIHWVRQAPGKGLEWVARIYPTNGYTRYADSVKGRFTISADTSKNTAYLQMNSLRAEDTAVYYCSR"
COINS, CAT = np.repeat(data.coins()[:, :, None], 3, axis=2), data.chelsea()
COIN, EYE = [18, 31, 72, 78], [135, 80, 210, 150]
ROUGH = np.zeros(CAT.shape[:2], dtype=np.bool_)
ROUGH[60:160, 120:220] = True

# Thousands of airline passengers, monthly from 1949 to 1953 (Box and Jenkins, series G).
PASSENGERS = np.array(
    [
        *(112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118),
        *(115, 126, 141, 135, 125, 149, 170, 170, 158, 133, 114, 140),
        *(145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166),
        *(171, 180, 193, 181, 183, 218, 230, 242, 209, 191, 172, 194),
        *(196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201),
    ],
    dtype=np.float64,
)
GAPPY = np.where(np.arange(60) % 17 == 5, np.nan, PASSENGERS)
MONTHLY = Series(values=PASSENGERS, frequency="MS", name="passengers")
DATED = Series(
    values=PASSENGERS[:48],
    timestamps=np.datetime64("1949-01-01") + np.arange(48),
    name="passengers",
)
SUMMER = Covariate(past=np.cos(np.arange(60) / 6 * np.pi), future=np.cos(np.arange(60, 66) / 6 * np.pi))
TIES = Graph.from_networkx(nx.karate_club_graph())
MOLECULES = tuple(map(molecule, ("CCO", "c1ccccc1C(=O)O", "O", "C[C@H](N)C(=O)O", "CC(=O)Oc1ccccc1C(=O)O")))
RINGS = tuple(Graph.from_networkx(one) for one in (nx.cycle_graph(6), nx.star_graph(4), nx.path_graph(9)))

REQUESTS: Sequence[Request[Any]] = (
    *(Classify(text=text, labels=["billing", "fault", "praise"]) for text in TEXTS),
    *(Classify(text=text, labels=["billing", "fault", "praise"], multi_label=True) for text in TEXTS[:2]),
    *(Classify(text=text, examples=EXAMPLES) for text in TEXTS),
    Generate.of("Why does it rain?", sampling=Sampling(max_tokens=6)),
    Generate.of(TEXTS[3], sampling=Sampling(max_tokens=8, temperature=0.8, top_p=0.9, seed=5)),
    Generate(messages="A number", json_schema={"type": "integer"}, sampling=Sampling(max_tokens=20)),
    Generate(messages="What time is it in Lyon?", tools=[CLOCK], sampling=Sampling(max_tokens=8)),
    *(Embed(texts=[text]) for text in TEXTS),
    Embed(texts=TEXTS),
    *(Rank(query=text, candidates=TEXTS) for text in TEXTS[:3]),
    *(Extract(text=text) for text in TEXTS),
    *(Extract(text=text, entity_types=["DATE", "MONEY"]) for text in TEXTS[:2]),
    *(FillMask(text=f"{ANTIBODY[:place]}[MASK]{ANTIBODY[place + 1 :]}", top_k=3) for place in (3, 40, 95)),
    Segment(image=COINS, boxes=[COIN]),
    Segment(image=CAT, boxes=[EYE, [300, 110, 342, 165]]),
    Segment(image=COINS, points=[[45, 55], [20, 20]], point_labels=[1, 0]),
    Segment(image=CAT, points=[[170, 100]], boxes=[EYE], multimask=True),
    Segment(image=CAT, mask=ROUGH),
    Segment(image=COINS, boxes=[COIN, [312, 150, 382, 222]], mask=np.ones(COINS.shape[:2], dtype=np.bool_)),
    Segment(image=COINS, everything=True),
    Forecast(series=MONTHLY, horizon=12),
    Forecast(series=DATED, horizon=7, quantiles=(0.05, 0.25, 0.5, 0.75, 0.95)),
    Forecast(series=MONTHLY, horizon=1, quantiles=()),
    Forecast(series=Series(values=GAPPY, frequency="MS", missing=True), horizon=6),
    Forecast(series=MONTHLY, horizon=6, covariates={"summer": SUMMER}),
    DetectAnomalies(series=MONTHLY),
    DetectAnomalies(series=DATED, sensitivity=0.9),
    DetectAnomalies(series=Series(values=GAPPY, frequency="MS", missing=True), sensitivity=0.2),
    GraphScore(graph=TIES),
    GraphScore(graph=RINGS[0]),
    GraphScore(graph=TIES, level="edge"),
    GraphScore(graph=RINGS[2], level="edge", edges=[[0, 4], [2, 8]]),
    *(GraphScore(graph=graph, level="graph") for graph in (*RINGS, TIES, *MOLECULES)),
)
