"""An answer of the page that a stop or a crash cut off: after the restart it is there as far as it was shown, marked where
that is wanted. How it goes on otherwise: test_continue.py."""
import re
import signal
import time
import urllib.parse

import pytest

STUB = ("--backend", "stub", "--unfinished", "mark")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
QUESTION = "keep me: [long 5000]"


def send_message(server, text):
    """Sends the first message as a browser without script does: path of the new conversation."""
    status, headers, body = server.request("POST", "/chat", urllib.parse.urlencode({"message": text}), FORM)
    assert status == 303, body
    return headers["location"].split("?")[0]


def page_of(server, path):
    status, _, body = server.get(path)
    assert status == 200
    return body.decode()


def shown_words(page):
    """The scripted answer counts: word1 word2 …"""
    return re.findall(r"\bword\d+\b", page)


@pytest.mark.parametrize("end", ["kill", "two signals"])
def test_a_cut_answer_is_there_after_the_restart(start_server, tmp_path, end):
    server = start_server(*STUB, data_dir=tmp_path / "shared").wait_ready()
    path = send_message(server, QUESTION)
    deadline = time.monotonic() + 30
    while len(shown := shown_words(page_of(server, path))) < 40:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if end == "kill":
        server.process.kill()
        server.process.wait(10)
    else:
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        server.stop()
    page = page_of(start_server(*STUB, data_dir=tmp_path / "shared").wait_ready(), path)
    after = shown_words(page)
    assert after[:len(shown)] == shown and after == [f"word{i}" for i in range(1, len(after) + 1)]
    assert page.count(f">{QUESTION}</div>") == 1
    assert "interrupted" in page
