"""Answers that were cut go on where they were: after Stop, in the next process, and with the same text as without a cut."""
import re
import signal
import time

import pytest

from page_tabs import Place, Tab, running_answer

QUESTION = "Tell me about the sea, the moon and a lighthouse, and write 🙂 now and then."
STUB = ("--backend", "stub")


def real(model):
    return ("-m", str(model), "--precision", "exact", "--background", "off", "--ctx", "2048")


def ask(place, text):
    """A new conversation: its path, and the id of the answer."""
    _, headers, _ = place.request("POST", "/chat", {"message": text})
    chat = headers["location"].split("?")[0]
    return chat, running_answer(place.request("GET", chat)[2])[0]


def answer_of(place, chat):
    return place.export(chat)["messages"][-1]


def wait_end(place, chat, seconds=120):
    """The answer, once nothing is written any more."""
    deadline = time.monotonic() + seconds
    while True:
        page = place.request("GET", chat)
        if page and not running_answer(page[2])[1]:
            return answer_of(place, chat)
        assert time.monotonic() < deadline, "the answer does not end"
        time.sleep(0.02)


def wait_length(place, chat, n):
    deadline = time.monotonic() + 60
    while len(now := answer_of(place, chat)["text"]) < n:
        assert time.monotonic() < deadline, now
        time.sleep(0.002)


def resume(place, chat, answer):
    status, headers, text = place.request("POST", f"{chat}/continue", {"answer": answer})
    assert status == 303, text
    assert headers["location"].startswith(chat)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, model):
    """The answer that nobody cuts."""
    from notso_process import Server
    server = Server(tmp_path_factory.mktemp("whole") / "data", real(model)).wait_ready()
    place = Place(server.port)
    chat, _ = ask(place, QUESTION)
    answer = wait_end(place, chat)
    assert server.stop() == 0
    assert answer["state"] == "complete" and len(answer["text"]) > 300
    return answer["text"]


def test_stopped_answers_go_on_without_a_seam(start_server, model, whole):
    server = start_server(*real(model)).wait_ready()
    place = Place(server.port)
    for cut in (1, 30, 77, 150, 260):
        chat, answer = ask(place, QUESTION)
        wait_length(place, chat, cut)
        assert place.request("POST", f"{chat}/stop", {})[0] == 303
        stopped = wait_end(place, chat)
        if stopped["state"] == "complete":
            continue  # it was faster
        assert stopped["state"] == "stopped" and whole.startswith(stopped["text"].rstrip("\ufffd"))
        page = place.request("GET", chat)[2]
        assert f'action="{chat}/continue"' in page and f'name="answer" value="{answer}"' in page
        resume(place, chat, answer)
        ended = wait_end(place, chat)
        assert (ended["state"], ended["text"]) == ("complete", whole), cut
        assert f'action="{chat}/continue"' not in place.request("GET", chat)[2]
    assert server.stop() == 0


def test_an_answer_goes_on_by_itself_after_kill_9(start_server, tmp_path, model, whole):
    data = tmp_path / "shared"
    server = start_server(*real(model), data_dir=data).wait_ready()
    place = Place(server.port)
    chat, answer = ask(place, QUESTION)
    tab = Tab(place, chat, answer, 1)
    for cut in (40, 170):
        wait_length(place, chat, cut)
        server.process.kill()
        server.process.wait(10)
        server = start_server(*real(model), data_dir=data)
        place.port = server.port
        page = place.request("GET", chat)[2]
        assert 'id="stop-button"' in page, "it is being written again, and can be stopped"
    assert (ended := wait_end(place, chat))["text"] == whole and ended["state"] == "complete"
    tab.thread.join(30)
    tab.check(tab.final.split('class="prose" hx-ignore>')[1].split('<div class="tools-row">')[0])


@pytest.mark.parametrize("end", ["kill", "signal"])
def test_scripted_answers_go_on_or_are_marked(start_server, tmp_path, end):
    data = tmp_path / "shared"
    for setting, thinking in (("continue", ""), ("mark", ""), ("continue", "[think] ")):
        server = start_server(*STUB, "--unfinished", setting, data_dir=data).wait_ready()
        place = Place(server.port)
        chat, answer = ask(place, f"{thinking}[long 200] {'[slow]' if thinking else ''}")
        if thinking:
            time.sleep(0.3)  # in the thoughts
        else:
            wait_length(place, chat, 200)
        tab = Tab(place, chat, answer, 2)
        while not tab.position:
            time.sleep(0.01)
        if end == "kill":
            server.process.kill()
        else:
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
            server.process.send_signal(signal.SIGTERM)  # no grace
        server.process.wait(20)
        server = start_server(*STUB, "--unfinished", setting, data_dir=data).wait_ready()
        place.port = server.port
        ended = wait_end(place, chat)
        words = re.findall(r"word\d+", ended["text"])
        assert words == [f"word{i}" for i in range(1, len(words) + 1)]
        if setting == "mark":
            assert ended["state"] == "interrupted" and len(words) < 200
            resume(place, chat, answer)
            ended = wait_end(place, chat)
        tab.thread.join(20)
        assert ended["state"] == "complete" and ended["text"].endswith("word200")
        if setting == "continue":
            tab.check(ended["text"])
        assert server.stop() == 0


def test_what_is_no_cut_answer_does_not_go_on(stub_server):
    place = Place(stub_server.port)
    chat, answer = ask(place, "hello")
    wait_end(place, chat)
    status, _, text = place.request("POST", f"{chat}/continue", {"answer": answer})
    assert status == 400 and "nly the last answer" in text
    assert place.request("POST", f"{chat}/continue", {"answer": "0" * 32})[0] == 404
    assert place.request("POST", f"/chat/{'0' * 32}/continue", {"answer": answer})[0] == 404
