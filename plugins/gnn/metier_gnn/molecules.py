"""Molecules as graphs, by rdkit, with the features that Chemprop's networks read."""

from __future__ import annotations

from typing import Any

import numpy as np
from metier_contracts import Graph, InputError
from rdkit import Chem

_ELEMENTS = (*range(1, 37), 53)
_CHARGES = (-1, -2, 1, 2, 0)
_SHAPES = tuple(getattr(Chem.HybridizationType, name) for name in ("S", "SP", "SP2", "SP2D", "SP3", "SP3D", "SP3D2"))
_BONDS = tuple(getattr(Chem.BondType, name) for name in ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC"))
ATOM_COLUMNS, BOND_COLUMNS = 72, 14


def molecule(smiles: str) -> Graph:
    """Return a molecule as a graph: atoms are nodes, `x` float32 [N, 72]; each bond is two edges, `edge_attr` [E, 14].

    The columns are those of Chemprop 2. Of an atom: element (1 to 36, iodine, other), degree, charge, chirality, number
    of hydrogens, hybridization, aromaticity, and mass in 100 daltons. Of a bond: order, conjugation, ring, stereo.

    Raises:
        InputError: rdkit cannot read it.
    """
    read: Any = Chem.MolFromSmiles(smiles)
    if read is None or not read.GetNumAtoms():
        raise InputError(
            "that is no molecule",
            expected="SMILES that rdkit reads",
            got=repr(smiles),
            blame="the argument of molecule",
        )
    bonds = [
        (ends, _of_bond(bond))
        for bond in read.GetBonds()
        for ends in (
            (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()),
            (bond.GetEndAtomIdx(), bond.GetBeginAtomIdx()),
        )
    ]
    return Graph(
        edge_index=np.array([ends for ends, _ in bonds], dtype=np.int64).reshape(-1, 2).T,
        num_nodes=read.GetNumAtoms(),
        x=np.array([_of_atom(atom) for atom in read.GetAtoms()], dtype=np.float32),
        edge_attr=np.array([known for _, known in bonds], dtype=np.float32).reshape(-1, BOND_COLUMNS),
    )


def _of_atom(atom: Any) -> list[float]:
    return [
        *_one_of(atom.GetAtomicNum(), _ELEMENTS),
        *_one_of(atom.GetTotalDegree(), range(6)),
        *_one_of(atom.GetFormalCharge(), _CHARGES),
        *_one_of(int(atom.GetChiralTag()), range(4)),
        *_one_of(int(atom.GetTotalNumHs()), range(5)),
        *_one_of(atom.GetHybridization(), _SHAPES),
        float(atom.GetIsAromatic()),
        0.01 * atom.GetMass(),
    ]


def _of_bond(bond: Any) -> list[float]:
    orders = _one_of(bond.GetBondType(), _BONDS)[:-1]
    flags = [float(bond.GetIsConjugated()), float(bond.IsInRing())]
    return [0.0, *orders, *flags, *_one_of(int(bond.GetStereo()), range(6))]


def _one_of(value: Any, choices: Any) -> list[float]:
    """Return a 1 in the place of the value, in the last where it is none of the choices."""
    known = [float(value == choice) for choice in choices]
    return [*known, float(not any(known))]
