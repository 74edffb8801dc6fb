"""Several models in one server: loaded when asked for, unloaded when unused or when room is short; memory comes back."""
import json
import shutil
import threading
import time
from urllib.parse import urlencode

import pytest

from notso_process import MODEL_NAME, ROOT, model_path

STEM = MODEL_NAME.removesuffix(".gguf")
TOLERANCE = 0.05


@pytest.fixture
def folder(tmp_path):
    """A models folder with the real model (a link) and two tiny ones; the tiny llama is the default."""
    models = tmp_path / "models"
    models.mkdir()
    (models / MODEL_NAME).symlink_to(model_path())
    shutil.copy(ROOT / "tests/golden/models/tiny_llama.gguf", models / "model.gguf")
    shutil.copy(ROOT / "tests/golden/models/tiny_qwen2.gguf", models)
    return models


def complete(server, model, prompt="The capital of France is", n=4):
    status, _, body = server.post_json("/v1/completions", {"model": model, "prompt": prompt, "max_tokens": n,
                                                           "temperature": 0}, timeout=60)
    return status, json.loads(body)


def states(server):
    return {model["id"]: model["meta"]["state"] for model in json.loads(server.get("/v1/models")[2])["data"]}


def wait_for(condition, timeout=30):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def rss(server):
    for line in open(f"/proc/{server.process.pid}/status", encoding="ascii"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def test_lists_loads_on_demand_and_refuses_strangers(start_server, folder):
    server = start_server("--models-dir", folder).wait_ready()
    assert list(states(server))[0] == "model", "the default first"
    assert states(server) == {"model": "ready", STEM: "on_disk", "tiny_qwen2": "on_disk"}
    status, answer = complete(server, STEM)
    assert status == 200 and answer["model"] == STEM and "Paris" in answer["choices"][0]["text"]
    assert states(server) == {"model": "ready", STEM: "ready", "tiny_qwen2": "on_disk"}
    status, error = complete(server, "nobody")
    assert status == 404 and error["error"]["code"] == "model_not_found" and error["error"]["param"] == "model"
    assert STEM in error["error"]["message"]
    assert json.loads(server.get(f"/v1/models/{STEM}")[2])["meta"]["memory"] > 90_000_000
    assert complete(server, "model")[1]["model"] == "model"


def test_a_running_answer_keeps_its_model_while_another_waits(start_server, folder):
    server = start_server("--models-dir", folder, "--max-models", "1").wait_ready()
    assert complete(server, STEM)[0] == 200
    answers = {}

    def ask(key, model, n):
        answers[key] = complete(server, model, n=n)

    long = threading.Thread(target=ask, args=("long", STEM, 120))
    long.start()
    wait_for(lambda: json.loads(server.get("/health")[2])["running"] == 1)
    other = threading.Thread(target=ask, args=("other", "tiny_qwen2", 2))
    other.start()
    wait_for(lambda: json.loads(server.get("/health")[2])["waiting"] == 1 or "other" in answers)
    long.join(60)
    other.join(60)
    assert answers["long"][0] == 200
    usage = answers["long"][1]["usage"]
    assert usage["completion_tokens"] == 120 or answers["long"][1]["choices"][0]["finish_reason"] == "stop"
    assert answers["other"][0] == 200 and answers["other"][1]["model"] == "tiny_qwen2"
    assert states(server)[STEM] == "on_disk", "room is for one"


def test_idle_models_go_and_their_memory_comes_back(start_server, folder):
    server = start_server("--models-dir", folder, "--idle-unload", "0.01").wait_ready()
    wait_for(lambda: "ready" not in states(server).values())

    def cycle():
        assert complete(server, STEM)[0] == 200
        peak = rss(server)
        wait_for(lambda: "ready" not in states(server).values())
        return peak

    cycle()  # maps the code that loads and answers
    time.sleep(0.5)  # the list says "on disk" before the last page is given back
    base = rss(server)
    peaks = [cycle() for _ in range(4)]
    assert min(peaks) > base + 80_000_000, "the test sees memory at all"
    wait_for(lambda: rss(server) <= base * (1 + TOLERANCE))
    assert server.get("/readyz")[0] == 200, "who writes is answered"


def test_a_memory_limit_is_kept(start_server, folder):
    server = start_server("--models-dir", folder, "--memory-limit", "60").wait_ready()
    assert complete(server, "tiny_qwen2")[0] == 200
    assert states(server)["model"] == states(server)["tiny_qwen2"] == "ready"
    assert complete(server, STEM)[0] == 200
    assert states(server) == {"model": "on_disk", STEM: "ready", "tiny_qwen2": "on_disk"}


def test_a_new_file_is_found_and_a_part_is_not(start_server, folder):
    server = start_server("--models-dir", folder).wait_ready()
    shutil.copy(ROOT / "tests/golden/models/tiny_odd.gguf", folder / "half.gguf.part")
    shutil.copy(ROOT / "tests/golden/models/tiny_odd.gguf", folder / "new.gguf.tmp")
    (folder / "new.gguf.tmp").rename(folder / "new.gguf")
    wait_for(lambda: complete(server, "new", n=1)[0] == 200)
    assert "half" not in states(server) and complete(server, "half")[0] == 404


def post_form(server, path, /, **fields):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return server.request("POST", path, body=urlencode(fields).encode(), headers=headers, timeout=60)


def test_a_chat_of_the_page_keeps_its_model(start_server, folder):
    server = start_server("--models-dir", folder).wait_ready()
    assert STEM in server.get("/")[2].decode()
    status, headers, _ = post_form(server, "/chat", message="What is the capital of France?", model=STEM)
    assert status == 303
    chat = headers["location"].split("?")[0]
    wait_for(lambda: 'aria-busy="true"' not in server.get(chat)[2].decode())
    page = server.get(chat)[2].decode()
    assert "Paris" in page and f'value="{STEM}" selected' in page
    assert states(server)[STEM] == "ready"
    assert post_form(server, chat + "/model", model="nobody")[0] == 404
    assert post_form(server, chat + "/model", model="tiny_qwen2")[0] == 303
    assert post_form(server, chat + "/messages", message="hi", client_id="1")[0] == 303
    wait_for(lambda: 'aria-busy="true"' not in server.get(chat)[2].decode())
    assert states(server)["tiny_qwen2"] == "ready"
    (folder / "tiny_qwen2.gguf").unlink()
    assert server.stop() == 0
    again = start_server("--models-dir", folder, data_dir=server.data_dir).wait_ready()
    assert "The model tiny_qwen2 is not installed any more" in again.get(chat)[2].decode()
    assert post_form(again, chat + "/messages", message="hi", client_id="2")[0] == 303
    wait_for(lambda: "there is no model" in again.get(chat)[2].decode().lower())


def test_a_model_is_fetched_from_the_page(start_server, hub, tmp_path):
    good = hub(data=(ROOT / "tests/golden/models/tiny_llama.gguf").read_bytes())
    server = start_server("--models-dir", tmp_path / "empty", "--hub", good.url, env={"no_proxy": "127.0.0.1"})
    assert server.get("/readyz")[0] == 503, "no model yet"
    assert "No model is installed yet" in server.get("/models")[2].decode()
    assert post_form(server, "/models/pull", path="owner/repo/tiny.gguf")[0] == 303
    wait_for(lambda: server.get("/readyz")[0] == 200)
    assert "tiny.gguf is installed" in server.get("/models")[2].decode()
    assert complete(server, "tiny")[0] == 200


def test_a_broken_file_says_so_and_harms_nobody(start_server, folder):
    (folder / "broken.gguf").write_bytes(b"GGUF" + bytes(100))
    server = start_server("--models-dir", folder).wait_ready()
    status, error = complete(server, "broken")
    assert status == 503 and "broken.gguf" in error["error"]["message"], error
    wait_for(lambda: states(server)["broken"] == "failed")
    assert complete(server, "model", n=1)[0] == 200
