"""Pipelines: `Step`, what lifts functions into steps, and what makes steps from steps."""

from metier.pipeline.cascade import cascade
from metier.pipeline.combine import each, fallback, parallel
from metier.pipeline.lift import step, task
from metier.pipeline.privacy import private
from metier.pipeline.retry import retry
from metier.pipeline.routing import route
from metier.pipeline.step import Step

__all__ = ["Step", "cascade", "each", "fallback", "parallel", "private", "retry", "route", "step", "task"]
