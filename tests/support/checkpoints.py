"""Small checkpoints with random weights, in the form in which the published ones come."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

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


def transformers_model(folder: Path, kind: str, *, seed: int = 0) -> Path:
    """Save a model of transformers for pictures of 128 pixels a side, with its image processor; return `folder`.

    `kind`: sam, sam_hq, sam2, or sam2_video, which is what the published SAM 2 folders hold.
    """
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = getattr(transformers, _MODELS[kind][0])(_config(kind))
        enliven(module)
    module.save_pretrained(folder)
    if kind in ("sam", "sam_hq"):
        sizes: dict[str, Any] = {
            "size": {"longest_edge": 128},
            "pad_size": {"height": 128, "width": 128},
            "mask_size": {"longest_edge": 32},
            "mask_pad_size": {"height": 32, "width": 32},
        }
    else:
        sizes = {"size": {"height": 128, "width": 128}, "mask_size": {"height": 32, "width": 32}}
    getattr(transformers, _MODELS[kind][1])(**sizes).save_pretrained(folder)
    return folder


_MODELS = {
    "sam": ("SamModel", "SamImageProcessor"),
    "sam_hq": ("SamHQModel", "SamImageProcessor"),
    "sam2": ("Sam2Model", "Sam2ImageProcessor"),
    "sam2_video": ("Sam2VideoModel", "Sam2ImageProcessor"),
}


def _config(kind: str) -> Any:
    import transformers

    prompts = {"hidden_size": 32, "image_size": 128, "patch_size": 16}
    decoder = {"hidden_size": 32, "mlp_dim": 64, "num_attention_heads": 4, "iou_head_hidden_dim": 32}
    vision: dict[str, Any] = {
        "hidden_size": 48,
        "output_channels": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 3,
        "image_size": 128,
        "window_size": 5,
        "global_attn_indexes": [1],
        "mlp_dim": 96,
        "num_pos_feats": 16,
    }
    if kind == "sam":
        return transformers.SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    if kind == "sam_hq":
        return transformers.SamHQConfig(
            vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder | {"vit_dim": 48}
        )
    hiera = {
        "model_type": "sam2_vision_model",
        "backbone_config": {
            "model_type": "sam2_hiera_det_model",
            "hidden_size": 16,
            "image_size": [128, 128],
            "blocks_per_stage": [1, 1, 2, 1],
            "embed_dim_per_stage": [16, 32, 64, 128],
            "num_attention_heads_per_stage": [1, 2, 4, 8],
            "window_size_per_stage": [8, 4, 4, 4],
            "global_attention_blocks": [3],
            "window_positional_embedding_background_size": [4, 4],
        },
        "backbone_channel_list": [128, 64, 32, 16],
        "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        "fpn_hidden_size": 32,
    }
    if kind == "sam2":
        return transformers.Sam2Config(vision_config=hiera, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    return transformers.Sam2VideoConfig(
        vision_config=hiera,
        prompt_encoder_config=prompts,
        mask_decoder_config=decoder,
        image_size=128,
        memory_attention_hidden_size=32,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=64,
        memory_attention_rope_feat_sizes=[8, 8],
        memory_encoder_hidden_size=32,
        memory_encoder_output_channels=16,
        mask_downsampler_embed_dim=32,
        memory_fuser_embed_dim=32,
        memory_fuser_intermediate_dim=64,
    )


def promptable(folder: Path, *, seed: int = 0) -> Path:
    """Save a narrow network of the plugin's own kind; return `folder`."""
    import json
    from dataclasses import asdict

    from metier_sam.promptable import Config, PromptableNet
    from safetensors.torch import save_file

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PromptableNet(Config(encoder=8, decoder=(8, 16, 16, 16)))
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, folder / "promptable.safetensors", {"config": json.dumps(asdict(network.config))})
    return folder


def causal(folder: Path, kind: str, *, seed: int = 0) -> Path:
    """Save a language model of transformers with its tokenizer, byte-level BPE trained here; return `folder`.

    `kind`: llama, qwen2, qwen3 or qwen3_moe. The chat template is ChatML, with tools.
    """
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words.train_from_iterator(
        ["The parcel arrived a day late, but whole. Which label fits? billing, fault, praise"], trainer
    )
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = _CHATML
    sizes: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 48,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 12,
        "max_position_embeddings": 2048,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
        "initializer_range": 0.2,
    }
    if kind == "qwen3_moe":
        sizes |= {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.for_model(kind, **sizes))
    module.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


_CHATML = """{%- if tools %}{{ '<|im_start|>system\nTools:\n' }}
{%- for tool in tools %}{{ tool | tojson }}{{ '\n' }}{%- endfor %}
{{- 'Call as <tool_call>{"name": ..., "arguments": ...}</tool_call><|im_end|>\n' }}{%- endif %}
{%- for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content }}
{%- for call in message.tool_calls or [] %}
{{- '<tool_call>' }}{{ call.function | tojson }}{{ '</tool_call>' }}
{%- endfor %}{{ '<|im_end|>\n' }}{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{%- endif %}"""
