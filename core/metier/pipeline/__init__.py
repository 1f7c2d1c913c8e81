"""Pipelines: `Step`, what lifts functions into steps, and what makes steps from steps."""

from metier.pipeline.caching import cache
from metier.pipeline.cascade import cascade
from metier.pipeline.combine import each, fallback, parallel
from metier.pipeline.files import load_pipeline, save_pipeline
from metier.pipeline.lift import step, task
from metier.pipeline.privacy import private
from metier.pipeline.retry import retry
from metier.pipeline.routing import route
from metier.pipeline.step import Step
from metier.pipeline.unchecked import Unchecked, unchecked

__all__ = [
    "Step",
    "Unchecked",
    "cache",
    "cascade",
    "each",
    "fallback",
    "load_pipeline",
    "parallel",
    "private",
    "retry",
    "route",
    "save_pipeline",
    "step",
    "task",
    "unchecked",
]
