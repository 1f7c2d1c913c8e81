"""Cards, manifests and what they are made of."""

from metier_contracts import (
    Capabilities,
    Contract,
    Contribution,
    GraphSchema,
    Lineage,
    Manifest,
    ModelCard,
    Overhead,
    Override,
    Price,
    Quality,
)

OVERHEAD = Overhead(input_tokens=80, choices=2, examples=0, output_tokens=8)
PRICE = Price(per_call=0.001, per_million_input_tokens=2.5, source="https://example.org/prices", date="2025-01-31")
QUALITY = Quality(
    task="classify",
    metric="accuracy",
    value=0.93,
    dataset="AG News",
    source="docs/results/ag_news.md",
    date="2025-01-31",
)
LINEAGE = Lineage(
    base="mlm/base",
    method="head",
    examples_sha256="ab" * 32,
    num_examples=200,
    created="2025-01-31T12:00:00Z",
    settings={"epochs": 3, "learning_rate": 5e-5, "freeze": True, "solver": "lbfgs"},
)
CARD = ModelCard(
    id="mlm/base",
    plugin="mlm",
    architecture="mlm",
    source="wheel:some-weights==1.2#some_weights/model",
    revision="abc123",
    sha256={"model.safetensors": "0" * 64, "config.json": "f" * 64},
    licence="Apache-2.0",
    bytes=440_000_000,
    download_bytes=220_000_000,
    parameters=110_000_000,
    active_parameters=110_000_000,
    devices=("cpu", "cuda"),
    dtypes=("float32", "bfloat16"),
    thread_safe=True,
    verified="here",
    summary="A small encoder.",
    options={"pooling": "mean", "layers": [1, 2], "nested": {"a": None}},
    tasks={
        "classify": Capabilities(labels="open", few_shot=True, languages=("en", "de"), max_batch=64, context=512),
        "extract": Capabilities(labels=("person", "place"), default=True),
    },
    quality=(QUALITY,),
    lineage=LINEAGE,
)
REMOTE = ModelCard(
    id="api.large",
    plugin="llm",
    architecture="llm",
    source="https://example.org/v1",
    sha256="1" * 64,
    licence="proprietary",
    batching="self",
    price=PRICE,
    tasks={"generate": Capabilities(stream=True, tools=True, json_schema=True, context=128_000)},
)
TABLE = Contribution(name="table", help="Read tables.", object="metier_mlm.table:TASK", json_schema={"type": "object"})
MANIFEST = Manifest(
    contract="1.0",
    name="mlm",
    summary="Masked language models.",
    extra="mlm",
    requires=("torch", "transformers"),
    models=(CARD,),
    tasks=(TABLE,),
    commands=(Contribution(name="tok", help="Show the tokens of a text.", object="metier_mlm.cli:main"),),
    policies=(Contribution(name="greedy", help="Take the first.", object="metier_mlm.policies:greedy"),),
    environments=(Contribution(name="files", help="A folder.", object="metier_mlm.files:Files"),),
)
OVERRIDE = Override(check="batch-invariance", reason="It ranks the items of a batch against each other.")

CARDS: dict[str, Contract] = {
    "capabilities": CARD.tasks["classify"],
    "capabilities.graphs": Capabilities(
        levels=("graph",), graphs=GraphSchema(("mass", "charge"), edge_features=1, undirected=True)
    ),
    "overhead": OVERHEAD,
    "price": PRICE,
    "quality": QUALITY,
    "lineage": LINEAGE,
    "card": CARD,
    "card.remote": REMOTE,
    "contribution": TABLE,
    "manifest": MANIFEST,
    "override": OVERRIDE,
}
