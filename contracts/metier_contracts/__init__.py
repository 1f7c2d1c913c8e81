"""What metier promises: requests, responses, data types, cards, manifests, hooks and errors.

Plugins import this package and never `metier` itself.
"""

from metier_contracts._version import CONTRACT_VERSION
from metier_contracts.card import Architecture, Capabilities, Lineage, ModelCard, Overhead, Price, Quality
from metier_contracts.cascade import Cascade, CascadeReport, Measured
from metier_contracts.context import CallContext
from metier_contracts.contract import Contract
from metier_contracts.data import Graph, Image, ImageField, Series
from metier_contracts.errors import (
    AmbiguousModelError,
    BudgetExceededError,
    Cancelled,
    ChecksumError,
    ConfigError,
    ContractViolation,
    DeadlineExceeded,
    DeviceError,
    InferenceError,
    InputError,
    MemoryBudgetError,
    MetierError,
    ModelError,
    ModelLoadError,
    NoCapableModelError,
    OfflineError,
    PipelineTypeError,
    PluginError,
    PluginQuarantinedError,
    PluginUnavailableError,
    PrivacyError,
    ProfileError,
    RateLimitedError,
    RemoteError,
    ResourceError,
    RuntimeClosedError,
    SelectionError,
    StorageError,
    UnknownModelError,
    UnknownTaskError,
    UnsafeWeightsError,
    UnsupportedError,
    WeightsError,
    WorkerDiedError,
)
from metier_contracts.examples import Example, ExampleSet
from metier_contracts.fit import AnnotatedText, CascadeFit, ClassifyFit, ExtractFit, FitRequest, GraphFit
from metier_contracts.hooks import hookimpl
from metier_contracts.invariants import Invariant, Violation
from metier_contracts.manifest import Contribution, Manifest, Override, read_manifest
from metier_contracts.model import FittableModel, Model, PlacedModel, Placement, StreamingModel
from metier_contracts.probes import Probes
from metier_contracts.request import Provenance, Request, Response
from metier_contracts.semantics import BoxFrame, Channels, Frequency, GraphSchema, Horizon, Labels, ScoreKind, Semantic
from metier_contracts.size import Size, Unit
from metier_contracts.task import Task
from metier_contracts.tasks import TASKS
from metier_contracts.tasks.act import Act, ActResult, ActStep, Approval, Budget, EnvironmentSpec
from metier_contracts.tasks.classify import Classification, Classify
from metier_contracts.tasks.detect_anomalies import Anomalies, DetectAnomalies
from metier_contracts.tasks.embed import Embed, Embedding
from metier_contracts.tasks.extract import Entity, Extract, Extraction
from metier_contracts.tasks.fill_mask import FillMask, RankedToken, TokenRanking
from metier_contracts.tasks.forecast import Covariate, Forecast, ForecastResult
from metier_contracts.tasks.generate import (
    Generate,
    Generation,
    GenerationChunk,
    ImagePart,
    Message,
    Sampling,
    TextPart,
    Tool,
    ToolCall,
)
from metier_contracts.tasks.generate_image import GeneratedImage, GenerateImage
from metier_contracts.tasks.graph_score import GraphScore, GraphScores
from metier_contracts.tasks.rank import Rank, Ranking
from metier_contracts.tasks.segment import Segment, Segmentation

__all__ = [
    "CONTRACT_VERSION",
    "TASKS",
    "Act",
    "ActResult",
    "ActStep",
    "AmbiguousModelError",
    "AnnotatedText",
    "Anomalies",
    "Approval",
    "Architecture",
    "BoxFrame",
    "Budget",
    "BudgetExceededError",
    "CallContext",
    "Cancelled",
    "Capabilities",
    "Cascade",
    "CascadeFit",
    "CascadeReport",
    "Channels",
    "ChecksumError",
    "Classification",
    "Classify",
    "ClassifyFit",
    "ConfigError",
    "Contract",
    "ContractViolation",
    "Contribution",
    "Covariate",
    "DeadlineExceeded",
    "DetectAnomalies",
    "DeviceError",
    "Embed",
    "Embedding",
    "Entity",
    "EnvironmentSpec",
    "Example",
    "ExampleSet",
    "Extract",
    "ExtractFit",
    "Extraction",
    "FillMask",
    "FitRequest",
    "FittableModel",
    "Forecast",
    "ForecastResult",
    "Frequency",
    "Generate",
    "GenerateImage",
    "GeneratedImage",
    "Generation",
    "GenerationChunk",
    "Graph",
    "GraphFit",
    "GraphSchema",
    "GraphScore",
    "GraphScores",
    "Horizon",
    "Image",
    "ImageField",
    "ImagePart",
    "InferenceError",
    "InputError",
    "Invariant",
    "Labels",
    "Lineage",
    "Manifest",
    "Measured",
    "MemoryBudgetError",
    "Message",
    "MetierError",
    "Model",
    "ModelCard",
    "ModelError",
    "ModelLoadError",
    "NoCapableModelError",
    "OfflineError",
    "Overhead",
    "Override",
    "PipelineTypeError",
    "PlacedModel",
    "Placement",
    "PluginError",
    "PluginQuarantinedError",
    "PluginUnavailableError",
    "Price",
    "PrivacyError",
    "Probes",
    "ProfileError",
    "Provenance",
    "Quality",
    "Rank",
    "RankedToken",
    "Ranking",
    "RateLimitedError",
    "RemoteError",
    "Request",
    "ResourceError",
    "Response",
    "RuntimeClosedError",
    "Sampling",
    "ScoreKind",
    "Segment",
    "Segmentation",
    "SelectionError",
    "Semantic",
    "Series",
    "Size",
    "StorageError",
    "StreamingModel",
    "Task",
    "TextPart",
    "TokenRanking",
    "Tool",
    "ToolCall",
    "Unit",
    "UnknownModelError",
    "UnknownTaskError",
    "UnsafeWeightsError",
    "UnsupportedError",
    "Violation",
    "WeightsError",
    "WorkerDiedError",
    "hookimpl",
    "read_manifest",
]
