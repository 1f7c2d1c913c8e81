"""What `fit` writes: a head on the encoder's embeddings, or a fine-tuned checkpoint."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from metier_contracts import CallContext, Capabilities, ClassifyFit, ExtractFit, FitRequest, InputError, ModelCard
from metier_contracts.authoring import quiet_transformers
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

from metier_mlm.checkpoint import load_network
from metier_mlm.encoder import Vectors
from metier_mlm.logistic import fit_head
from metier_mlm.options import EncoderOptions
from metier_mlm.tagging import labels_of, samples_of, tags_of
from metier_mlm.tokens import TextTokenizer, load_tokenizer
from metier_mlm.training import Sample, Schedule, train

# The same weights in other formats, and the runtime's own record.
_NOT_COPIED = ("*.onnx", "*.h5", "*.msgpack", "*.ot", "metier-*.json")


@dataclass(frozen=True, slots=True)
class Base:
    """The encoder that is fitted from: its card and options, its folder, its device, and the most tokens it reads."""

    card: ModelCard
    options: EncoderOptions
    folder: Path
    device: str
    max_length: int


def fit_logistic(base: Base, request: ClassifyFit, vectors: Vectors, prefix: str, directory: Path) -> ModelCard:
    """Write the encoder and a head on the examples' unit vectors float32 [N, D] into `directory`; return its card."""
    head = fit_head(vectors, request.examples, multi_label=False, c=base.options.head_c)
    _copy(base, directory)
    head.save(directory)
    return _card(
        base,
        request,
        head.labels,
        architecture=base.card.architecture,
        bytes=base.card.bytes + head.nbytes,
        parameters=base.card.parameters + head.nbytes // 4,
        summary=f"A logistic head on {base.card.id}.",
        options={"loader": "sentence-head", "max_length": base.max_length, "text_prefix": prefix},
    )


def fine_tune_classifier(base: Base, request: ClassifyFit, directory: Path, context: CallContext) -> ModelCard:
    """Train the whole encoder and a new head on labelled texts, write the checkpoint, and return its card."""
    labels = request.examples.labels
    tokenizer = TextTokenizer(load_tokenizer(base.folder), base.max_length)
    samples = []
    for example, encoding in zip(request.examples.examples, tokenizer.encode(request.examples.texts), strict=True):
        if isinstance(encoding, InputError):
            raise encoding
        samples.append(Sample(encoding.ids, labels.index(example.label)))
    module = _with_head(AutoModelForSequenceClassification, base, labels, request.seed)
    train(module, samples, _schedule(request), tokenizer.pad_id, context)
    return _write(base, request, labels, "sequence-classification", (module, tokenizer), directory)


def fine_tune_tagger(base: Base, request: ExtractFit, directory: Path, context: CallContext) -> ModelCard:
    """Train the whole encoder and a new head to tag tokens, write the checkpoint, and return its card."""
    labels = labels_of(request.examples)
    tags = tags_of(labels)
    tokenizer = TextTokenizer(load_tokenizer(base.folder), base.max_length, overlap=0)
    samples = samples_of(request.examples, tags, tokenizer)
    module = _with_head(AutoModelForTokenClassification, base, tags, request.seed)
    train(module, samples, _schedule(request), tokenizer.pad_id, context)
    return _write(base, request, labels, "token-classification", (module, tokenizer), directory)


def _with_head(auto_class: Any, base: Base, names: Sequence[str], seed: int) -> Any:
    """Return the encoder in float32 with a new head, whose weights are drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return load_network(
            auto_class,
            base.folder,
            torch.float32,
            base.device,
            fresh="head",
            id2label=dict(enumerate(names)),
            label2id={name: index for index, name in enumerate(names)},
        )


def _schedule(request: ClassifyFit | ExtractFit) -> Schedule:
    return Schedule(request.epochs, request.learning_rate, request.batch_size, request.seed)


def _write(
    base: Base,
    request: ClassifyFit | ExtractFit,
    labels: Sequence[str],
    loader: str,
    trained: tuple[Any, TextTokenizer],
    directory: Path,
) -> ModelCard:
    module, tokenizer = trained
    with quiet_transformers():
        module.save_pretrained(directory)
        tokenizer.slow.save_pretrained(directory)
    parameters = module.num_parameters()
    return _card(
        base,
        request,
        labels,
        architecture="mlm",
        bytes=4 * parameters,
        parameters=parameters,
        summary=f"{base.card.id}, fine-tuned.",
        options={"loader": loader, "max_length": base.max_length},
    )


def _card(base: Base, request: FitRequest, labels: Sequence[str], **fields: Any) -> ModelCard:
    known = base.card.tasks.get(request.task) or next(iter(base.card.tasks.values()))
    ability = Capabilities(labels=tuple(labels), languages=known.languages, context=base.max_length)
    return ModelCard(
        id=request.id,
        plugin=base.card.plugin,
        licence=base.card.licence,
        devices=base.card.devices,
        dtypes=base.card.dtypes,
        tasks={request.task: ability},
        **fields,
    )


def _copy(base: Base, directory: Path) -> None:
    """Copy the encoder's files, so that the fitted folder needs no other."""
    ignored = (*_NOT_COPIED, "*.bin") if any(base.folder.glob("model*.safetensors")) else _NOT_COPIED
    skip = shutil.ignore_patterns(*ignored)
    # Pulled weights never change. What lies in a folder of the user's may be written over in place.
    pulled = (base.card.source or "").startswith(("wheel:", "hf:"))
    copy = _link if pulled else shutil.copyfile
    shutil.copytree(base.folder, directory, dirs_exist_ok=True, copy_function=copy, ignore=skip)


def _link(source: str, target: str) -> None:
    """Give a file a second name, which takes no space; where the disk cannot, copy it."""
    try:
        os.link(Path(source).resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
