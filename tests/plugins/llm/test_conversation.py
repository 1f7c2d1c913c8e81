"""Messages and tools, as the model reads them."""

from __future__ import annotations

from typing import Any

import pytest
from metier_contracts import InputError, Message, Tool, ToolCall
from metier_llm.conversation import ChatTemplate

WEATHER = Tool(
    name="weather", description="Tell the weather.", parameters={"type": "object", "properties": {"place": {}}}
)
ASKED = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="Rain in Lyon?"),
    Message(role="assistant", tool_calls=[ToolCall(id="a1", name="weather", arguments={"place": "Lyon"})]),
    Message(role="tool", content="dry", tool_call_id="a1"),
)


def shown(tokenizer: Any, *messages: Message, **settings: Any) -> str:
    template = settings.pop("template", None)
    return str(tokenizer.decode(ChatTemplate(tokenizer, template).encode(messages, **settings)))


def test_a_prompt_is_what_transformers_makes_of_it(tokenizer: Any) -> None:
    messages = [Message(role="user", content="Why?"), Message(role="assistant", content="So."), ASKED[1]]
    plain = [{"role": message.role, "content": message.text} for message in messages]
    expected = tokenizer.apply_chat_template(plain, add_generation_prompt=True, tokenize=True, return_dict=False)
    assert ChatTemplate(tokenizer).encode(messages) == expected


def test_tools_are_told_where_the_template_does_not(tokenizer: Any) -> None:
    text = shown(tokenizer, *ASKED, tools=[WEATHER])
    assert text.startswith("<|im_start|>system\nBe brief.\n\nYou may call these tools")
    assert '"name": "weather"' in text
    assert '<tool_call>{"name": "weather", "arguments": {"place": "Lyon"}}</tool_call>' in text
    assert "<|im_start|>tool\ndry" in text


def test_tools_are_the_templates_where_it_knows_them(small_tokenizer: Any) -> None:
    text = shown(small_tokenizer, *ASKED[1:], tools=[WEATHER])
    assert "You may call" not in text
    assert text.startswith("<|im_start|>system\nTools:\n")
    assert text.count('"name": "weather"') == 2
    assert '<tool_call>{"name": "weather", "arguments": {"place": "Lyon"}}</tool_call><|im_end|>' in text


@pytest.mark.parametrize("messages", [ASKED[1:2], ASKED[:2]])
def test_a_schema_is_told_to_the_system(tokenizer: Any, messages: tuple[Message, ...]) -> None:
    text = shown(tokenizer, *messages, schema={"type": "array", "title": "größe"})
    assert text.count("<|im_start|>system") == 1
    assert '{"type": "array", "title": "größe"}<|im_end|>\n<|im_start|>user\nRain in Lyon?' in text


def test_a_template_of_the_card_goes_first(tokenizer: Any) -> None:
    assert shown(tokenizer, ASKED[1], template="{{ messages[0].content | upper }}") == "RAIN IN LYON?"


def test_without_a_template_texts_stand_as_they_are(small_tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_tokenizer, "chat_template", None)
    assert shown(small_tokenizer, ASKED[0], ASKED[1]) == "Be brief.\n\nRain in Lyon?"


def test_a_template_that_refuses_is_told(tokenizer: Any) -> None:
    refusing = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(InputError, match="roles must alternate"):
        shown(tokenizer, ASKED[1], template=refusing)
