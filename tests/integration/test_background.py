"""What follows an answer of the real model, what /metrics says about it, and that it can be switched off."""
import re
import time
import urllib.parse

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def metric(server, name):
    """Value of one line of /metrics."""
    text = server.get("/metrics")[2].decode()
    found = re.search("^" + re.escape(name) + " (.*)$", text, re.MULTILINE)
    assert found, f"no {name} in {text}"
    return float(found[1])


def background(server, kind):
    return metric(server, f'notso_{kind}_tokens_total{{priority="background"}}')


def send(server, path, message):
    """Sends a message as a browser without script does; the conversation's address, once it is answered."""
    status, headers, body = server.request("POST", path, body="message=" + urllib.parse.quote(message), headers=FORM)
    assert status == 303, body
    chat = headers["location"].split("?")[0]
    deadline = time.monotonic() + 60
    while b"stop-button" in server.get(chat)[2]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return chat


def settled(server, chat):
    status, _, body = server.get(f"{chat}/after", timeout=20)
    assert status == 200
    return body.decode()


def test_titles_and_questions_are_forks_of_the_conversation(real_server):
    before = {kind: background(real_server, kind) for kind in ("prompt", "cached")}
    chat = send(real_server, "/chat", "What is the capital of France?")
    news = settled(real_server, chat)
    title = re.search(r'hx-target="#title" hx-swap="innerHTML">(.+?)</hx-partial>', news)[1]
    assert 3 <= len(title) <= 80 and "<" not in title
    assert news.count("<li>") <= 3
    prompt, cached = (background(real_server, kind) - before[kind] for kind in ("prompt", "cached"))
    # Three requests: reading ahead, the title, the questions. Each instruction has about 25 tokens; the rest is there.
    assert prompt > 150 and cached >= prompt - 120, (prompt, cached)


def test_the_next_message_finds_the_conversation_read(real_server):
    chat = send(real_server, "/chat", "Name three colours.")
    settled(real_server, chat)
    before = {kind: metric(real_server, f'notso_{kind}_tokens_total{{priority="interactive"}}')
              for kind in ("prompt", "cached")}
    send(real_server, f"{chat}/messages", "Which of them is warm?")
    prompt, cached = (metric(real_server, f'notso_{kind}_tokens_total{{priority="interactive"}}') - before[kind]
                      for kind in ("prompt", "cached"))
    assert prompt - cached <= 20, "only the new message is read"


def test_nothing_follows_when_it_is_off(start_server, model):
    server = start_server("-m", model, "--background", "off").wait_ready()
    chat = send(server, "/chat", "What is the capital of France?")
    assert "<li>" not in settled(server, chat)
    assert background(server, "prompt") == 0
    assert "background=off" in server.log_text()


def test_the_stub_does_nothing_unless_asked(stub_server, start_server):
    chat = send(stub_server, "/chat", "hello")
    settled(stub_server, chat)
    assert background(stub_server, "prompt") == 0
    asked = start_server("--backend", "stub", "--background", "on").wait_ready()
    settled(asked, send(asked, "/chat", "hello"))
    assert background(asked, "prompt") > 0


def test_metrics_answer_while_a_long_prompt_is_read(real_server):
    long_text = "All work and no play makes Jack a dull boy. " * 500
    chat = send(real_server, "/chat", "hi")
    status, _, _ = real_server.request("POST", f"{chat}/messages", body="message=" + urllib.parse.quote(long_text),
                                       headers=FORM)
    assert status == 303
    deadline = time.monotonic() + 10
    while metric(real_server, "notso_requests_running") == 0:
        assert time.monotonic() < deadline
    assert "Jack" not in real_server.get("/metrics")[2].decode()
    real_server.request("POST", f"{chat}/stop", body="", headers=FORM)
