"""Plugins: found by their manifests, imported at first use, and set aside where broken."""

from metier.plugins.discovery import PluginRecord, discover
from metier.plugins.host import PluginHost

__all__ = ["PluginHost", "PluginRecord", "discover"]
