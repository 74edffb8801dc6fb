"""What somebody types is read ahead by the real model: the message that it becomes finds the draft in the cache."""
import time
import urllib.parse

from test_background import metric, send, settled, background, FORM

DRAFT = ("My grandmother kept nineteen hens, two stubborn goats and one very old donkey on a hill near the sea, and every "
         "morning before sunrise she walked down to the harbour with a basket of eggs, sold them to the fishermen, bought "
         "bread and salt, and walked back up before the sun stood over the lighthouse. Now tell me in one sentence")


def post_draft(server, chat, text):
    body = urllib.parse.urlencode({"message": text})
    return server.request("POST", f"{chat}/draft", body=body, headers=FORM)[0]


def wait_read(server, before):
    """Until a draft was read that was sent when so many background tokens were counted."""
    deadline = time.monotonic() + 60
    while background(server, "prompt") == before or metric(server, "notso_requests_running") > 0:
        assert time.monotonic() < deadline, "the draft is not read"
        time.sleep(0.05)


def uncached(server, chat, text):
    """Tokens of the prompt that had to be read when the message was sent, and all of them."""
    count = lambda kind: metric(server, f'notso_{kind}_tokens_total{{priority="interactive"}}')
    before = {kind: count(kind) for kind in ("prompt", "cached")}
    send(server, f"{chat}/messages", text)
    prompt, cached = (count(kind) - before[kind] for kind in ("prompt", "cached"))
    return prompt - cached, prompt


def test_the_message_finds_its_draft_read(real_server):
    message = DRAFT + " what she carried down."
    chats = [send(real_server, "/chat", question) for question in ("Name three colours.", "Name four cities.")]
    for chat in chats:
        settled(real_server, chat)
    plain, _ = uncached(real_server, chats[0], message)
    settled(real_server, chats[0])
    assert plain > 60, "without a draft the whole message is read"
    before = background(real_server, "prompt")
    assert post_draft(real_server, chats[1], DRAFT) == 204
    wait_read(real_server, before)
    drafted, prompt = uncached(real_server, chats[1], message)
    assert drafted <= 16, f"{drafted} of {prompt} tokens were read: more than the end that was no draft"
    settled(real_server, chats[1])


def test_a_draft_is_neither_stored_nor_logged(start_server, model):
    server = start_server("-m", model, env={"NOTSO_LOG": "debug"}).wait_ready()
    chat = send(server, "/chat", "Name three colours.")
    settled(server, chat)
    before = background(server, "prompt")
    assert post_draft(server, chat, DRAFT) == 204
    wait_read(server, before)
    assert b"grandmother" not in server.get(chat)[2]
    server.stop()
    assert "grandmother" not in server.log_text()
    for path in server.data_dir.rglob("*"):
        assert not path.is_file() or b"grandmother" not in path.read_bytes(), path


def test_nothing_is_read_when_it_is_off(start_server, model):
    server = start_server("-m", model, "--background", "off").wait_ready()
    chat = send(server, "/chat", "Name three colours.")
    assert b"data-drafts" not in server.get(chat)[2]
    assert post_draft(server, chat, DRAFT) == 204
    time.sleep(0.5)
    assert background(server, "prompt") == 0


def test_drafts_are_checked(stub_server):
    chat = send(stub_server, "/chat", "hello")
    assert post_draft(stub_server, chat, "x" * (256 * 1024 + 1)) == 413
    assert post_draft(stub_server, "/chat/" + "0" * 32, DRAFT) == 404
    foreign = {**FORM, "Origin": "http://elsewhere.example"}
    assert stub_server.request("POST", f"{chat}/draft", body="message=x", headers=foreign)[0] == 403
