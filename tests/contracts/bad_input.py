"""What callers get wrong: how they call, the field that the message must name, and words that it must hold."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from metier_contracts import (
    Act,
    AnnotatedText,
    Anomalies,
    Approval,
    Budget,
    Capabilities,
    CascadeFit,
    Classify,
    ClassifyFit,
    Covariate,
    DetectAnomalies,
    Embed,
    Entity,
    EnvironmentSpec,
    ExampleSet,
    Extract,
    ExtractFit,
    FillMask,
    Forecast,
    Generate,
    GenerateImage,
    Graph,
    GraphFit,
    GraphScore,
    Image,
    Message,
    ModelCard,
    Rank,
    Sampling,
    Segment,
    Series,
    Tool,
)

from .samples.data import EXAMPLES, GRAPH, IMAGE, NAN, PLAIN

MANY = ExampleSet.from_pairs([(f"text number {i} " * 20, f"label {i % 2}") for i in range(200)])
LARGE = np.zeros((500, 500, 3))
TIMES = np.datetime64("2024-01-01", "ns") + np.arange(3) * np.timedelta64(1, "D")
SERIES = Series(values=[1, 2, 3], timestamps=TIMES)
BARE = Graph(edge_index=[[0], [1]], num_nodes=2)


def _card(**fields: Any) -> ModelCard:
    right = {"id": "a", "plugin": "p", "architecture": "mlm", "licence": "MIT", "tasks": {"rank": {}}}
    return ModelCard.from_mapping({**right, **fields})


BAD_INPUT: dict[str, tuple[Callable[[], Any], str, str]] = {
    # classify
    "empty text": (lambda: Classify(text="", labels=["a"]), "Classify.text", "visible character"),
    "blank text": (lambda: Classify(text=" \n\t", labels=["a"]), "Classify.text", "visible character"),
    "text of bytes": (lambda: Classify(text=b"\xff", labels=["a"]), "Classify.text", "str"),
    "half a surrogate pair": (lambda: Classify(text="\ud800", labels=["a"]), "Classify.text", "Unicode"),
    "no text": (lambda: Classify(labels=["a"]), "Classify.text", "one of text and image"),
    "text and image": (lambda: Classify(text="x", image=IMAGE, labels=["a"]), "Classify.text", "both"),
    "no labels": (lambda: Classify(text="x", labels=[]), "Classify.labels", "at least one label"),
    "an empty label": (lambda: Classify(text="x", labels=["a", ""]), "Classify.labels", "not empty"),
    "repeated labels": (lambda: Classify(text="x", labels=["a", "b", "a"]), "Classify.labels", "'a' more than once"),
    "labels in one str": (lambda: Classify(text="x", labels="a,b"), "Classify.labels", "not a single str"),
    "labels in a set": (lambda: Classify(text="x", labels={"a"}), "Classify.labels", "list(...)"),
    "a label that is no str": (lambda: Classify(text="x", labels=["a", 7]), "Classify.labels[1]", "str"),
    "a label outside the Literal": (
        lambda: Classify[Literal["a", "b"]](text="x", labels=["c"]),
        "Classify.labels[0]",
        "'a' or 'b'",
    ),
    "examples of other labels": (
        lambda: Classify(text="x", labels=["label 0"], examples=MANY),
        "Classify.examples",
        "'label 1'",
    ),
    "examples of other labels than the Literal's": (
        lambda: Classify[Literal["a", "b"]](text="x", examples=EXAMPLES),
        "Classify.examples",
        "'billing'",
    ),
    "a misspelt field": (lambda: Classify(txt="x", labels=["a"]), "Classify.txt", "text, image, labels"),
    "a field too many beside a large set": (
        lambda: Classify(text="x", examples=MANY, top=1),
        "Classify.top",
        "no field",
    ),
    # examples
    "no examples": (lambda: Classify(text="x", examples=[]), "Classify.examples", "1 or more"),
    "an example without label": (lambda: Classify(text="x", examples=[("t",)]), "Classify.examples", "(text, label)"),
    "a pair too long": (lambda: ExampleSet.from_pairs([("a", "b"), ("a", "b", "c")]), "ExampleSet", "at index 1"),
    "an example without text": (lambda: ExampleSet.from_pairs([("", "a")]), "ExampleSet.examples[0].text", "1 or more"),
    "a label of an example is no str": (
        lambda: ExampleSet.from_pairs([("x", 3)]),
        "ExampleSet.examples[0].label",
        "str",
    ),
    "examples that are texts": (lambda: Classify(text="x", examples=["one", "two"]), "Classify.examples", "'one'"),
    # images
    "an image of floats": (lambda: Classify(image=LARGE), "Classify.image", "255"),
    "an image with alpha": (lambda: Image.of(np.zeros((2, 2, 4), dtype=np.uint8)), "Image.pixels", "[:, :, :3]"),
    "channels first": (lambda: Image.of(np.zeros((3, 8, 8), dtype=np.uint8)), "Image.pixels", "moveaxis"),
    "an image of rank 1": (lambda: Image.of(np.zeros(8, dtype=np.uint8)), "Image.pixels", "[8]"),
    "an image without pixels": (lambda: Image.of(np.zeros((0, 4, 3), dtype=np.uint8)), "Image.pixels", "one pixel"),
    "an image that is not there": (lambda: Classify(image="absent.png"), "Classify.image", "'absent.png'"),
    "an image that is a number": (lambda: Classify(image=5), "Classify.image", "int is no image"),
    "an image of nested lists": (lambda: Image.of([[0]]), "list", "np.array"),
    "bytes that are no image": (lambda: Classify(image=b"GIF nonsense"), "Classify.image", "b'GIF nons"),
    "a string for pixels": (lambda: Image(pixels="nonsense"), "Image.pixels", "PNG"),
    # series
    "NaN": (lambda: Series(values=[1, NAN, NAN]), "Series.values", "missing=True"),
    "infinity": (lambda: Series(values=[1, float("inf")]), "Series.values", "inf at index 1"),
    "only NaN": (lambda: Series(values=[NAN], missing=True), "Series.values", "observed"),
    "no values": (lambda: Series(values=[]), "Series.values", "at least one"),
    "a series of rank 2": (lambda: Series(values=LARGE[0]), "Series.values", "[500, 3]"),
    "a series of texts": (lambda: Series(values=["1", "2"]), "Series.values", "dtype=float"),
    "a series with None": (lambda: Series(values=[1, None]), "Series.values", "float('nan')"),
    "too few timestamps": (lambda: Series(values=[1, 2], timestamps=TIMES), "Series.timestamps", "there are values: 2"),
    "timestamps as texts": (
        lambda: Series(values=[1], timestamps=["2024-01-01"]),
        "Series.timestamps",
        "datetime64[ns]",
    ),
    "unsorted timestamps": (
        lambda: Series(values=[1, 2, 3], timestamps=TIMES[::-1]),
        "Series.timestamps",
        "sort by time",
    ),
    "repeated timestamps": (
        lambda: Series(values=[1, 2, 3], timestamps=TIMES[[0, 0, 1]]),
        "Series.timestamps",
        "duplicates",
    ),
    "NaT": (
        lambda: Series(values=[1, 2], timestamps=np.array(["2024-01-01", "NaT"], dtype="datetime64[ns]")),
        "Series.timestamps",
        "NaT at index 1",
    ),
    # graphs
    "an edge index out of range": (lambda: Graph(edge_index=[[0], [5]], num_nodes=3), "Graph.edge_index", "node 5"),
    "a negative edge index": (lambda: Graph(edge_index=[[-1], [0]], num_nodes=3), "Graph.edge_index", "node -1"),
    "a list of pairs": (lambda: Graph(edge_index=[[0, 1]] * 3, num_nodes=2), "Graph.edge_index", ".T"),
    "edge index of floats": (lambda: Graph(edge_index=[[0.0], [1.0]], num_nodes=2), "Graph.edge_index", "astype"),
    "no number of nodes": (lambda: Graph(edge_index=[[0], [1]]), "Graph.num_nodes", "required"),
    "no nodes": (lambda: Graph(edge_index=np.zeros((2, 0)), num_nodes=0), "Graph.num_nodes", "at least 1"),
    "features of too few nodes": (
        lambda: Graph(edge_index=[[0], [1]], num_nodes=2, x=[[1]]),
        "Graph.x",
        "there are nodes: 2",
    ),
    "features that are a number": (lambda: Graph(edge_index=[[0], [1]], num_nodes=2, x=5), "Graph.x", "[N, F]"),
    "features that are NaN": (lambda: Graph(edge_index=[[0], [0]], x=[[NAN]]), "Graph.x", "nan at [0, 0]"),
    "features of too many edges": (
        lambda: Graph(edge_index=[[0], [1]], num_nodes=2, edge_attr=[[1], [2]]),
        "Graph.edge_attr",
        "there are edges: 1",
    ),
    "a node id twice": (lambda: Graph(edge_index=[[0], [1]], node_ids=["a", "a"]), "Graph.node_ids", "'a' more than"),
    "targets of the edge level elsewhere": (
        lambda: GraphScore(graph=GRAPH, edges=[[0], [1]]),
        "GraphScore.edges",
        "edge",
    ),
    "pairs out of range": (
        lambda: GraphScore(graph=GRAPH, level="edge", edges=[[0], [9]]),
        "GraphScore.edges",
        "node 9",
    ),
    "pairs that are rows": (
        lambda: GraphScore(graph=GRAPH, level="edge", edges=[[0, 1]] * 3),
        "GraphScore.edges",
        "[2, K]",
    ),
    "no pairs": (
        lambda: GraphScore(graph=GRAPH, level="edge", edges=np.zeros((2, 0))),
        "GraphScore.edges",
        "K >= 1",
    ),
    "an unknown level": (
        lambda: GraphScore(graph=GRAPH, level="tree"),
        "GraphScore.level",
        "'node', 'edge' or 'graph'",
    ),
    # embed, rank, fill-mask, extract
    "nothing to embed": (lambda: Embed(), "Embed.texts", "neither"),
    "texts and images": (lambda: Embed(texts=["x"], images=[IMAGE]), "Embed.texts", "both"),
    "no texts": (lambda: Embed(texts=[]), "Embed.texts", "at least one"),
    "no images": (lambda: Embed(images=[]), "Embed.images", "at least one"),
    "one text for many": (lambda: Embed(texts="x"), "Embed.texts", "not a single str"),
    "a generator of texts": (lambda: Embed(texts=(t for t in "ab")), "Embed.texts", "list(...)"),
    "an empty text among many": (lambda: Embed(texts=["x"] * 300 + [""]), "Embed.texts[300]", "visible"),
    "an empty query": (lambda: Rank(query="", candidates=["a"]), "Rank.query", "visible"),
    "no candidates": (lambda: Rank(query="q", candidates=[]), "Rank.candidates", "1 or more"),
    "an empty candidate": (lambda: Rank(query="q", candidates=["a", ""]), "Rank.candidates[1]", "visible"),
    "no mask": (lambda: FillMask(text="Paris is"), "FillMask.text", "[MASK]"),
    "two masks": (lambda: FillMask(text="[MASK] is [MASK]"), "FillMask.text", "2 in"),
    "no token wanted": (lambda: FillMask(text="[MASK]", top_k=0), "FillMask.top_k", "at least 1"),
    "no entity types": (lambda: Extract(text="x", entity_types=[]), "Extract.entity_types", "at least one"),
    "an entity type twice": (lambda: Extract(text="x", entity_types=["a", "a"]), "Extract.entity_types", "each once"),
    # segment
    "no prompt": (lambda: Segment(image=IMAGE), "Segment.everything", "neither"),
    "a prompt and everything": (
        lambda: Segment(image=IMAGE, points=[[1, 1]], everything=True),
        "Segment.everything",
        "both",
    ),
    "a point outside": (
        lambda: Segment(image=IMAGE, points=[[1, 1], [6, 1]]),
        "Segment.points",
        "(6.0, 1.0) at index 1",
    ),
    "a thousand points outside": (
        lambda: Segment(image=IMAGE, points=np.full((1000, 2), 9)),
        "Segment.points",
        "5 x 4",
    ),
    "no points": (lambda: Segment(image=IMAGE, points=np.zeros((0, 2))), "Segment.points", "P >= 1"),
    "points of three numbers": (lambda: Segment(image=IMAGE, points=[[1, 1, 1]]), "Segment.points", "[P, 2]"),
    "labels of no points": (
        lambda: Segment(image=IMAGE, boxes=[[0, 0, 1, 1]], point_labels=[1]),
        "Segment.point_labels",
        "there are points: 0",
    ),
    "too few point labels": (
        lambda: Segment(image=IMAGE, points=[[1, 1], [2, 2]], point_labels=[1]),
        "Segment.point_labels",
        "there are points: 2",
    ),
    "a point label of 2": (
        lambda: Segment(image=IMAGE, points=[[1, 1]], point_labels=[2]),
        "Segment.point_labels",
        "0 off it",
    ),
    "a box outside": (lambda: Segment(image=IMAGE, boxes=[[9, 9, 10, 10]]), "Segment.boxes", "5 x 4"),
    "a box upside down": (lambda: Segment(image=IMAGE, boxes=[[0, 3, 2, 1]]), "Segment.boxes", "top < bottom"),
    "a thousand flat boxes": (lambda: Segment(image=IMAGE, boxes=np.ones((1000, 4))), "Segment.boxes", "left < right"),
    "one box for a list of them": (lambda: Segment(image=IMAGE, boxes=[0, 0, 1, 1]), "Segment.boxes", "[B, 4]"),
    "a box of two corners": (lambda: Segment(image=IMAGE, boxes=[[0, 0]]), "Segment.boxes", "[B, 4]"),
    "a mask of another size": (
        lambda: Segment(image=IMAGE, mask=np.zeros((5, 4), dtype=bool)),
        "Segment.mask",
        "[4, 5]",
    ),
    "a mask of numbers": (lambda: Segment(image=IMAGE, mask=np.zeros((4, 5))), "Segment.mask", "array > 0"),
    # forecast, detect-anomalies
    "no horizon": (lambda: Forecast(series=PLAIN, horizon=0), "Forecast.horizon", "at least 1"),
    "half a step": (lambda: Forecast(series=PLAIN, horizon=1.5), "Forecast.horizon", "whole number"),
    "descending quantiles": (
        lambda: Forecast(series=PLAIN, horizon=1, quantiles=[0.9, 0.1]),
        "Forecast.quantiles",
        "ascending",
    ),
    "a quantile twice": (
        lambda: Forecast(series=PLAIN, horizon=1, quantiles=[0.5, 0.5]),
        "Forecast.quantiles",
        "each once",
    ),
    "a quantile of 1": (
        lambda: Forecast(series=PLAIN, horizon=1, quantiles=[0.5, 1]),
        "Forecast.quantiles[1]",
        "below 1",
    ),
    "a list for a series": (lambda: Forecast(series=[1, 2], horizon=1), "Forecast.series", "Series or a mapping"),
    "a covariate too short": (
        lambda: Forecast(series=SERIES, horizon=1, covariates={"price": Covariate(past=[1])}),
        "Forecast.covariates.price.past",
        "points: 3",
    ),
    "a future too long": (
        lambda: Forecast(series=SERIES, horizon=1, covariates={"Price": Covariate(past=[1, 2, 3], future=[1, 2])}),
        "Forecast.covariates.Price.future",
        "steps: 1",
    ),
    "a covariate with NaN": (lambda: Covariate(past=[1, NAN]), "Covariate.past", "nan at [1]"),
    "a sensitivity of 2": (
        lambda: DetectAnomalies(series=PLAIN, sensitivity=2),
        "DetectAnomalies.sensitivity",
        "at most 1",
    ),
    "flags that are numbers": (lambda: Anomalies(scores=[1.0], flags=[1]), "Anomalies.flags", "bool"),
    # generate, generate-image, act
    "no messages": (lambda: Generate(messages=[]), "Generate.messages", "1 or more"),
    "an empty prompt": (lambda: Generate(messages=""), "Generate.messages[0].content", "a text or an image"),
    "a blank prompt": (lambda: Generate.of(" "), "Message.content", "a text or an image"),
    "an unknown role": (
        lambda: Generate(messages=[{"role": "robot", "content": "x"}]),
        "Generate.messages[0].role",
        "'system', 'user'",
    ),
    "content that is a number": (lambda: Message(role="user", content=3), "Message.content", "a str, or a list"),
    "a part that is a number": (lambda: Message(role="user", content=[3]), "Message.content[0]", "TextPart"),
    "a misspelt schema": (
        lambda: Generate(messages="x", json_schema={"type": "strin"}),
        "Generate.json_schema",
        "'strin' at $.type",
    ),
    "a schema elsewhere": (
        lambda: Generate(messages="x", json_schema={"$ref": "https://example.org/schema"}),
        "Generate.json_schema",
        "outside itself",
    ),
    "a schema in a circle": (
        lambda: Generate(messages="x", json_schema={"$ref": "#"}),
        "Generate.json_schema",
        "circle",
    ),
    "a schema with a type in it": (
        lambda: Generate(messages="x", json_schema={"type": str}),
        "Generate.json_schema",
        "type",
    ),
    "misspelt parameters": (lambda: Tool(name="t", parameters={"properties": 3}), "Tool.parameters", "$.properties"),
    "a tool twice": (
        lambda: Generate(messages="x", tools=[Tool(name="t"), Tool(name="t")]),
        "Generate.tools",
        "'t' more",
    ),
    "a tool without name": (lambda: Tool(name=""), "Tool.name", "1 or more"),
    "a negative temperature": (lambda: Sampling(temperature=-1), "Sampling.temperature", "at least 0"),
    "top_p of 0": (lambda: Sampling(top_p=0), "Sampling.top_p", "above 0"),
    "no tokens": (
        lambda: Generate(messages="x", sampling={"max_tokens": 0}),
        "Generate.sampling.max_tokens",
        "at least 1",
    ),
    "an empty picture": (lambda: GenerateImage(prompt="x", width=0), "GenerateImage.width", "at least 1"),
    "no environment": (lambda: Act(goal="x"), "Act.environment", "given: goal"),
    "an environment by its name": (
        lambda: Act(goal="x", environment="browser"),
        "Act.environment",
        "EnvironmentSpec or a mapping",
    ),
    "an environment without kind": (lambda: EnvironmentSpec(kind=""), "EnvironmentSpec.kind", "1 or more"),
    "no steps": (lambda: Budget(max_steps=0), "Budget.max_steps", "at least 1"),
    "an unknown risk": (lambda: Approval(allowed="all"), "Approval.allowed", "'irreversible'"),
    # fit requests
    "one label": (lambda: ClassifyFit(id="m", examples=[("t", "a")]), "ClassifyFit.examples", "two labels"),
    "an id with a space": (lambda: ClassifyFit(id="my model", examples=EXAMPLES), "ClassifyFit.id", "matches"),
    "an entity elsewhere": (
        lambda: AnnotatedText(text="in Bern", entities=[Entity(text="Bern", label="place", start=0, end=4)]),
        "AnnotatedText.entities[0]",
        "'in B'",
    ),
    "an entity past the end": (
        lambda: AnnotatedText(text="in Bern", entities=[Entity(text="Bern", label="place", start=3, end=9)]),
        "AnnotatedText.entities[0]",
        "of 7 characters",
    ),
    "no entities": (
        lambda: ExtractFit(id="m", examples=[AnnotatedText(text="x")]),
        "ExtractFit.examples",
        "one entity",
    ),
    "no annotated texts": (lambda: ExtractFit(id="m", examples=[]), "ExtractFit.examples", "1 or more"),
    "two graphs for nodes": (
        lambda: GraphFit(id="m", graphs=[BARE, BARE], targets=[0, 1]),
        "GraphFit.graphs",
        "one graph",
    ),
    "no classes": (lambda: GraphFit(id="m", graphs=[BARE]), "GraphFit.targets", "classes to learn"),
    "too few classes": (lambda: GraphFit(id="m", graphs=[BARE], targets=[0]), "GraphFit.targets", "nodes: 2"),
    "a negative class": (lambda: GraphFit(id="m", graphs=[BARE], targets=[0, -1]), "GraphFit.targets", "from 0 up"),
    "a node out of range": (
        lambda: GraphFit(id="m", graphs=[BARE], targets=[0], indices=[2]),
        "GraphFit.indices",
        "0..1",
    ),
    "classes and values": (
        lambda: GraphFit(id="m", graphs=[BARE], targets=[0, 1], values=[0.5, 1.0]),
        "GraphFit.values",
        "targets or values",
    ),
    "too few values": (lambda: GraphFit(id="m", graphs=[BARE], values=[0.5]), "GraphFit.values", "nodes: 2"),
    "a value that is no number": (
        lambda: GraphFit(id="m", graphs=[BARE], values=[0.5, float("nan")]),
        "GraphFit.values",
        "finite",
    ),
    "labels without classes": (
        lambda: GraphFit(id="m", graphs=[BARE], values=[0.5, 1.0], labels=("a",)),
        "GraphFit.targets",
        "labels name",
    ),
    "a class without a label": (
        lambda: GraphFit(id="m", graphs=[BARE], targets=[0, 1], labels=("a",)),
        "GraphFit.labels",
        "each class: 2",
    ),
    "a label twice": (
        lambda: GraphFit(id="m", graphs=[BARE], targets=[0, 1], labels=("a", "a")),
        "GraphFit.labels",
        "each label once",
    ),
    "indices without classes": (
        lambda: GraphFit(id="m", graphs=[BARE], level="edge", indices=[0]),
        "GraphFit.targets",
        "for each index",
    ),
    "indices of graphs": (
        lambda: GraphFit(id="m", graphs=[BARE], level="graph", targets=[0], indices=[0]),
        "GraphFit.indices",
        "no indices",
    ),
    "no labelled texts": (
        lambda: CascadeFit(id="m", cheap="a", strong="b", labelled=[]),
        "CascadeFit.labelled",
        "1 or more",
    ),
    "a loss of 1": (
        lambda: CascadeFit(id="m", cheap="a", strong="b", labelled=EXAMPLES, max_loss=1),
        "CascadeFit.max_loss",
        "below 1",
    ),
    # cards
    "an unknown architecture": (lambda: _card(architecture="bert"), "ModelCard.architecture", "'mlm'"),
    "no tasks": (lambda: _card(tasks={}), "ModelCard.tasks", "[models.tasks.NAME]"),
    "a source of another kind": (lambda: _card(source="ftp://x"), "ModelCard.source", "hf:"),
    "a short digest": (lambda: _card(sha256="abc"), "ModelCard.sha256", "matches"),
    "labels closed": (
        lambda: _card(tasks={"classify": {"labels": "closed"}}),
        "ModelCard.tasks.classify.labels",
        "'open', or a list",
    ),
    "a misspelt capability": (
        lambda: _card(tasks={"classify": {"multilabel": True}}),
        "ModelCard.tasks.classify.multilabel",
        "no field of this name, perhaps 'multi_label'",
    ),
    "many mistakes": (lambda: _card(id="", licence=3, bytes=-1, devices=["tpu"], surprise=1), "ModelCard.id", "more"),
    "no batch": (lambda: Capabilities(max_batch=0), "Capabilities.max_batch", "at least 1"),
    "no such feature of graphs": (
        lambda: Capabilities.from_mapping({"graphs": {"node_feature": 3}}),
        "Capabilities.graphs.node_feature",
        "no field of this name",
    ),
    "JSON cut off": (lambda: ModelCard.from_json("{"), "ModelCard", "valid JSON"),
    "JSON of a list": (lambda: ModelCard.from_json("[]"), "ModelCard", "mapping"),
    "a mapping that is a number": (lambda: ModelCard.from_mapping(3), "ModelCard", "mapping"),
}
