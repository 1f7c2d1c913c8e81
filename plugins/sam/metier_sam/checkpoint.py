"""Checkpoints of segment-anything: a state dict in one file, and the network whose shapes it has."""

from __future__ import annotations

import pickle  # for the name of the error alone
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from metier_contracts import ModelCard, ModelLoadError, UnsafeWeightsError
from safetensors.torch import load_file
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

State = Mapping[str, torch.Tensor]

_SUFFIXES = {".pth", ".pt", ".bin", ".safetensors"}
# What no shape tells, and is the same in every published checkpoint.
_MASK_READINGS = 3
_DECODER_HEADS = 8
_PIXEL_MEAN, _PIXEL_STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def checkpoint_file(card: ModelCard, folder: Path, name: str | None) -> Path:
    """Return the checkpoint in `folder`: `name`, else the file that the card's source ends in, else the only one."""
    there = sorted(path.name for path in folder.iterdir() if path.suffix in _SUFFIXES)
    own = Path(card.source or "").name
    wanted = name or (own if own in there else there[0] if len(there) == 1 else None)
    if wanted is None or not (folder / wanted).is_file():
        raise ModelLoadError(
            f"{folder} does not hold one checkpoint",
            expected=wanted or f"one file in {', '.join(sorted(_SUFFIXES))}",
            got=", ".join(there[:8]) or "none",
            blame=f"`source` of the card {card.id}, or options.file",
        )
    return folder / wanted


def read_state(path: Path) -> State:
    """Return the tensors of a file in safetensors or of a torch checkpoint, which may hold nothing else."""
    if path.suffix == ".safetensors":
        tensors: State = load_file(path)
        return tensors
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnsafeWeightsError(
            f"the checkpoint {path} needs a full unpickler, which this plugin never uses",
            expected="safetensors, or a torch checkpoint that holds tensors alone",
            got=str(error).partition("\n")[0],
            hint="save its state dict by itself where you trust it",
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise _unlike(path, "a table of tensors, as model.state_dict() is", type(state).__name__)
    return state


def build(path: Path, state: State) -> Sam:
    """Return the network that `state` belongs to, holding its tensors, in evaluation mode.

    Depth, widths, heads, windows and the picture's side are told from the shapes, so that vit_b, vit_l, vit_h and what
    was made of them at other sizes load alike.
    """
    try:
        with torch.device("meta"):
            sam = _shaped(state)
        report = sam.load_state_dict(dict(state), strict=False, assign=True)
    except (KeyError, IndexError, RuntimeError) as error:
        raise _unlike(path, "the tensors of segment-anything's Sam", f"{type(error).__name__}: {error}") from error
    if report.missing_keys or report.unexpected_keys:
        lacks, has = ", ".join(report.missing_keys[:3]), ", ".join(report.unexpected_keys[:3])
        raise _unlike(
            path, "the tensors of segment-anything's Sam", f"without {lacks or 'none'}, beside {has or 'none'}"
        )
    # These two are no part of a state dict.
    for name, values in (("pixel_mean", _PIXEL_MEAN), ("pixel_std", _PIXEL_STD)):
        sam.register_buffer(name, torch.tensor(values).view(-1, 1, 1), persistent=False)
    return sam.requires_grad_(False).eval()


def _shaped(state: State) -> Sam:
    """Return a network without weights whose parameters have the names and shapes of `state`."""
    width, _, _, patch = state["image_encoder.patch_embed.proj.weight"].shape
    cells = state["image_encoder.pos_embed"].shape[1]
    channels = state["image_encoder.neck.0.weight"].shape[0]
    reach = _reaches(state)
    windows = {size for size in reach if size < cells}
    encoder = ImageEncoderViT(
        img_size=cells * patch,
        patch_size=patch,
        embed_dim=width,
        depth=len(reach),
        num_heads=width // state["image_encoder.blocks.0.attn.rel_pos_h"].shape[1],
        mlp_ratio=state["image_encoder.blocks.0.mlp.lin1.weight"].shape[0] / width,
        out_chans=channels,
        qkv_bias=True,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=windows.pop() if windows else 0,
        global_attn_indexes=tuple(index for index, size in enumerate(reach) if size == cells),
    )
    prompts = PromptEncoder(
        embed_dim=channels,
        image_embedding_size=(cells, cells),
        input_image_size=(cells * patch, cells * patch),
        mask_in_chans=state["prompt_encoder.mask_downscaling.3.weight"].shape[0],
    )
    return Sam(encoder, prompts, _decoder(state, channels), _PIXEL_MEAN, _PIXEL_STD)


def _reaches(state: State) -> list[int]:
    """Return how many patches a side each block's attention sees: a table of relative positions has 2 * n - 1 rows."""
    tables: dict[int, int] = {}
    for name, tensor in state.items():
        if found := re.fullmatch(r"image_encoder\.blocks\.(\d+)\.attn\.rel_pos_h", name):
            tables[int(found[1])] = (tensor.shape[0] + 1) // 2
    return [tables[index] for index in range(len(tables))]


def _decoder(state: State, channels: int) -> MaskDecoder:
    layers = {name.split(".")[3] for name in state if name.startswith("mask_decoder.transformer.layers.")}
    head = [name for name in state if re.fullmatch(r"mask_decoder\.iou_prediction_head\.layers\.\d+\.weight", name)]
    return MaskDecoder(
        transformer_dim=channels,
        transformer=TwoWayTransformer(
            depth=len(layers),
            embedding_dim=channels,
            num_heads=_DECODER_HEADS,
            mlp_dim=state["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0],
        ),
        num_multimask_outputs=_MASK_READINGS,
        iou_head_depth=len(head),
        iou_head_hidden_dim=state["mask_decoder.iou_prediction_head.layers.0.weight"].shape[0],
    )


def _unlike(path: Path, expected: str, got: Any) -> ModelLoadError:
    return ModelLoadError(
        f"{path} is no checkpoint of segment-anything",
        expected=expected,
        got=str(got),
        blame="the file, or options.loader of the card",
    )
