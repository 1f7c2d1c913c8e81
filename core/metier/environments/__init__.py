"""Environments of their own for plugins whose requirements fit nothing else that is installed."""

from metier.environments.environment import Environment, environments

__all__ = ["Environment", "environments"]
