"""The data types that requests carry: `Image`, `Series`, `Graph`."""

from metier_contracts.data.graph import Graph
from metier_contracts.data.image import Image, ImageField
from metier_contracts.data.series import Series

__all__ = ["Graph", "Image", "ImageField", "Series"]
