"""The loader `causal-lm`: language models of transformers, on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

from metier_contracts import (
    CallContext,
    Classify,
    Extract,
    Generate,
    InputError,
    MetierError,
    Model,
    ModelCard,
    Placement,
    Request,
    Response,
)
from metier_contracts.authoring import attempt, read_options, unsupported

from metier_llm.checkpoint import Checkpoint, read_checkpoint
from metier_llm.choosing import Chooser
from metier_llm.constraints import Constraints, Matcher
from metier_llm.conversation import ChatTemplate
from metier_llm.engine import Decoding, Engine
from metier_llm.extracting import Extractor
from metier_llm.generating import Turn
from metier_llm.network import Network
from metier_llm.options import CausalOptions
from metier_llm.scoring import Scorer


def load(card: ModelCard, placement: Placement) -> Model:
    """Return the model of `card`."""
    options = read_options(CausalOptions, card)
    return CausalLM(card, options, read_checkpoint(card, options, placement))


class CausalLM:
    """A causal language model. Its calls may overlap: what they generate is decoded side by side."""

    def __init__(self, card: ModelCard, options: CausalOptions, checkpoint: Checkpoint) -> None:
        self._card = card
        self._ends = checkpoint.ends
        self._context = checkpoint.context
        self._tokenizer = checkpoint.tokenizer.backend_tokenizer
        self._template = ChatTemplate(checkpoint.tokenizer, options.chat_template)
        self._network = Network(checkpoint.module)
        self._engine = Engine(
            self._network,
            max_sequences=options.max_sequences,
            cache_tokens=options.cache_tokens,
            prefill_chunk=options.prefill_chunk,
        )
        self._scorer = Scorer(self._network, options.prefill_chunk)
        # To read the vocabulary takes a second, which most requests do not need.
        self._constraints = cache(
            partial(
                Constraints, checkpoint.tokenizer, checkpoint.module.config.get_text_config().vocab_size, self._ends
            )
        )
        self._chooser = Chooser(
            card, options, checkpoint.tokenizer, self._template, self._scorer, min(self._ends, default=0)
        )
        self._extractor = Extractor(card, options, checkpoint, self._template, self._constraints)

    @property
    def device(self) -> str:
        """The device, for example "cuda:0"."""
        return self._network.device

    @property
    def dtype(self) -> str:
        """The dtype of the weights, for example "float32"."""
        return self._network.dtype

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order; an item that fails is answered by its error.

        Raises:
            DeadlineExceeded, Cancelled: the caller no longer waits; checked at each token.
        """
        plans = [attempt(partial(self._plan, request, context)) for request in requests]
        decodings = [plan[0] for plan in plans if not isinstance(plan, MetierError) and plan[0] is not None]
        self._engine.run(decodings, context)
        return [plan if isinstance(plan, MetierError) else attempt(plan[1]) for plan in plans]

    def stream(self, request: Request[Any], context: CallContext) -> Iterator[Response]:
        """Yield the text as it is written, and last why it ended, with the numbers of tokens."""
        if not isinstance(request, Generate):
            raise unsupported(request, self._card)
        turn = self._turn(request, context)
        for _ in self._engine.steps([turn.decoding], context):
            yield from turn.piece()
        yield turn.last_piece()

    def _plan(self, request: Request[Any], context: CallContext) -> tuple[Decoding | None, Callable[[], Response]]:
        """Return what is to be decoded for a request, if anything, and what then makes the answer."""
        if isinstance(request, Generate):
            turn = self._turn(request, context)
            return turn.decoding, turn.answer
        if isinstance(request, Extract):
            reading = self._extractor.reading(request)
            return reading.decoding, reading.answer
        if isinstance(request, Classify):
            return None, partial(self._chooser.answer, request, context)
        raise unsupported(request, self._card)

    def _turn(self, request: Generate, context: CallContext) -> Turn:
        if any(message.has_image for message in request.messages):
            raise unsupported(request, self._card)
        prompt = self._template.encode(request.messages, request.tools, request.json_schema)
        most = min(request.sampling.max_tokens, self._context - len(prompt))
        if most < 1:
            raise _too_long(len(prompt), self._context)
        return Turn(
            request,
            prompt,
            most=most,
            ends=self._ends,
            tokenizer=self._tokenizer,
            seed=context.seed,
            matcher=self._matcher(request, most),
        )

    def _matcher(self, request: Generate, most: int) -> Matcher | None:
        if request.json_schema is not None and request.tools:
            raise unsupported(request, self._card)
        if request.json_schema is not None:
            return self._constraints().json_schema(request.json_schema, most)
        return self._constraints().tool_calls(request.tools, most) if request.tools else None

    def resident_bytes(self) -> int:
        """Return the bytes of weights, and of keys and values held now."""
        return self._network.nbytes() + self._engine.nbytes() + self._scorer.nbytes()

    def close(self) -> None:
        """Drop the weights."""
        self._engine.close()
        self._scorer.close()
        self._network.close()


def _too_long(tokens: int, context: int) -> InputError:
    return InputError(
        "the messages are longer than the model reads",
        expected=f"fewer than {context} tokens",
        got=f"{tokens} tokens",
        blame="messages of the request",
        hint="shorten the conversation, or choose a model with a longer context (`metier models`)",
    )
