"""The main job on real weights: an answer that makes sense, and what signals do while the model works."""
import json
import signal
import subprocess
import sys
import threading
import time

import pytest

from notso_process import BINARY, clean_environment, run_notso
from terminal import Terminal

QUESTION = "What is the capital of France?"


def test_run_says_paris(model):
    done = run_notso("run", "-m", model, "-p", QUESTION, "--temp", 0, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Paris" in done.stdout.decode()


def test_run_json_agrees_with_itself(model):
    answer = json.loads(run_notso("run", "-m", model, "-p", QUESTION, "--temp", 0, "-n", 40, "--json").stdout)
    assert "Paris" in answer["text"] and answer["finish_reason"] == "stop"
    assert answer["usage"]["completion_tokens"] >= len(answer["tokens"]) > 0
    ids = json.dumps(answer["tokens"]).encode() + b"\n"
    assert json.loads(run_notso("detokenize", "-m", model, stdin=ids).stdout) == answer["text"]
    print(f"decode: {answer['timings']['tokens_per_second']:.0f} tokens/s", file=sys.stderr)


def test_length_is_reported_and_seeds_repeat(model):
    answers = [json.loads(run_notso("run", "-m", model, "-p", "Tell me a story.", "--temp", 1, "--seed", seed, "-n", 12,
                                    "--json").stdout) for seed in (7, 7, 8)]
    assert answers[0]["finish_reason"] == "length" and len(answers[0]["tokens"]) == 12
    assert answers[0]["tokens"] == answers[1]["tokens"] != answers[2]["tokens"]


def test_raw_continues_the_text(model):
    done = run_notso("run", "-m", model, "--raw", "-p", "The capital of France is", "--temp", 0, "-n", 8)
    assert "Paris" in done.stdout.decode()


def test_ctrl_c_in_run_keeps_the_partial_text(model):
    command = [str(BINARY), "run", "-m", str(model), "-p", "Tell me a very long story about the sea.", "--temp", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()) as process:
        head = process.stdout.read(10)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=10)
    assert process.returncode == 130 and len(head + rest) >= 10 and errors == b""


def test_ctrl_c_while_the_prompt_is_read(model, tmp_path):
    (tmp_path / "long.txt").write_text("All work and no play makes Jack a dull boy. " * 600)
    command = [str(BINARY), "run", "-m", str(model), "-f", str(tmp_path / "long.txt"), "--temp", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()) as process:
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    assert process.returncode == 130


def test_chat_remembers_and_ctrl_c_stops(model):
    chat = Terminal([str(BINARY), "chat", "-m", str(model)], clean_environment(TERM="xterm"))
    try:
        chat.read_until("> ", timeout=60)
        chat.type("/temp 0\r")  # Greedily the story goes on until the context is full.
        chat.read_until("> ")
        chat.type("Tell me a very long story about the sea.\r")
        chat.read_until("sea.\r\n")
        chat.read_until("the", timeout=60)
        chat.ctrl_c()
        chat.read_until("(stopped)", timeout=60)
        chat.read_until("> ")
        chat.type(QUESTION + "\r")
        chat.read_until(QUESTION)
        chat.read_until("Paris", timeout=60)
    finally:
        chat.close()


def stream_lines(server, body, lines, done):
    """Reads a /v1 stream into `lines` until it ends."""
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps({**body, "stream": True}),
                           {"Content-Type": "application/json"})
        for line in connection.getresponse():
            lines.append(line)
    except (OSError, http.client.HTTPException):
        pass
    finally:
        done.set()


def test_livez_answers_while_the_model_works(real_server):
    lines, done = [], threading.Event()
    body = {"messages": [{"role": "user", "content": "Tell me a story. " * 200}], "max_tokens": 100}
    threading.Thread(target=stream_lines, args=(real_server, body, lines, done), daemon=True).start()
    times = []
    while not done.is_set() and len(times) < 500:
        begin = time.monotonic()
        assert real_server.get("/livez")[0] == 200
        times.append((time.monotonic() - begin) * 1000)
        time.sleep(0.01)
    assert len(times) > 5
    print(f"/livez: median {sorted(times)[len(times) // 2]:.1f} ms, largest {max(times):.1f} ms", file=sys.stderr)


@pytest.mark.parametrize("hurry", [False, True])
def test_sigterm_while_generating(start_server, model, hurry):
    server = start_server("-m", str(model)).wait_ready()
    lines, done = [], threading.Event()
    body = {"messages": [{"role": "user", "content": "Count from one to five hundred."}], "max_tokens": 3000}
    threading.Thread(target=stream_lines, args=(server, body, lines, done), daemon=True).start()
    while not any(b'"content"' in line for line in lines):
        assert not done.is_set(), lines[-3:]
        time.sleep(0.01)
    begin = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    with pytest.raises(OSError):
        for _ in range(100):  # The listener closes at once.
            server.get("/livez", timeout=2)
            time.sleep(0.02)
    if hurry:
        server.process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
    server.process.wait(35)
    assert time.monotonic() - begin < (10 if hurry else 35)
    if not hurry:
        assert server.process.returncode == 0


def test_sigterm_while_loading(start_server, model):
    server = start_server("-m", str(model))
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 20
