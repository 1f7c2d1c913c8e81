"""Small checkpoints with random weights, in the form in which the published ones come."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

# With random weights nothing is sure or stable: what requests for everything would otherwise drop.
LAX = {
    "points_per_side": 4,
    "points_per_batch": 6,
    "pred_iou_thresh": -10.0,
    "stability_score_thresh": 0.93,
    "stability_score_offset": 0.1,
}


def segment_anything(folder: Path, *, seed: int = 0) -> Path:
    """Save SAM's state dict for pictures of 128 pixels a side, as its authors do; return `folder`."""
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = ImageEncoderViT(
            img_size=128,
            patch_size=16,
            embed_dim=48,
            depth=3,
            num_heads=3,
            mlp_ratio=4,
            out_chans=32,
            qkv_bias=True,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=5,
            global_attn_indexes=(1,),
        )
        decoder = MaskDecoder(
            transformer_dim=32,
            transformer=TwoWayTransformer(depth=2, embedding_dim=32, mlp_dim=64, num_heads=8),
            num_multimask_outputs=3,
            iou_head_depth=3,
            iou_head_hidden_dim=32,
        )
        prompts = PromptEncoder(
            embed_dim=32, image_embedding_size=(8, 8), input_image_size=(128, 128), mask_in_chans=16
        )
        sam = Sam(encoder, prompts, decoder)
        enliven(sam)
    torch.save(sam.state_dict(), folder / "sam_tiny.pth")
    return folder


def enliven(module: torch.nn.Module) -> None:
    """Draw all weights of a network so wide that its masks follow picture and prompt."""
    for name, parameter in module.named_parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=1.5 / parameter[0].numel() ** 0.5)
        elif "norm" not in name:
            torch.nn.init.normal_(parameter, std=0.2)
        if "hypernetworks" in name and parameter.ndim == 1 and len(parameter) < 32:
            # A mask weighs channels that are positive on average: with weights of both signs it has both sides.
            parameter.data = torch.tensor([30.0, -30.0] * (len(parameter) // 2))
