"""A small promptable network: a picture is encoded once, and each prompt is answered in a window around it."""

from metier_sam.promptable.model import PromptableNet, load
from metier_sam.promptable.network import MASKS, Config
from metier_sam.promptable.windows import Features

__all__ = ["MASKS", "Config", "Features", "PromptableNet", "load"]
