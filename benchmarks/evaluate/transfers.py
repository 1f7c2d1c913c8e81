"""Fraudulent accounts in a simulated network of transfers.

The simulator is seeded, and made so that an account's own figures tell a little and its company tells more: rings of
fraudsters differ slightly in age, logins and amounts from honest accounts, which vary as widely; what gives them away
is that they pay each other and are paid by strangers. Real fraud may differ: the figures compare ways on the same
data, and promise nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from metier import Runtime
from metier_contracts import Graph, GraphFit, GraphScore
from numpy.typing import NDArray

from benchmarks.evaluate.rivals_of_graphs import gradient_boosting, label_propagation, logistic_regression

SEED = 7
ACCOUNTS, RINGS, RING, TOWN = 9000, 36, 10, 150
FEATURES = ("log age in days", "log logins a week", "country risk", "log balance")


@dataclass(frozen=True)
class Transfers:
    """Accounts with their own figures, transfers between them with the logarithm of the amount, and who is a fraud."""

    graph: Graph
    fraud: NDArray[np.int64]


def simulate(seed: int = SEED, accounts: int = ACCOUNTS, rings: int = RINGS) -> Transfers:
    """Draw a network.

    Honest accounts live in towns of 150, and pay about five times, nine in ten within their town; a few are shops,
    which many pay. Each ring of 10 sends money round twice over ten random pairs more, is paid by about three strangers
    a member, and covers itself by about three honest payments a member. Amounts are log-normal: e^3.5 for honest
    payments, e^3.8 within a ring, of deviation 1. Of the accounts' own figures, age and logins of frauds are shifted by
    0.5 deviations, and risk and balance are not.
    """
    rng = np.random.default_rng(seed)
    fraud = np.zeros(accounts, dtype=np.int64)
    members = rng.choice(accounts, rings * RING, replace=False).reshape(rings, RING)
    fraud[members] = 1
    town = np.arange(accounts) // TOWN
    pull = rng.pareto(1.5, accounts) + 0.2  # shops are paid often
    parts = [_honest(rng, np.repeat(np.arange(accounts), rng.poisson(np.where(fraud, 3, 5))), town, pull)]
    parts += [_ring(rng, ring, np.flatnonzero(fraud == 0)) for ring in members]
    ends = np.concatenate([edges for edges, _ in parts], axis=1)
    amounts = np.concatenate([amount for _, amount in parts]).astype(np.float32)
    x = rng.normal(size=(accounts, len(FEATURES))).astype(np.float32)
    x[fraud == 1, :2] += np.array([-0.5, 0.5], np.float32)
    return Transfers(Graph(edge_index=ends, x=x, edge_attr=amounts[:, None]), fraud)


def _honest(
    rng: np.random.Generator, payers: NDArray[np.int64], town: NDArray[np.int64], pull: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    size = len(town)
    start = (payers // TOWN) * TOWN
    near = np.empty_like(payers)
    for first in np.unique(start):
        chosen = start == first
        weights = pull[first : first + TOWN]
        near[chosen] = first + rng.choice(len(weights), chosen.sum(), p=weights / weights.sum())
    far = rng.choice(size, len(payers), p=pull / pull.sum())
    payees = np.where(rng.random(len(payers)) < 0.9, near, far)
    kept = payers != payees
    return np.stack([payers, payees])[:, kept], rng.normal(3.5, 1, kept.sum())


def _ring(
    rng: np.random.Generator, ring: NDArray[np.int64], honest: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    circle = np.stack([ring, np.roll(ring, 1)])
    pairs = ring[np.stack([rng.permutation(len(ring)), rng.permutation(len(ring))])]
    inside = np.concatenate([circle, circle, pairs[:, pairs[0] != pairs[1]]], axis=1)
    prey = rng.poisson(3, len(ring))
    paid = np.stack([rng.choice(honest, prey.sum()), np.repeat(ring, prey)])
    amounts = np.concatenate([rng.normal(3.8, 1, inside.shape[1]), rng.normal(3.5, 1, paid.shape[1])])
    return np.concatenate([inside, paid], axis=1), amounts


def by_itself(transfers: Transfers) -> NDArray[np.float64]:
    """Return what a table holds of each account: its own figures, how often it pays and is paid, and how much."""
    graph = transfers.graph
    columns = [graph.x]
    for end in graph.edge_index:
        counts = np.bincount(end, minlength=graph.num_nodes)
        sums = np.bincount(end, graph.edge_attr[:, 0], graph.num_nodes)
        columns.append(np.stack([np.log1p(counts), sums / np.maximum(counts, 1)], axis=1))
    return np.concatenate(columns, axis=1)


def labelled(transfers: Transfers, share: float, seed: int = SEED) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the accounts whose nature is known, and half of all that nothing learns from: int64 [K] each."""
    order = np.random.default_rng(seed + 1).permutation(len(transfers.fraud))
    half = len(order) // 2
    return np.sort(order[half : half + round(share * len(order))]), np.sort(order[:half])


def judge() -> dict[str, Any]:
    """Judge every way with many labels, with few, and with none."""
    transfers = simulate()
    rows = {}
    for share in (0.5, 0.05):
        for name, way in _ways(transfers, share).items():
            rows[f"{name}, {share:.0%} labelled"] = _row(way, transfers, share)
    for name, way in _unsupervised(transfers).items():
        rows[f"{name}, no labels"] = _row(way, transfers, 0.5)
    return {
        "title": f"Fraudulent accounts among {len(transfers.fraud) // 2:,} simulated ones",
        "data": f"{(__doc__ or '').partition(chr(10) * 2)[2].strip()} {len(transfers.fraud):,} accounts, "
        f"{int(transfers.fraud.sum())} of them frauds, {transfers.graph.num_edges:,} transfers (seed {SEED}); judged "
        "on the same half throughout. An order at random has an average precision of about 0.04.",
        "rows": rows,
    }


def _ways(transfers: Transfers, share: float) -> dict[str, Callable[[], NDArray[np.float64]]]:
    known, _ = labelled(transfers, share)
    table, truth = by_itself(transfers), transfers.fraud[known]
    return {
        "logistic regression": lambda: logistic_regression().fit(table[known], truth).predict_proba(table)[:, 1],
        "gradient boosting": lambda: gradient_boosting(SEED).fit(table[known], truth).predict_proba(table)[:, 1],
        "label propagation": lambda: _propagated(transfers, known),
        **{name.upper(): _by_network(transfers, known, name) for name in ("gcn", "sage", "gat", "gin")},
    }


def _propagated(transfers: Transfers, known: NDArray[np.int64]) -> NDArray[np.float64]:
    scores = label_propagation(transfers.graph, known, transfers.fraud[known])
    share: NDArray[np.float64] = scores[:, 1] / np.maximum(scores.sum(axis=1), 1e-12)
    return share


def _by_network(transfers: Transfers, known: NDArray[np.int64], name: str) -> Callable[[], NDArray[np.float64]]:
    def way() -> NDArray[np.float64]:
        return network_scores(transfers, known, name)

    return way


def network_scores(transfers: Transfers, known: NDArray[np.int64], name: str, epochs: int = 100) -> NDArray[np.float64]:
    """Fit a graph network on the known accounts, and return the probability of fraud of each, [N]."""
    request = GraphFit(
        id="bench/transfers",
        graphs=[transfers.graph],
        indices=known,
        targets=transfers.fraud[known],
        labels=("honest", "fraud"),
        architecture=name,
        epochs=epochs,
    )
    with Runtime() as runtime:
        card = runtime.fit(request, replace=True)
        return runtime.run(GraphScore(graph=transfers.graph), model=card.id).scores[:, 1].astype(np.float64)


def _unsupervised(transfers: Transfers) -> dict[str, Callable[[], NDArray[np.float64]]]:
    from sklearn.ensemble import IsolationForest

    table = by_itself(transfers)

    def alone() -> NDArray[np.float64]:
        with Runtime() as runtime:
            return runtime.run(GraphScore(graph=transfers.graph), model="gnn/from-scratch").scores[:, 0]

    return {
        "isolation forest": lambda: -IsolationForest(random_state=SEED).fit(table).score_samples(table),
        "gnn/from-scratch": alone,
    }


def _row(way: Callable[[], NDArray[np.float64]], transfers: Transfers, share: float) -> dict[str, Any]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    started = time.perf_counter()
    _, held_out = labelled(transfers, share)
    scores, truth = way()[held_out], transfers.fraud[held_out]
    row = {
        "average_precision": round(float(average_precision_score(truth, scores)), 3),
        "roc_auc": round(float(roc_auc_score(truth, scores)), 3),
        "seconds": round(time.perf_counter() - started, 1),
    }
    print(row, flush=True)
    return row
