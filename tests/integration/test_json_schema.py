"""Answers of the real model in the form that was asked for: random JSON schemas, judged by Python's jsonschema.

NOTSO_SCHEMAS says how many (50); all are asked at temperature 1.5 with max_tokens 256, the worst that a client does.
"""
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import openai
import pytest

from random_schema import SchemaMaker

COUNT = int(os.environ.get("NOTSO_SCHEMAS", "50"))
SEED = int(os.environ.get("NOTSO_SCHEMA_SEED", "1"))
AT_ONCE = 8
QUESTIONS = ("Describe a person.", "Give me an example.", "What is the weather in Paris?", "Invent a product.",
             "Tell me a long story about the sea.")


@pytest.fixture
def client(real_server):
    return openai.OpenAI(base_url=f"http://127.0.0.1:{real_server.port}/v1", api_key="none", max_retries=8)


def ask(client, form, number=0, **more):
    return client.chat.completions.create(
        model="", messages=[{"role": "user", "content": QUESTIONS[number % len(QUESTIONS)]}], response_format=form,
        **{"temperature": 1.5, "top_p": 1, "seed": number, "max_tokens": 256, **more}).choices[0]


def schema_form(schema):
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


def no_doubles(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


def judged(client, number):
    """The finish reason, or what is wrong."""
    schema = SchemaMaker(SEED * 1_000_000 + number).make()
    choice = ask(client, schema_form(schema), number)
    if choice.finish_reason != "stop":
        return choice.finish_reason
    try:
        # Members that the schema names come once; others may be repeated.
        value = json.loads(choice.message.content, object_pairs_hook=None if has_free_names(schema) else no_doubles)
        jsonschema.validate(value, schema, cls=jsonschema.Draft202012Validator,
                            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    except Exception as failure:  # pylint: disable=broad-except
        return f"schema {number}: {json.dumps(schema)}\nanswer: {choice.message.content!r}\n{str(failure)[:300]}"
    return "stop"


def has_free_names(schema):
    """Whether some object in it may have members of any name."""
    return "additionalProperties\": false" not in json.dumps(schema) or "additionalProperties\": {" in json.dumps(schema)


def test_random_schemas(client):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda number: judged(client, number), range(COUNT)))
    wrong = [outcome for outcome in outcomes if outcome not in ("stop", "length")]
    assert not wrong, f"{len(wrong)} of {COUNT}\n" + "\n\n".join(wrong[:5])
    ended = outcomes.count("stop")
    print(f"{ended} of {COUNT} schemas ended with stop, all valid", file=sys.stderr)
    assert ended >= 0.95 * COUNT


def test_any_object(client):
    for number in range(5):
        choice = ask(client, {"type": "json_object"}, number)
        assert choice.finish_reason == "stop"
        assert isinstance(json.loads(choice.message.content), dict)


def test_grammars(client):
    for number in range(5):
        choice = ask(client, openai.NOT_GIVEN, number, extra_body={"grammar": 'root ::= ("yes" | "no") " [" [0-9]{3,5} "]"'})
        assert choice.finish_reason == "stop"
        assert re.fullmatch(r"(yes|no) \[[0-9]{3,5}\]", choice.message.content)
    done = client.completions.create(model="", prompt="The answer is", max_tokens=20, temperature=1.5,
                                     extra_body={"grammar": 'root ::= " " ("left" | "right")'})
    assert done.choices[0].finish_reason == "stop" and done.choices[0].text in (" left", " right")


def test_streams_give_the_same(client):
    schema = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 30}, "n": {"type": "integer"}},
              "required": ["city", "n"], "additionalProperties": False}
    whole = ask(client, schema_form(schema), 3).message.content
    stream = client.chat.completions.create(
        model="", messages=[{"role": "user", "content": QUESTIONS[3]}], response_format=schema_form(schema),
        temperature=1.5, top_p=1, seed=3, max_tokens=256, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == whole
    jsonschema.validate(json.loads(whole), schema)


def test_refusals_name_the_field(client):
    cases = (({"response_format": schema_form({"not": {}})}, "response_format.json_schema.schema", "not is not supported"),
             ({"response_format": schema_form({"$ref": "#/x"})}, "response_format.json_schema.schema", "leads nowhere"),
             ({"grammar": "root ::= ("}, "grammar", "line 1, column 11"),
             ({"grammar": "root ::= " + "(" * 60_000}, "grammar", "64 groups"),
             ({"grammar": 'root ::= root "a"'}, "grammar", "left-recursive"),
             ({"grammar": "root ::= *"}, "grammar", "nothing before"))
    for fields, param, said in cases:
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="", messages=[{"role": "user", "content": "x"}], extra_body=fields)
        assert caught.value.param == param
        assert said in caught.value.message


def test_a_loop_of_loops_is_followed(client):
    choice = ask(client, openai.NOT_GIVEN, 1, max_tokens=20, extra_body={"grammar": 'root ::= ("a"*)*'})
    assert set(choice.message.content) <= {"a"}
