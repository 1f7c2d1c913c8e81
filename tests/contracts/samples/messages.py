"""The parts of requests and responses that have no exchange of their own."""

from metier_contracts import (
    ActStep,
    Approval,
    Budget,
    Contract,
    Entity,
    EnvironmentSpec,
    GenerationChunk,
    ImagePart,
    Message,
    Provenance,
    RankedToken,
    Sampling,
    TextPart,
    Tool,
    ToolCall,
)

from .data import IMAGE

PROVENANCE = Provenance(
    model="mlm/base",
    plugin="mlm",
    plugin_version="1.2.3",
    device="cuda:0",
    dtype="bfloat16",
    seconds=0.125,
    cost=0.0003,
    cached=True,
)
CALL = ToolCall(id="call_1", name="weather", arguments={"city": "Zürich", "days": 2, "units": None})
TOOL = Tool(
    name="weather",
    description="The weather of a city.",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "units": {"type": ["string", "null"]}},
        "required": ["city"],
    },
)

MESSAGES: dict[str, Contract] = {
    "provenance": PROVENANCE,
    "text-part": TextPart(text="What is this?"),
    "image-part": ImagePart(image=IMAGE),
    "message": Message(role="user", content=(TextPart(text="What is this?"), ImagePart(image=IMAGE))),
    "message.call": Message(role="assistant", tool_calls=(CALL,)),
    "message.tool": Message(role="tool", content='{"celsius": 4}', tool_call_id="call_1"),
    "tool": TOOL,
    "tool-call": CALL,
    "sampling": Sampling(max_tokens=9, temperature=0.7, top_p=0.9, top_k=40, stop=("\n\n",), seed=7),
    "generate.chunk": GenerationChunk(text="Hel"),
    "generate.last-chunk": GenerationChunk(
        text="lo",
        tool_calls=(CALL,),
        finish_reason="tool_calls",
        input_tokens=5,
        output_tokens=2,
        provenance=PROVENANCE,
    ),
    "entity": Entity(text="Bern", label="place", start=3, end=7, score=0.5),
    "ranked-token": RankedToken(token="Ġparis", score=0.75),
    "environment": EnvironmentSpec(kind="browser", config={"url": "https://example.org", "headless": True}),
    "budget": Budget(max_steps=3, max_seconds=1.5, max_cost=0.25),
    "approval": Approval(allowed="irreversible"),
    "act-step": ActStep(
        action="click",
        arguments={"x": 1},
        risk="write",
        grounding="button Send",
        outcome="failed",
        seconds=0.5,
        cost=0.1,
    ),
}
