"""The data types that requests carry: `Image`, `Series`, `Graph`."""

from metier_contracts.data.graph import Graph
from metier_contracts.data.image import Image
from metier_contracts.data.series import Series

__all__ = ["Graph", "Image", "Series"]
