"""Calls of tools in a chat of the real program: nobody watches, the server is stopped or killed while a call asks."""
import html
import re
import signal
import time
import urllib.parse

import pytest

STUB = ("--backend", "stub", "--tools", "calculator,notes,web_fetch")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def post(server, path, **fields):
    return server.request("POST", path, urllib.parse.urlencode(fields), FORM)


def begin(server, text):
    """Sends a message and goes away, as a browser without script that is closed."""
    status, headers, body = post(server, "/chat", message=text)
    assert status == 303, body
    return headers["location"].split("?")[0]


def page_with(server, path, text, seconds=30):
    """The page once it has `text`."""
    deadline = time.monotonic() + seconds
    while True:
        status, _, body = server.get(path)
        assert status == 200
        if text in (page := html.unescape(body.decode())):
            return page
        assert time.monotonic() < deadline, page
        time.sleep(0.05)


def test_nobody_watches(start_server):
    server = start_server(*STUB).wait_ready()
    path = begin(server, '[call calculator {"expression":"2^100"}] [call notes {"action":"add","text":"milk"}]')
    page = page_with(server, path, "The tool says")
    assert "1267650600228229401496703205376" in page and "milk" in page
    assert len(re.findall(r'<details class="aside tool"', page)) == 2


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_question_survives_the_end_of_the_server(start_server, tmp_path, end):
    server = start_server(*STUB, data_dir=tmp_path / "shared").wait_ready()
    path = begin(server, '[call web_fetch {"url":"http://127.0.0.1:9/"}]')
    page_with(server, path, "Wants to use web fetch")
    server.process.send_signal(signal.SIGKILL if end == "kill" else signal.SIGTERM)
    server.process.wait(20)  # nobody is waited for: a decision may never come
    server = start_server(*STUB, data_dir=tmp_path / "shared").wait_ready()
    page_with(server, path, "Wants to use web fetch")
    status, _, _ = post(server, path + "/tool", use="call-1", decision="allow")
    assert status == 303
    page = page_with(server, path, "The tool says")
    assert "web fetch: no result" in page, "a private address is refused by the tool itself"
    assert post(server, path + "/tool", use="call-1", decision="allow")[0] == 404
    assert page.count('class="user"') == 1


def test_always_is_remembered(start_server, tmp_path):
    server = start_server(*STUB, data_dir=tmp_path / "shared").wait_ready()
    path = begin(server, '[call web_fetch {"url":"http://127.0.0.1:9/"}]')
    page_with(server, path, "Wants to use web fetch")
    post(server, path + "/tool", use="call-1", decision="always")
    page_with(server, path, "The tool says")
    server.stop()
    server = start_server(*STUB, data_dir=tmp_path / "shared").wait_ready()
    page_with(server, begin(server, '[call web_fetch {"url":"http://127.0.0.1:9/"}]'), "The tool says")
