"""notso chat and notso run as a person meets them: prompt, streaming, Ctrl-C, Ctrl-D."""
import json
import re
import signal
import subprocess
import time

import pytest

from notso_process import BINARY, clean_environment, run_notso

STUB = ("--backend", "stub")


def test_chat_answers_and_ctrl_d_leaves(terminal):
    chat = terminal("chat", *STUB)
    chat.read_until("> ")
    chat.type("hello there\r")
    chat.read_until("You wrote: hello there")
    chat.read_until("> ")
    chat.type("\x04")
    assert chat.wait() == 0


def test_ctrl_d_while_an_answer_runs_does_not_spoil_the_next_one(terminal):
    chat = terminal("chat", *STUB)
    chat.read_until("> ")
    chat.type("[slow] [long 20]\r")
    chat.read_until("word3")
    chat.type("\x04")
    chat.read_until("word20")
    chat.read_until("> ")
    chat.type("\x04")
    assert chat.wait() == 0


def test_ctrl_c_stops_the_answer_not_the_program(terminal):
    chat = terminal("chat", *STUB)
    chat.read_until("> ")
    chat.type("[long 5000] go\r")
    chat.read_until("word5 ")
    start = time.monotonic()
    chat.ctrl_c()
    chat.read_until("(stopped)")
    assert time.monotonic() - start < 10
    chat.read_until("> ")
    chat.type("still here\r")
    chat.read_until("You wrote: still here")
    chat.read_until("> ")
    chat.type("/exit\r")
    assert chat.wait() == 0


def test_ctrl_c_twice_at_the_prompt_leaves_with_130(terminal):
    chat = terminal("chat", *STUB)
    chat.read_until("> ")
    chat.ctrl_c()
    chat.read_until("Ctrl-D leaves")
    chat.read_until("> ")
    chat.ctrl_c()
    assert chat.wait() == 130


def test_typing_again_forgets_the_first_ctrl_c(terminal):
    chat = terminal("chat", *STUB)
    chat.read_until("> ")
    chat.ctrl_c()
    chat.read_until("Ctrl-D leaves")
    chat.type("hello\r")
    chat.read_until("You wrote: hello")
    chat.read_until("> ")
    chat.ctrl_c()
    chat.read_until("Ctrl-D leaves")
    assert chat.process.poll() is None


def test_unicode_can_be_typed_without_a_locale(terminal):
    chat = terminal("chat", *STUB, LC_ALL="C")
    chat.read_until("> ")
    chat.type("naïve 日本語\r")
    chat.read_until("You wrote: naïve 日本語")


def test_thinking_is_dim_and_apart(terminal):
    chat = terminal("chat", *STUB)
    chat.read_until("> ")
    chat.type("/think\r")
    chat.read_until("Thinking on.")
    chat.read_until("> ")
    chat.type("[think] why\r")
    chat.read_until("\x1b[2m")
    chat.read_until("\x1b[0m")
    chat.read_until("> ")


def test_commands(terminal):
    chat = terminal("chat", *STUB)
    for typed, shown in (("/help", "/no_think"), ("/new", "New conversation."), ("/nonsense", "There is no command /nonsense"),
                         ("/temp 9", "it must be a number from 0 to 2"), ("/temp 0,5", "Temperature: 0.5"),
                         ("/budget 20", "Most tokens for thinking: 20"), ("/system Be brief.", "System prompt: Be brief."),
                         ("/settings", "Temperature: 0.5"), ("/stats", "There is no answer yet."),
                         ("/regenerate", "There is no answer yet."), ("/status", ": ready."), ("/tools", "calculator"),
                         ("/reset", "with the same settings"), ("/settings", "Temperature: 0.5"), ("/clear", "New conversation."),
                         ("/settings", "Temperature: the model's own"), ("/theme dark", "There is no command /theme"),
                         ("/usr/bin?", "You wrote: /usr/bin?"), ("//temp 1", "You wrote: /temp 1")):
        chat.read_until("> ")
        chat.type(typed + "\r")
        chat.read_until(typed)
        chat.read_until(shown)


def test_settings_reach_the_model_and_an_answer_can_be_asked_for_again(terminal):
    chat = terminal("chat", *STUB)

    def say(typed, shown):
        chat.read_until("> ")
        chat.type(typed + "\r")
        chat.read_until(typed)
        return chat.read_until(shown)

    def prompt_tokens():
        return int(re.search(r"prompt (\d+) tokens", say("/stats", "written")).group(1))

    say("hello", "You wrote: hello")
    plain = prompt_tokens()
    say("/regenerate", "You wrote: hello")
    assert prompt_tokens() == plain, "the first answer is not in its prompt"
    say("/system one two three four five", "System prompt: one")
    say("/regenerate", "You wrote: hello")
    assert prompt_tokens() == plain + 5
    say("/no_think", "Thinking off.")


def test_piped_chat_prints_the_answers_only():
    done = run_notso("chat", *STUB, stdin="[echo] one\n[echo] two".encode())
    assert done.returncode == 0
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 2 and "one" in lines[0] and "two" in lines[1], lines
    assert done.stderr == b""


def test_run_streams_to_a_pipe_and_exits_0():
    done = run_notso("run", *STUB, "-p", "[echo] hello")
    assert done.returncode == 0 and b"hello" in done.stdout and done.stderr == b""


def test_run_json_has_every_promised_field():
    done = run_notso("run", *STUB, "--json", "-p", "[echo] hello")
    answer = json.loads(done.stdout)
    assert set(answer) == {"model", "text", "thinking", "tokens", "finish_reason", "error", "usage", "timings"}
    assert answer["finish_reason"] == "stop" and "hello" in answer["text"]
    assert set(answer["usage"]) == {"prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens"}
    assert answer["timings"]["tokens_per_second"] > 0


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_in_run_keeps_the_partial_text_and_exits_130(as_json):
    command = [str(BINARY), "run", *STUB, "-p", "[long 5000]", *(["--json"] if as_json else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()) as process:
        if as_json:
            time.sleep(0.5)
            head = b""
        else:
            head = process.stdout.read(20)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        rest, errors = process.communicate(timeout=10)
        assert time.monotonic() - start < 10
    assert process.returncode == 130
    assert errors == b""
    text = (head + rest).decode()
    if as_json:
        answer = json.loads(text)
        assert answer["finish_reason"] == "cancelled" and answer["text"]
    else:
        assert text.endswith("\n") and len(text) < 50000


def test_failure_in_the_middle_exits_1_and_keeps_the_text():
    done = run_notso("run", *STUB, "-p", "[error]")
    assert done.returncode == 1
    assert done.stdout.strip() and done.stderr.startswith(b"notso: ") and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("arguments", [["run"], ["run", "-p", "a", "-f", "b"], ["run", "-p", "a", "--temp", "11"],
                                       ["run", "-p", "a", "--temp", "nan"], ["run", "-p", "a", "-n", "-1"],
                                       ["run", "-p", "a", "--seed", "x"]])
def test_wrong_use_of_run_exits_2(arguments):
    done = run_notso(*arguments, *STUB)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1, done


def test_tools_are_called_and_what_they_gave_is_shown_dim(terminal):
    chat = terminal("chat", *STUB)
    chat.read_until("> ")
    chat.type('[call calculator {"expression":"2^100"}] [call notes {"action":"add","text":"a\x1b[31mb"}]\r')
    chat.read_until('\x1b[2m[calculator {"expression":"2^100"}]\x1b[0m')
    chat.read_until("\x1b[2m1267650600228229401496703205376\x1b[0m")
    chat.read_until("The tool says")
    chat.read_until("> ")


def test_tools_that_act_ask_first(terminal):
    chat = terminal("chat", *STUB, "--tools", "web_fetch")
    call = '[call web_fetch {"url":"http://127.0.0.1:9/"}]\r'

    def ask():
        chat.read_until("> ")
        chat.type(call)

    ask()
    chat.read_until("Let it use web_fetch")
    chat.read_until("(n)o: ")
    chat.type("what?\r")
    chat.read_until("(n)o: ")
    chat.type("n\r")
    chat.read_until("did not allow this call")
    chat.read_until("The tool says")
    ask()
    chat.read_until("(n)o: ")
    chat.ctrl_c()
    chat.read_until("(stopped)")
    ask()
    chat.read_until("(n)o: ")
    chat.type("always\r")
    chat.read_until("is not fetched")
    chat.read_until("The tool says")
    ask()
    assert "Let it use" not in chat.read_until("The tool says")
    chat.read_until("> ")
    chat.type("/exit\r")
    assert chat.wait() == 0


@pytest.mark.parametrize("options,said", [((), b"did not allow this call"), (("--tools-allow",), b"is not fetched")])
def test_where_nobody_can_be_asked_tools_that_act_are_denied(options, said):
    done = run_notso("chat", *STUB, "--tools", "web_fetch", *options, stdin=b'[call web_fetch {"url":"http://127.0.0.1:9/"}]\n')
    assert done.returncode == 0 and done.stderr == b"", done
    assert said in done.stdout and b"\x1b" not in done.stdout, done.stdout


def test_no_more_than_eight_calls_an_answer():
    done = run_notso("chat", *STUB, stdin=b'[call calculator {"expression":"1"}]' * 9 + b"\n[echo] on")
    assert done.returncode == 1 and b"call tools more than 8 times" in done.stderr and b"on" in done.stdout, done


def test_files_go_with_the_next_message(terminal, tmp_path):
    first, second = tmp_path / "first file.txt", tmp_path / "b.py"
    first.write_text("content one")
    second.write_text("content two")
    done = run_notso("chat", *STUB, "--file", first, stdin=f"look\n/attach '{second}'\nagain\n".encode())
    assert done.returncode == 0, done.stderr
    one, two = done.stdout.decode().split("I am a scripted stub")[1:]
    assert 'You wrote: [File "first file.txt"]' in one and "content one" in one
    assert '[File "b.py"]' in two and "content two" in two and "content one" not in two
    missing = run_notso("chat", *STUB, "--file", tmp_path / "none", stdin=b"look\n")
    assert missing.returncode == 1 and b"none is not there" in missing.stderr
    (tmp_path / "cat.png").write_bytes(b"\x89PNG\0\1")
    chat = terminal("chat", *STUB)
    chat.read_until("> ")
    chat.type(f"/attach {tmp_path}/cat.png\r")
    chat.read_until("neither text nor a PDF")
    chat.type(f"/attach {second}\r")
    chat.read_until("b.py is attached (11 bytes of text).")
    chat.read_until("> ")
    chat.type("look\r")
    chat.read_until("content two")
    chat.read_until("> ")
    chat.type("\x04")
    assert chat.wait() == 0
