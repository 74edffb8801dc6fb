"""The official client against the program, unmodified: with the scripted backend for shapes, with the real model for
sense."""
import json
import time

import openai
import pytest

from raw_http import RawClient, post

ALL_NUMBERS = ("temperature", "top_p", "top_k", "min_p", "repeat_penalty", "presence_penalty", "frequency_penalty",
               "seed", "max_tokens", "max_completion_tokens", "n", "top_logprobs")


@pytest.fixture(scope="module")
def stub(tmp_path_factory):
    from notso_process import Server
    server = Server(tmp_path_factory.mktemp("stub") / "data", ("--backend", "stub")).wait_ready()
    yield server
    assert server.stop() == 0


def client_of(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0, timeout=60)


@pytest.fixture
def client(stub):
    return client_of(stub)


def user(text):
    return [{"role": "user", "content": text}]


def test_models(client):
    models = client.models.list().data
    assert len(models) == 1 and models[0].object == "model"
    assert client.models.retrieve(models[0].id).id == models[0].id
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")


def test_whole_answer(client):
    answer = client.chat.completions.create(model="m", messages=user("[echo] good day"))
    assert answer.choices[0].message.content == "[echo] good day"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_stream(client):
    chunks = list(client.chat.completions.create(model="m", messages=user("[think] [echo] good day"), stream=True,
                                                 stream_options={"include_usage": True}))
    assert len({(c.id, c.created, c.model, c.object) for c in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert not any(c.choices[0].delta.role for c in chunks[1:] if c.choices)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "[think] [echo] good day"
    thoughts = [getattr(c.choices[0].delta, "reasoning_content", None) or "" for c in chunks if c.choices]
    assert "".join(thoughts)
    last_thought = max(i for i, t in enumerate(thoughts) if t)
    first_text = min(i for i, c in enumerate(chunks) if c.choices and c.choices[0].delta.content)
    assert last_thought < first_text
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 0


def test_length_stop_and_thinking(client):
    answer = client.chat.completions.create(model="m", messages=user("[long 50]"), max_tokens=4)
    assert answer.choices[0].finish_reason == "length" and answer.usage.completion_tokens == 4
    answer = client.chat.completions.create(model="m", messages=user("[long 50]"), stop=["word7", "nothing"])
    assert answer.choices[0].finish_reason == "stop"
    assert "word6" in answer.choices[0].message.content and "word7" not in answer.choices[0].message.content
    answer = client.chat.completions.create(model="m", messages=user("hi"), reasoning_effort="low")
    assert answer.choices[0].message.reasoning_content
    assert answer.usage.completion_tokens_details.reasoning_tokens > 0


WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "Current weather.", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
ADD = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {
    "a": {"type": "number"}, "b": {"type": "number"}}}}}
TWO_CALLS = '[call get_weather {"city": "Zürich"}] and [call add {"a": 1, "b": [2]}]'


def test_thinking_budget(client):
    def thoughts(**more):
        answer = client.chat.completions.create(model="m", messages=user("hi"), extra_body=more)
        return answer.usage.completion_tokens_details.reasoning_tokens
    assert thoughts(thinking_budget_tokens=5) == 5
    assert thoughts(thinking_budget_tokens=0) == 0
    assert thoughts(thinking_budget_tokens=100) > 5
    assert thoughts(reasoning_effort="none") == 0
    assert thoughts(chat_template_kwargs={"enable_thinking": False}, reasoning_effort="high") == 0


def test_tool_calls_whole(client):
    answer = client.chat.completions.create(model="m", messages=user(TWO_CALLS), tools=[WEATHER, ADD])
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls" and choice.message.content is None
    calls = choice.message.tool_calls
    assert [(c.type, c.function.name, json.loads(c.function.arguments)) for c in calls] == [
        ("function", "get_weather", {"city": "Zürich"}), ("function", "add", {"a": 1, "b": [2]})]
    assert len({c.id for c in calls}) == 2 and all(c.id for c in calls)
    # The whole exchange, as a program has it.
    messages = user(TWO_CALLS) + [choice.message.model_dump(exclude_none=True)]
    messages += [{"role": "tool", "tool_call_id": c.id, "content": f"result {i}"} for i, c in enumerate(calls)]
    answer = client.chat.completions.create(model="m", messages=messages, tools=[WEATHER, ADD])
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.content == "The tool says: result 1"


def test_tool_calls_streamed(client):
    chunks = list(client.chat.completions.create(model="m", messages=user("[think] " + TWO_CALLS), tools=[WEATHER, ADD],
                                                 stream=True))
    assert len({(c.id, c.created, c.model) for c in chunks}) == 1
    deltas = [d for c in chunks for d in c.choices[0].delta.tool_calls or []]
    assert all(d.index in (0, 1) for d in deltas)
    for index, name in ((0, "get_weather"), (1, "add")):
        mine = [d for d in deltas if d.index == index]
        assert [d.function.name for d in mine if d.function.name] == [name]
        assert len([d.id for d in mine if d.id]) == 1 and mine[0].id and mine[0].type == "function"
        assert isinstance(json.loads("".join(d.function.arguments or "" for d in mine)), dict)
    assert [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason] == ["tool_calls"]
    assert chunks[-1].choices[0].delta.tool_calls is None
    with client.chat.completions.stream(model="m", messages=user(TWO_CALLS), tools=[WEATHER, ADD]) as stream:
        for _ in stream:
            pass
        calls = stream.get_final_completion().choices[0].message.tool_calls
    assert [json.loads(c.function.arguments) for c in calls] == [{"city": "Zürich"}, {"a": 1, "b": [2]}]


def test_tool_choice(client):
    def ask(**more):
        return client.chat.completions.create(model="m", messages=user(TWO_CALLS), tools=[WEATHER, ADD], **more)
    assert len(ask(parallel_tool_calls=False).choices[0].message.tool_calls) == 1
    assert ask(tool_choice="none").choices[0].message.tool_calls is None
    hello = user("hello")
    answer = client.chat.completions.create(model="m", messages=hello, tools=[WEATHER], tool_choice="required")
    assert answer.choices[0].message.tool_calls[0].function.name == "get_weather"
    named = {"type": "function", "function": {"name": "add"}}
    answer = client.chat.completions.create(model="m", messages=hello, tools=[WEATHER, ADD], tool_choice=named)
    assert [c.function.name for c in answer.choices[0].message.tool_calls] == ["add"]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="m", messages=hello, tool_choice="required")
    assert caught.value.param == "tool_choice"


def test_calls_that_were_not_offered_are_text(client):
    answer = client.chat.completions.create(model="m", messages=user('[call rm {"x": 1}] [echo]'), tools=[ADD])
    assert answer.choices[0].message.tool_calls is None and answer.choices[0].finish_reason == "stop"


def test_plain_completions(client):
    assert client.completions.create(model="m", prompt="[echo] x").choices[0].text == "[echo] x"
    chunks = client.completions.create(model="m", prompt="[echo] x", stream=True)
    assert "".join(c.choices[0].text for c in chunks) == "[echo] x"


def test_errors_name_the_field(client):
    for field, value in (("temperature", "1"), ("max_tokens", -1), ("n", 2), ("stop", [1]), ("tools", "x")):
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="m", messages=user("x"), extra_body={field: value})
        assert caught.value.param == field
        assert caught.value.type == "invalid_request_error"
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="m", messages=user("x"), response_format={"type": "json_object"})
    assert caught.value.param == "response_format"
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="m", messages=user("w " * 9000))
    assert caught.value.code == "context_length_exceeded" and "8192" in caught.value.message


def test_numbers_never_cause_a_500(stub):
    for field in ALL_NUMBERS:
        for value in ("NaN", "Infinity", "-Infinity", "-1", "0", "1e308", "-1e308", "2147483648",
                      "9223372036854775808", '"1"', "null", "[]", "{}"):
            body = '{"messages":[{"role":"user","content":"[long 1]"}],"%s":%s}' % (field, value)
            status, _, text = stub.request("POST", "/v1/chat/completions", body=body.encode(),
                                           headers={"Content-Type": "application/json"})
            assert status in (200, 400), (field, value, status)
            if status == 400:
                assert json.loads(text)["error"]["message"]
            if value in ('"1"', "[]", "{}", "1e308", "-1e308"):
                assert status == 400 and json.loads(text)["error"]["param"] == field, (field, value)
            if value == "null":
                assert status == 200, field


def test_error_in_the_middle_of_a_stream(client):
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="m", messages=user("[error] x"), stream=True))
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="m", messages=user("[error] x"))


def test_overload_is_503_at_once(stub, client):
    body = json.dumps({"messages": user("[slow] [long 2000]"), "stream": True}).encode()
    waiting = [RawClient(stub) for _ in range(68)]
    try:
        for one in waiting:
            one.send(post(b"/v1/chat/completions", body))
        deadline = time.monotonic() + 10
        while json.loads(stub.get("/health")[2])["waiting"] < 64:
            assert time.monotonic() < deadline
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model="m", messages=user("x"))
        assert caught.value.status_code == 503 and caught.value.response.headers["retry-after"]
    finally:
        for one in waiting:
            one.socket.close()
    wait_idle(stub)


def wait_idle(server, seconds=5):
    deadline = time.monotonic() + seconds
    while True:
        health = json.loads(server.get("/health")[2])
        if health["running"] == 0 and health["waiting"] == 0:
            return
        assert time.monotonic() < deadline, health


def test_clients_that_go_away_free_their_place(stub, client):
    stream = client.chat.completions.create(model="m", messages=user("[slow] [long 2000]"), stream=True)
    next(iter(stream))
    stream.close()
    wait_idle(stub)
    body = json.dumps({"messages": user("[slow] [long 2000]")}).encode()
    with RawClient(stub) as gone:
        gone.send(post(b"/v1/chat/completions", body))
        time.sleep(0.2)
    wait_idle(stub)


def test_older_endpoints(stub):
    status, _, body = stub.post_json("/api/chat", {"message": "[echo] hello"})
    assert status == 200
    said = json.loads(body)
    assert said["response"] == "[echo] hello" and said["state"] == "complete"
    context = json.loads(stub.get("/api/context?conversation=" + said["conversation"])[2])
    assert [m["role"] for m in context["messages"]] == ["user", "assistant"]
    for path in ("/api/model-info", "/api/status", "/api/export-chat", "/api/export-chat?format=markdown"):
        assert stub.get(path)[0] == 200, path
    assert json.loads(stub.post_json("/api/toggle-thinking", {"enabled": True})[2])["thinking"] is True
    assert json.loads(stub.post_json("/api/set-temperature", {"temperature": 0.5})[2])["temperature"] == 0.5
    assert json.loads(stub.post_json("/api/reset-context", {})[2])["messages"] == []


def test_real_model_answers_and_streams_the_same(real_server):
    client = client_of(real_server)
    question = user("What is the capital of France?")
    whole = client.chat.completions.create(model="m", messages=question, temperature=0, max_tokens=40, seed=1)
    assert "Paris" in whole.choices[0].message.content
    chunks = list(client.chat.completions.create(model="m", messages=question, temperature=0, max_tokens=40, seed=1,
                                                 stream=True, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole.choices[0].message.content
    assert chunks[-1].usage.prompt_tokens == whole.usage.prompt_tokens > 0
    cut = client.chat.completions.create(model="m", messages=question, temperature=0, max_tokens=3)
    assert cut.choices[0].finish_reason == "length" and cut.usage.completion_tokens == 3
    stopped = client.chat.completions.create(model="m", messages=question, temperature=0, max_tokens=40, stop="Paris")
    assert stopped.choices[0].finish_reason == "stop" and "Paris" not in stopped.choices[0].message.content


def test_real_model_is_made_to_call(real_server):
    """A model that was never told of tools: what it is made to say is a call all the same, or no call at all."""
    client = client_of(real_server)
    for choice in ("auto", "required", {"type": "function", "function": {"name": "get_weather"}}):
        chunks = list(client.chat.completions.create(
            model="m", messages=user("What is the weather in Paris?"), tools=[WEATHER, ADD], tool_choice=choice,
            max_tokens=96, temperature=0, stream=True))
        calls = [d for c in chunks for d in c.choices[0].delta.tool_calls or []]
        text = "".join(c.choices[0].delta.content or "" for c in chunks)
        if choice != "auto":
            assert calls and "<tool_call>" not in text, (choice, text)
            assert json.loads("".join(d.function.arguments or "" for d in calls if d.index == 0)).keys() <= {"city", "a", "b"}
            assert chunks[-1].choices[0].finish_reason in ("tool_calls", "length")


def test_real_model_logprobs(real_server):
    answer = client_of(real_server).chat.completions.create(
        model="m", messages=user("Say yes."), temperature=0, max_tokens=5, logprobs=True, top_logprobs=3)
    tokens = answer.choices[0].logprobs.content
    assert len(tokens) == answer.usage.completion_tokens or answer.choices[0].finish_reason == "stop"
    for token in tokens:
        assert token.logprob <= 0 and len(token.top_logprobs) == 3
        assert token.logprob == max(t.logprob for t in token.top_logprobs)


def test_livez_answers_while_the_model_works(real_server):
    client = client_of(real_server)
    stream = client.completions.create(model="m", prompt="1, 2, 3,", max_tokens=4000, temperature=1, seed=1, stream=True,
                                       logit_bias={"0": -100, "2": -100})  # it can't end by itself
    next(iter(stream))
    for _ in range(20):
        assert real_server.get("/livez")[0] == 200
    assert json.loads(real_server.get("/health")[2])["running"] == 1
    stream.close()
    wait_idle(real_server)
