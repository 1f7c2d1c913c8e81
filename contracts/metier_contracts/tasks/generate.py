"""generate: text, or a tool call, from messages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from metier_contracts.card import Capabilities
from metier_contracts.contract import Contract
from metier_contracts.data.image import ImageField
from metier_contracts.invariants import Violation
from metier_contracts.refusal import Refusal, shown
from metier_contracts.request import Request, Response
from metier_contracts.schemas import check_schema, invalid
from metier_contracts.size import Size

# Vision models read a patch of about 28 x 28 pixels as one token, which stands for some four characters.
_PIXELS_PER_CHARACTER = 196

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


class ToolCall(Contract):
    """A call that the model wants made: the tool's name and its arguments."""

    id: str
    name: str
    arguments: Mapping[str, Any]


class TextPart(Contract):
    """Text within a message."""

    text: str


class ImagePart(Contract):
    """An image within a message."""

    image: ImageField


class Message(Contract):
    """One turn of a conversation. `content`: a text, or parts of text and images."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | tuple[TextPart | ImagePart, ...] = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """The text of the message, its parts joined."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, TextPart))

    @property
    def has_image(self) -> bool:
        """Whether a part is an image."""
        return not isinstance(self.content, str) and any(isinstance(part, ImagePart) for part in self.content)

    @model_validator(mode="after")
    def _check(self) -> Message:
        blank = self.content.isspace() if isinstance(self.content, str) else not (self.text.strip() or self.has_image)
        if self.role == "user" and (blank or not self.content):
            raise Refusal("a text or an image in a message of the user", shown(self.content), field="content")
        return self


class Tool(Contract):
    """A function that the model may ask to be called. `parameters`: a JSON Schema of its arguments."""

    name: str = Field(min_length=1)
    description: str = ""
    parameters: Mapping[str, Any] = {"type": "object"}

    @model_validator(mode="after")
    def _check(self) -> Tool:
        if "parameters" in self.model_fields_set:
            check_schema(self.parameters, field="parameters")
        return self


class Sampling(Contract):
    """How tokens are drawn. `temperature` 0 takes the most probable one; `seed` makes a draw repeatable."""

    max_tokens: int = Field(default=256, ge=1)
    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=1)
    stop: tuple[str, ...] = ()
    seed: int | None = None


class GenerationChunk(Response):
    """A piece of a generation while it streams; the last one carries the finish reason and the token counts.

    `tool_calls`: the calls that are complete with this piece. The counts of the last piece are None where a remote
    server does not say them.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason | None = None
    input_tokens: int | None = Field(default=None, ge=0)
    output_tokens: int | None = Field(default=None, ge=0)


class Generation(Response):
    """What the model wrote. `finish_reason`: "stop" at its own end or a stop string, "length" at max_tokens.

    `tokens_known`: False where a remote server did not say how many tokens it read and wrote; both counts are 0 then.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    tokens_known: bool = True


class Generate(Request[Generation]):
    """Answer messages. `json_schema`: the JSON Schema that the text must be valid against."""

    task: ClassVar[str] = "generate"

    messages: Sequence[Message] = Field(min_length=1)
    tools: tuple[Tool, ...] = ()
    json_schema: Mapping[str, Any] | None = None
    sampling: Sampling = Sampling()

    @model_validator(mode="before")
    @classmethod
    def _take_prompt(cls, data: Any) -> Any:
        """Take `messages="..."` for one user message."""
        if isinstance(data, dict) and isinstance(prompt := data.get("messages"), str):
            return {**data, "messages": ({"role": "user", "content": prompt},)}
        return data

    @model_validator(mode="after")
    def _check(self) -> Generate:
        if self.json_schema is not None:
            check_schema(self.json_schema, field="json_schema")
        if len(self.tools) > 1:
            self._check_names([tool.name for tool in self.tools])
        return self

    def _check_names(self, names: list[str]) -> None:
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise Refusal("each tool's name once", f"{twice!r} more than once", field="tools")

    @classmethod
    def of(cls, prompt: str, *, sampling: Sampling | None = None) -> Generate:
        """Return the request of a single user message."""
        return cls(messages=(Message(role="user", content=prompt),), sampling=sampling or Sampling())

    def needs(self) -> Mapping[str, Any]:
        """Return the capabilities this request needs."""
        images = any(message.has_image for message in self.messages)
        needs: dict[str, Any] = {"modalities": frozenset({"text", "image"} if images else {"text"})}
        if self.tools:
            needs["tools"] = True
        if self.json_schema is not None:
            needs["json_schema"] = True
        return needs

    def workload(self) -> Size:
        """Return the characters to read, an image and the tools among them, and the most tokens to write."""
        read = sum(_characters(message) for message in self.messages)
        tools = sum(len(tool.to_json()) for tool in self.tools)
        return Size(read + tools, output_tokens=self.sampling.max_tokens)


def _characters(message: Message) -> int:
    if isinstance(message.content, str):
        return len(message.content)
    return sum(
        len(part.text) if isinstance(part, TextPart) else part.image.height * part.image.width // _PIXELS_PER_CHARACTER
        for part in message.content
    )


def fits_schema(request: Generate, response: Generation, capabilities: Capabilities) -> Violation | None:
    """A finished text is valid against the schema."""
    if request.json_schema is None or response.finish_reason != "stop":
        return None
    return invalid("text", response.text, request.json_schema)


def tools_exist(request: Generate, response: Generation, capabilities: Capabilities) -> Violation | None:
    """Only tools of the request are called, with arguments that fit their parameters."""
    tools = {tool.name: tool for tool in request.tools}
    for call in response.tool_calls:
        if call.name not in tools:
            return Violation("tool_calls", f"a tool among {shown(sorted(tools))}", repr(call.name))
        if problem := invalid("tool_calls", json.dumps(dict(call.arguments), default=str), tools[call.name].parameters):
            return problem
    return None


def stays_within_tokens(request: Generate, response: Generation, capabilities: Capabilities) -> Violation | None:
    """No more tokens than max_tokens are written."""
    most = request.sampling.max_tokens
    return (
        None
        if response.output_tokens <= most
        else Violation("output_tokens", f"<= {most}", str(response.output_tokens))
    )


INVARIANTS = (fits_schema, tools_exist, stays_within_tokens)
