"""What the plugin takes from PyTorch Geometric, imported here alone and without its warnings."""

from __future__ import annotations

import warnings

import torch

with warnings.catch_warnings():
    # Of importing PyG, which scripts some classes, and of torch's first CSR tensor: neither is the caller's doing.
    warnings.simplefilter("ignore")
    from torch_geometric.nn import (
        GATConv,
        GCNConv,
        GINConv,
        SAGEConv,
        global_add_pool,
        global_max_pool,
        global_mean_pool,
    )

    torch.sparse_csr_tensor([0, 0], [], [], (1, 1), dtype=torch.float32, check_invariants=False)

__all__ = [
    "GATConv",
    "GCNConv",
    "GINConv",
    "SAGEConv",
    "global_add_pool",
    "global_max_pool",
    "global_mean_pool",
]
