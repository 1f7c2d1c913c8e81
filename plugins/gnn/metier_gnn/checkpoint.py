"""A fitted network on disk: config.json and model.safetensors."""

from __future__ import annotations

from pathlib import Path

from metier_contracts import MetierError, ModelLoadError
from safetensors.torch import load_file, save_file

from metier_gnn.config import NetworkConfig
from metier_gnn.network import Network

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def save(network: Network, directory: Path) -> None:
    """Write a network into a folder."""
    (directory / CONFIG).write_text(network.config.to_json() + "\n", encoding="utf-8")
    state = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
    save_file(state, directory / WEIGHTS)


def load_network(directory: Path, device: str) -> Network:
    """Return the network in a folder, in evaluation mode on `device`; raise `ModelLoadError` where it holds none."""
    for name in (CONFIG, WEIGHTS):
        if not (directory / name).is_file():
            raise ModelLoadError(
                f"{directory} holds no fitted network",
                expected=f"{CONFIG} and {WEIGHTS}, as Runtime.fit writes them",
                got=f"no {name}",
                blame="`source` of the card",
            )
    try:
        network = Network(NetworkConfig.from_json((directory / CONFIG).read_bytes()))
    except MetierError as error:
        raise ModelLoadError(
            f"{directory / CONFIG} describes no network", expected=error.expected, got=error.got, blame=CONFIG
        ) from error
    network.load_state_dict(load_file(directory / WEIGHTS))
    return network.to(device).eval()
