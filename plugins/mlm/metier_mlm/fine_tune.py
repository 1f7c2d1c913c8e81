"""Fine-tuning an encoder as a classifier of texts or of tokens: a plain loop with AdamW and a linear schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from metier_contracts import CallContext, Capabilities, ClassifyFit, ExtractFit, ModelCard, Placement

from metier_mlm.batching import padded
from metier_mlm.checkpoint import Checkpoint, choose_dtype, folder_of, load_errors, quiet, read_tokenizer, storage_bytes
from metier_mlm.spans import OUTSIDE, word_labels
from metier_mlm.tokens import windows, word_tokens

WARM_UP_SHARE = 0.1
IGNORED = -100
MAX_LENGTH = 256


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train."""

    epochs: int
    learning_rate: float
    batch_size: int
    seed: int


def classifier(
    request: ClassifyFit, base: ModelCard, placement: Placement, directory: Path, context: CallContext
) -> ModelCard:
    """Train a sequence classifier on the examples, write it as transformers does, and return its card."""
    labels = request.examples.labels
    checkpoint = _start(base, placement, "AutoModelForSequenceClassification", labels, request.seed)
    length = min(checkpoint.max_length, MAX_LENGTH)
    encoded = checkpoint.tokenizer(list(request.examples.texts), truncation=True, max_length=length)
    targets = [[labels.index(example.label)] for example in request.examples.examples]
    _train(checkpoint, encoded["input_ids"], targets, _schedule(request), context)
    _save(checkpoint, directory)
    table = Capabilities(labels=labels, multi_label=True, languages=_languages(base))
    return _card(base, checkpoint, "sequence-classification", {"classify": table})


def extractor(
    request: ExtractFit, base: ModelCard, placement: Placement, directory: Path, context: CallContext
) -> ModelCard:
    """Train a token classifier on annotated texts, write it as transformers does, and return its card."""
    kinds = list(dict.fromkeys(entity.label for example in request.examples for entity in example.entities))
    labels = (OUTSIDE, *(f"{prefix}-{kind}" for kind in kinds for prefix in "BI"))
    checkpoint = _start(base, placement, "AutoModelForTokenClassification", labels, request.seed)
    encoded = windows(checkpoint, [example.text for example in request.examples])
    targets = [
        _token_targets(encoded, window, request.examples[text].entities, labels)
        for window, text in enumerate(encoded["overflow_to_sample_mapping"])
    ]
    _train(checkpoint, encoded["input_ids"], targets, _schedule(request), context)
    _save(checkpoint, directory)
    table = Capabilities(labels=tuple(kinds), languages=_languages(base))
    return _card(base, checkpoint, "token-classification", {"extract": table})


def _token_targets(encoded: Any, window: int, found: Any, labels: Sequence[str]) -> list[int]:
    """Return the target of each token: its word's label at the word's first token, ignored elsewhere."""
    offsets = encoded["offset_mapping"][window]
    words = word_tokens(encoded.word_ids(window))
    targets = [IGNORED] * len(offsets)
    spans = [(offsets[first][0], offsets[last][1]) for first, last in words]
    for (first, _), label in zip(words, word_labels(spans, found), strict=True):
        targets[first] = labels.index(label)
    return targets


def _schedule(request: ClassifyFit | ExtractFit) -> Schedule:
    return Schedule(request.epochs, request.learning_rate, request.batch_size, request.seed)


def _start(base: ModelCard, placement: Placement, kind: str, labels: Sequence[str], seed: int) -> Checkpoint:
    """Return the base's encoder in float32 under a new head for `labels`."""
    folder = folder_of(base, placement)
    with quiet(), load_errors(base), torch.random.fork_rng():
        torch.manual_seed(seed)
        network = getattr(transformers, kind).from_pretrained(
            str(folder),
            local_files_only=True,
            weights_only=True,
            dtype=torch.float32,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
            ignore_mismatched_sizes=True,
        )
        tokenizer = read_tokenizer(base, folder)
    return Checkpoint(tokenizer, network.to(placement.device), placement.device, "float32")


def _train(
    checkpoint: Checkpoint,
    rows: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    schedule: Schedule,
    context: CallContext,
) -> None:
    network, steps = checkpoint.network.train(), schedule.epochs * -(-len(rows) // schedule.batch_size)
    optimizer = torch.optim.AdamW(network.parameters(), lr=schedule.learning_rate, weight_decay=0.01)
    warm_up = max(1, int(WARM_UP_SHARE * steps))
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm_up, max(0.0, (steps - step) / max(1, steps - warm_up)))
    )
    with torch.random.fork_rng():
        torch.manual_seed(schedule.seed)
        for done, batch in enumerate(_shuffled(len(rows), schedule)):
            context.check()
            loss = _loss(checkpoint, [rows[i] for i in batch], [targets[i] for i in batch])
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            rate.step()
            optimizer.zero_grad(set_to_none=True)
            context.report(done + 1, steps)
    network.eval()


def _shuffled(count: int, schedule: Schedule) -> list[list[int]]:
    generator = torch.Generator().manual_seed(schedule.seed)
    batches = []
    for _ in range(schedule.epochs):
        order = torch.randperm(count, generator=generator).tolist()
        batches += [order[i : i + schedule.batch_size] for i in range(0, count, schedule.batch_size)]
    return batches


def _loss(checkpoint: Checkpoint, rows: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> torch.Tensor:
    device = checkpoint.device
    tokens, mask = padded(rows, checkpoint.tokenizer.pad_token_id, device)
    wanted = padded(targets, IGNORED, device)[0].flatten()
    # Mixed precision: the sums are bfloat16 where the device has it, weights and their updates stay float32.
    dtype = choose_dtype(Placement(device))
    with torch.autocast(device.partition(":")[0], dtype=dtype, enabled=dtype != torch.float32):
        logits = checkpoint.network(input_ids=tokens, attention_mask=mask).logits
    return torch.nn.functional.cross_entropy(logits.float().flatten(0, -2), wanted, ignore_index=IGNORED)


def _save(checkpoint: Checkpoint, directory: Path) -> None:
    with quiet():
        checkpoint.network.save_pretrained(str(directory), safe_serialization=True)
        checkpoint.tokenizer.save_pretrained(str(directory))


def _languages(base: ModelCard) -> tuple[str, ...]:
    return next((table.languages for table in base.tasks.values() if table.languages), ())


def _card(base: ModelCard, checkpoint: Checkpoint, loader: str, tasks: dict[str, Capabilities]) -> ModelCard:
    return base.model_copy(
        update={
            "architecture": "mlm",
            "options": {"loader": loader},
            "bytes": storage_bytes(checkpoint.network),
            "download_bytes": None,
            "parameters": sum(parameter.numel() for parameter in checkpoint.network.parameters()),
            "summary": f"{base.id}, fine-tuned.",
            "tasks": tasks,
            "quality": (),
        }
    )
