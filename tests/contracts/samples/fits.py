"""Fit requests."""

from metier_contracts import (
    AnnotatedText,
    Cascade,
    CascadeFit,
    CascadeReport,
    ClassifyFit,
    Contract,
    Entity,
    ExtractFit,
    GraphFit,
    Measured,
)

from .data import EXAMPLES, GRAPH

ANNOTATED = AnnotatedText(
    text="Zoë lives in Zürich.", entities=(Entity(text="Zürich", label="place", start=13, end=19),)
)

MEASURED = Measured(accuracy=0.9, cost=1.5, seconds=20.0)
REPORT = CascadeReport(
    examples=400,
    max_loss=0.02,
    confidence=0.95,
    kept=0.7,
    losses=2,
    gains=1,
    cheap=MEASURED,
    strong=MEASURED,
    cascade=MEASURED,
    random_mix=MEASURED,
    mixed_by="cost",
    best_single="b",
    calibration_error=0.1,
    calibrated_error=0.02,
)

FITS: dict[str, Contract] = {
    "annotated-text": ANNOTATED,
    "classify-fit": ClassifyFit(
        id="mine/desk", base="mlm/base", seed=3, examples=EXAMPLES, method="fine-tune", epochs=2, learning_rate=1e-4
    ),
    "extract-fit": ExtractFit(id="mine/places", examples=(ANNOTATED, AnnotatedText(text="nothing here")), batch_size=2),
    "graph-fit": GraphFit(id="mine/nodes", graphs=[GRAPH], targets=[0, 2], indices=[1, 3], architecture="gat"),
    "graph-fit.edge": GraphFit(id="mine/links", graphs=[GRAPH], level="edge"),
    "graph-fit.graph": GraphFit(id="mine/graphs", graphs=[GRAPH, GRAPH], level="graph", targets=[1, 0]),
    "graph-fit.values": GraphFit(id="mine/worth", graphs=[GRAPH, GRAPH], level="graph", values=[0.5, -2.0]),
    "graph-fit.labels": GraphFit(id="mine/named", graphs=[GRAPH], targets=[1], indices=[0], labels=("a", "b")),
    "cascade-fit": CascadeFit(id="mine/cascade", cheap="a", strong="b", labelled=EXAMPLES, max_loss=0.02),
    "measured": MEASURED,
    "cascade-report": REPORT,
    "cascade": Cascade(
        cheap="a",
        strong="b",
        threshold=0.8,
        temperature=1.5,
        revisions={"a": "0" * 64, "b": "1" * 64},
        remote=True,
        report=REPORT,
    ),
}
