"""Fit requests."""

from metier_contracts import AnnotatedText, CascadeFit, ClassifyFit, Contract, Entity, ExtractFit, GraphFit

from .data import EXAMPLES, GRAPH

ANNOTATED = AnnotatedText(
    text="Zoë lives in Zürich.", entities=(Entity(text="Zürich", label="place", start=13, end=19),)
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
}
