"""Ways to score nodes without a graph network: label propagation, and learners that see each record by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from metier_contracts import Graph
from numpy.typing import NDArray


def label_propagation(
    graph: Graph, known: NDArray[np.int64], classes: NDArray[np.int64], *, alpha: float = 0.9, rounds: int = 50
) -> NDArray[np.float64]:
    """Return scores [N, C]: labels spread over the links, in both directions (Zhou et al. 2004)."""
    ends = np.concatenate([graph.edge_index, graph.edge_index[::-1]], axis=1)
    size = graph.num_nodes
    matrix = scipy.sparse.coo_array((np.ones(ends.shape[1]), (ends[1], ends[0])), shape=(size, size)).tocsr()
    root = np.sqrt(np.maximum(matrix.sum(axis=1), 1))
    spread = scipy.sparse.dia_array((1 / root[None], 0), shape=(size, size))
    matrix = spread @ matrix @ spread
    start = np.zeros((size, int(classes.max()) + 1))
    start[known, classes] = 1
    scores = start
    for _ in range(rounds):
        scores = alpha * (matrix @ scores) + (1 - alpha) * start
    return scores


def logistic_regression(c: float = 1.0) -> Any:
    """Return scikit-learn's, on scaled columns."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=2000))


def gradient_boosting(seed: int) -> Any:
    """Return scikit-learn's histogram gradient boosting, with its own settings."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=seed)
