"""notso chat as a place to type in: history, messages of several lines, other terminals than the usual, and none at all."""
import stat
import subprocess

import pytest

from notso_process import BINARY, clean_environment, run_notso

STUB = ("--backend", "stub")
UP, CTRL_R, CTRL_U = "\x1b[A", "\x12", "\x15"


def pasted(text):
    return f"\x1b[200~{text}\x1b[201~"


def test_what_was_typed_is_there_in_the_next_run(terminal, tmp_path):
    file = tmp_path / "data" / "notso" / "terminal_history"
    secret = tmp_path / "secret.txt"
    secret.write_text("the password is swordfish")
    chat = terminal("chat", *STUB)
    chat.say("first words", "You wrote: first words")
    chat.say(f"/attach {secret}", "is attached")
    chat.say("second\\", "… ")
    chat.type("line\r")
    chat.read_until("swordfish")
    chat.leave()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert file.read_text().splitlines() == ["first words", f"/attach {secret}", "second\\nline"]
    chat = terminal("chat", *STUB)
    chat.read_until("> ")
    chat.type(UP)
    chat.read_until("second\r\nline")
    chat.type(UP + UP)
    chat.read_until("first words")
    chat.type("\r")
    chat.read_until("You wrote: first words")
    chat.read_until("> ")
    chat.type(CTRL_R + "seco")
    chat.read_until("> second")
    chat.read_until("bck:")
    chat.type("\r")
    chat.read_until("You wrote: second\r\nline")
    chat.leave()


def test_a_history_that_nobody_wants_is_neither_read_nor_written(terminal, tmp_path):
    folder = tmp_path / "data" / "notso"
    folder.mkdir(parents=True)
    (folder / "terminal_history").write_text("typed earlier\n")
    chat = terminal("chat", *STUB, "--no-history")
    chat.say("typed now", "You wrote: typed now")
    chat.read_until("> ")
    chat.type(UP + UP + UP)
    chat.read_until("typed now")
    chat.type(CTRL_U + "\x04")
    assert "earlier" not in chat.shown and chat.wait() == 0
    piped = run_notso("chat", *STUB, "--data-dir", folder, stdin=b"[echo] piped\n")
    assert piped.returncode == 0
    assert (folder / "terminal_history").read_text() == "typed earlier\n"


def test_a_history_that_cannot_be_kept_is_told_and_harms_nothing(terminal, tmp_path):
    folder = tmp_path / "data" / "notso"
    folder.mkdir(parents=True)
    other = tmp_path / "other"
    other.write_text("x\n")
    (folder / "terminal_history").symlink_to(other)
    chat = terminal("chat", *STUB)
    chat.read_until("The history is not kept")
    chat.say("hello", "You wrote: hello")
    chat.leave()
    assert other.read_text() == "x\n"


def test_messages_of_several_lines(terminal, tmp_path):
    chat = terminal("chat", *STUB)
    chat.say("one\\", "… ")
    chat.type("two\r")
    chat.read_until("You wrote: one\r\ntwo")
    chat.say('"""', "… ")
    for line in ("/new", "", "last"):
        chat.type(line + "\r")
        chat.read_until("… ")
    chat.type('"""\r')
    chat.read_until('"""\r\n')
    chat.read_until("/new stands alone")
    chat.say('"""a', "… ")
    chat.ctrl_c()
    chat.read_until("Ctrl-D leaves")
    chat.say("forgotten?", "You wrote: forgotten?")
    chat.read_until("> ")
    chat.type("left\x1b\rright\r")
    chat.read_until("You wrote: left\r\nright")
    texts = [message["text"] for message in chat.exported(tmp_path / "chat.json")["messages"] if message["role"] == "user"]
    assert texts == ["one\ntwo", "forgotten?", "left\nright"]


def test_a_pasted_text_is_one_message_and_waits_for_enter(terminal, tmp_path):
    chat = terminal("chat", *STUB)
    chat.read_until("\x1b[?2004h")
    chat.read_until("> ")
    chat.type(pasted("def f():\r\treturn '日本'\r\x1b[31m\r\r"))
    chat.read_until("'日本'")
    chat.type(" # end\r")
    chat.read_until("You wrote: def f():")
    chat.read_until("> ")
    chat.type(pasted("x" * 3000 + "\r" + "y" * 3000) + "\r")
    chat.read_until("You wrote: xxx", 60)
    chat.read_until("> ")
    chat.type(pasted('"""doc') + "\r")
    chat.read_until("… ")
    chat.type(pasted('more\rlines"""') + "\r")
    chat.read_until("… ")
    chat.type('"""\r')
    chat.read_until("You wrote: doc")
    texts = [message["text"] for message in chat.exported(tmp_path / "chat.json")["messages"] if message["role"] == "user"]
    assert texts[0] == "def f():\n\treturn '日本'\n[31m # end"
    assert texts[1] == "x" * 3000 + "\n" + "y" * 3000 and texts[2] == 'doc\nmore\nlines"""'
    chat.read_until("> ")
    chat.type("\x04")
    chat.read_until("\x1b[?2004l")
    assert chat.wait() == 0


def test_piped_blocks_are_one_message():
    done = run_notso("chat", *STUB, stdin=b'"""\n[echo] one\ntwo\n"""\n[echo] a\\\nb\n"""[echo] open')
    assert done.returncode == 0 and done.stderr == b""
    assert done.stdout == b"[echo] one\ntwo\n[echo] a\nb\n[echo] open\n"


def test_without_colours_thoughts_are_named(terminal):
    chat = terminal("chat", *STUB, NO_COLOR="1")
    shown = chat.say("[think] hi", "You wrote: [think] hi")
    assert "Thinking: This is scripted thinking" in shown and "\x1b[2m" not in shown and "\x1b[0m" not in shown
    assert "Reading" in shown, "progress is no colour"
    chat.leave()


def test_a_dumb_terminal_gets_no_escapes(terminal):
    chat = terminal("chat", *STUB, TERM="dumb")
    seen = chat.read_until("> ")
    chat.type("[think] [call calculator {\"expression\":\"6*7\"}]\r")
    seen += chat.read_until("The tool says") + chat.read_until("> ")
    chat.type("\x04")
    assert chat.wait() == 0
    assert "\x1b" not in seen and "42" in seen and "Reading" not in seen, seen


def test_progress_takes_one_line_and_goes_away(terminal):
    chat = terminal("chat", *STUB)
    shown = chat.say("hello", "You wrote: hello")
    assert shown.startswith("\x1b[2mReading 0 %\x1b[0m\r\x1b[KI am"), shown
    shown = chat.say('[call calculator {"expression":"1+1"}]', "The tool says")
    assert "Using calculator\x1b[0m\r\x1b[K" in shown, shown


def test_a_window_that_changes_draws_the_line_anew(terminal):
    chat = terminal("chat", *STUB)
    chat.read_until("> ")
    chat.type("some words and 日本語, ")
    chat.read_until("日本語,")
    chat.resize(20)
    chat.read_until("\x1b[J> some words and")
    chat.resize(100)
    chat.read_until("\x1b[J> some words and 日本語, ")
    chat.type("then more\r")
    chat.read_until("You wrote: some words and 日本語, then more")
    chat.resize(40)
    chat.say("[long 300]", "word300")
    chat.leave()


def test_in_a_pipe_stdout_has_the_answers_alone():
    lines = "/temp 0.5\n[think] [echo] one\n/stats\n/model\n[echo] two\n"
    done = run_notso("chat", *STUB, stdin=lines.encode())
    assert done.stdout == b"[think] [echo] one\n[echo] two\n" and done.returncode == 0
    for part in (b"Temperature: 0.5", b"The last answer", b"scripted-stub"):
        assert part in done.stderr
    assert b"\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("line,said", [("[error] x", b"told to fail"), ("/nope", b"There is no command /nope"),
                                       ("/continue", b"There is no answer yet"), ("/attach /nowhere", b"is not there"),
                                       ("/export", b"nothing to save")])
def test_in_a_pipe_what_fails_shows_in_the_exit_code(line, said):
    done = run_notso("chat", *STUB, stdin=f"{line}\n[echo] after\n".encode())
    assert done.returncode == 1 and done.stdout.endswith(b"[echo] after\n")
    assert done.stderr.startswith(b"notso: ") and said in done.stderr and done.stderr.count(b"\n") == 1


def test_a_signal_ends_a_piped_chat():
    with subprocess.Popen([str(BINARY), "chat", *STUB], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=clean_environment()) as process:
        process.stdin.write(b"[long 5000]\n[echo] never\n")
        process.stdin.flush()
        head = process.stdout.read(20)
        process.send_signal(2)
        rest, errors = process.communicate(timeout=20)
    assert process.returncode == 130 and b"never" not in head + rest and b"(stopped)" in errors
