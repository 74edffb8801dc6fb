"""Many clients of one server with the real model: the same texts as alone, nothing read twice, nobody stopped by others."""
import json
import random
import time

import pytest

from notso_process import Server
from streams import Answer, together, words


@pytest.fixture(scope="module")
def server(tmp_path_factory, model):
    server = Server(tmp_path_factory.mktemp("many") / "data", ("-m", str(model), "--ctx", "4096"))
    yield server.wait_ready()
    assert server.stop() == 0


def health(server):
    return json.loads(server.get("/health")[2])


def wait_free(server, seconds=20):
    """Until no request runs or waits."""
    deadline = time.monotonic() + seconds
    while (now := health(server))["running"] + now["waiting"] > 0:
        assert time.monotonic() < deadline, now
        time.sleep(0.01)


def test_eight_at_once_get_what_each_gets_alone(server):
    bodies = [{"prompt": f"{words(20 + 9 * i, f'together {i}')}. And so", "max_tokens": 40,
               "temperature": 0.8 * (i % 2), "seed": i} for i in range(8)]
    alone = [together(server, [body])[0] for body in bodies]
    many = together(server, bodies)
    for one, other in zip(alone, many):
        assert other.error is None and other.text == one.text and other.tokens == one.tokens
    assert len({answer.text for answer in alone}) == 8


def test_guesses_change_no_answer(tmp_path, model, server):
    text = "The keeper climbed the spiral stairs to light the lamp. " * 4
    bodies = [{"prompt": f"Repeat this text: {text}\n\nThe keeper", "max_tokens": 60, "temperature": t, "seed": 3}
              for t in (0, 0.7)]
    guessed = [together(server, [body])[0] for body in bodies]
    plain = Server(tmp_path / "plain", ("-m", str(model), "--draft", "0")).wait_ready()
    for body, answer in zip(bodies, guessed):
        other = together(plain, [body])[0]
        assert other.text == answer.text
        assert answer.usage["completion_tokens_details"]["accepted_prediction_tokens"] > 0
        assert other.usage["completion_tokens_details"]["accepted_prediction_tokens"] == 0
    assert plain.stop() == 0


def test_the_second_turn_reads_only_what_is_new(server):
    messages = [{"role": "user", "content": words(600, "turns") + ". Tell a story about these."}]
    path = "/v1/chat/completions"
    first = Answer(server, {"messages": messages, "max_tokens": 30}, path=path).start().join()
    messages += [{"role": "assistant", "content": first.text}, {"role": "user", "content": "Go on."}]
    second = Answer(server, {"messages": messages, "max_tokens": 4}, path=path).start().join()
    assert second.cached >= first.usage["prompt_tokens"] + first.tokens - 2
    assert second.usage["prompt_tokens"] - second.cached < 30


def test_both_modes_of_a_conversation_stay_known(server):
    read = []
    for turn in range(4):
        messages = [{"role": "system", "content": f"Mode {turn % 2}."}, {"role": "user", "content": words(300, "modes")}]
        answer = Answer(server, {"messages": messages, "max_tokens": 2}, path="/v1/chat/completions").start().join()
        read.append(answer.usage["prompt_tokens"] - answer.cached)
    assert min(read[:2]) > 250 and read[2:] == [1, 1]


def test_answers_go_on_beside_a_long_prompt(server):
    stream = Answer(server, {"prompt": "Once upon a time", "max_tokens": 3000}).start()
    while len(stream.times) < 3:
        time.sleep(0.01)
    before = time.monotonic()
    long = Answer(server, {"prompt": words(2500, "long"), "max_tokens": 1}).start().join()
    assert long.usage["prompt_tokens"] > 2000
    while_it_was_read = [t for t in stream.times if before < t < long.ended]
    stream.cut()
    assert len(while_it_was_read) >= 4


def test_clients_that_go_away_leave_nothing_behind(server):
    rng = random.Random(1)
    for number in range(40):
        answers = [Answer(server, {"prompt": words(rng.choice((5, 800)), f"away {number} {i}"), "max_tokens": 1000}).start()
                   for i in range(rng.choice((1, 3, 20)))]
        while any(answer.connection is None or answer.connection.sock is None for answer in answers):
            time.sleep(0.001)
        time.sleep(rng.random() * 0.1)
        for answer in answers:
            answer.cut()
        wait_free(server)
    assert together(server, [{"prompt": "Hello", "max_tokens": 2}])[0].tokens == 2


def test_a_full_queue_says_when_to_come_again(server):
    many = [Answer(server, {"prompt": words(10, f"queue {i}"), "max_tokens": 500}).start() for i in range(120)]
    while sum(answer.status != 0 for answer in many if answer.ended) < 30:
        time.sleep(0.01)
    status, headers, body = server.post_json("/v1/completions", {"prompt": "late", "max_tokens": 1})
    refused = [answer for answer in many if answer.status == 503]
    for answer in many:
        answer.cut()
    assert refused
    assert status == 503 and int(headers["retry-after"]) > 0, body
    assert json.loads(body)["error"]["message"]
    wait_free(server)


def test_memory_for_few_is_shared_by_many(tmp_path, model):
    """Eight answers that need three times the memory there is: they wait for each other, and say the same."""
    small = Server(tmp_path / "small", ("-m", str(model), "--ctx", "512", "--kv-memory", "24")).wait_ready()
    bodies = [{"prompt": words(60, f"small {i}"), "max_tokens": 300} for i in range(8)]
    alone = [together(small, [body])[0].text for body in bodies]
    many = together(small, bodies)
    assert [answer.text for answer in many] == alone
    assert small.stop() == 0
