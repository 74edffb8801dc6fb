"""notso chat beside plain questions and answers: what goes on, what is kept, several lines, other terminals, full contexts."""
import json
import shutil
import stat
import subprocess

import pytest

from notso_process import BINARY, MODEL_NAME, ROOT, clean_environment, model_path, run_notso

STUB = ("--backend", "stub")
STORY = "Tell me about the sea, the moon and a lighthouse, and write 🙂 now and then."
UP, CTRL_R, CTRL_U = "\x1b[A", "\x12", "\x15"


def pasted(text):
    return f"\x1b[200~{text}\x1b[201~"


def leave(chat, code=0):
    chat.read_until("> ")
    chat.type("\x04")
    assert chat.wait() == code


def wait_end(chat, typed):
    """Until the next prompt, which stays to be read."""
    chat.say(typed, "> ", 120)
    chat.shown = "> " + chat.shown


def cut(chat, typed, after):
    """Stops an answer behind the words `after`. One that was faster is asked for again."""
    for _ in range(5):
        chat.say(typed, after)
        chat.ctrl_c()
        if "(stopped) /continue goes on from here." in chat.read_until("> "):
            chat.shown = "> " + chat.shown
            return
        chat.read_until("Ctrl-D leaves")
        typed = "/regenerate"
    raise AssertionError("every answer was faster than Ctrl-C")


def exported(chat, path):
    """The conversation as JSON."""
    chat.say(f"/export {path}", f"Saved as {path}")
    return json.loads(path.read_text())[-1]


# ---------------------------------------------------------------- answers that go on


def test_a_stopped_answer_goes_on_in_its_line(terminal, tmp_path):
    chat = terminal("chat", *STUB)
    cut(chat, "[long 1000] go", "word5 ")
    shown = chat.say("/continue", "word1000")
    first, *words = shown.replace("\x1b[K", "").split("\r")[-1].split(" ")
    assert first.startswith(("…", "word")), first
    assert words == [f"word{i}" for i in range(1001 - len(words), 1001)], "no seam"
    answer = exported(chat, tmp_path / "chat.json")["messages"][-1]
    assert answer["text"] == " ".join(f"word{i}" for i in range(1, 1001)) and answer["state"] == "complete"
    chat.say("/continue", "only when it was cut")


def test_a_stopped_answer_of_the_model_goes_on_to_the_same_text(terminal, model, tmp_path):
    def begin():
        chat = terminal("chat", "-m", model, "--ctx", "512")
        chat.read_until("for commands", 60)
        chat.say("/temp 0", "Temperature: 0")
        return chat

    chat = begin()
    wait_end(chat, STORY)
    whole = exported(chat, tmp_path / "whole.json")["messages"][-1]
    assert whole["state"] in ("complete", "length") and len(whole["text"]) > 300
    words = whole["text"].split()
    chat = begin()
    cut(chat, STORY, words[2])
    stopped = exported(chat, tmp_path / "cut.json")["messages"][-1]
    assert stopped["state"] == "stopped" and len(stopped["text"]) < len(whole["text"])
    wait_end(chat, "/continue")
    joint = exported(chat, tmp_path / "joint.json")["messages"][-1]
    assert (joint["state"], joint["text"]) == (whole["state"], whole["text"])


def test_a_failed_answer_can_be_asked_for_again(terminal):
    chat = terminal("chat", *STUB)
    chat.say("[error] please", "told to fail")
    chat.read_until("/continue goes on from here, /regenerate tries again.")
    chat.say("/regenerate", "told to fail")
    leave(chat)


# ---------------------------------------------------------------- what was typed


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
    leave(chat)
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
    leave(chat)


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
    leave(chat)
    assert other.read_text() == "x\n"


# ---------------------------------------------------------------- several lines


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
    texts = [message["text"] for message in exported(chat, tmp_path / "chat.json")["messages"] if message["role"] == "user"]
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
    texts = [message["text"] for message in exported(chat, tmp_path / "chat.json")["messages"] if message["role"] == "user"]
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


# ---------------------------------------------------------------- other terminals, and none


def test_without_colours_thoughts_are_named(terminal):
    chat = terminal("chat", *STUB, NO_COLOR="1")
    shown = chat.say("[think] hi", "You wrote: [think] hi")
    assert "Thinking: This is scripted thinking" in shown and "\x1b[2m" not in shown and "\x1b[0m" not in shown
    assert "Reading" in shown, "progress is no colour"
    leave(chat)


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
    leave(chat)


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


# ---------------------------------------------------------------- models, contexts, files


def test_another_model_answers(terminal, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / MODEL_NAME).symlink_to(model_path())
    shutil.copy(ROOT / "tests/golden/models/tiny_llama.gguf", folder / "model.gguf")
    broken = (ROOT / "tests/golden/models/tiny_qwen2.gguf").read_bytes()
    (folder / "broken.gguf").write_bytes(broken[:len(broken) // 2])
    chat = terminal("chat", "--models-dir", folder)
    chat.read_until("for commands", 60)
    listed = chat.say("/model", "SmolLM2")
    assert "* model" in listed, listed
    chat.say("/model llama", "No model is called llama")
    chat.say("/model broken", "broken", 60)
    chat.say("/status", "ready")
    chat.say("/model smol", "SmolLM2-135M-Instruct answers from now on.", 60)
    chat.say("/model", f"* {MODEL_NAME.removesuffix('.gguf')}")
    chat.say("/temp 0", "Temperature: 0")
    chat.say("What is the capital of France? One word.", "Paris", 60)
    chat.say("/reset", "same settings")
    chat.say("/model", "* SmolLM2")
    chat.say("/new", "New conversation.")
    assert "* model" in chat.say("/model", "SmolLM2")
    leave(chat)


def test_a_full_context_is_told_with_what_can_be_done(terminal, model):
    chat = terminal("chat", "-m", model, "--ctx", "160")
    chat.read_until("for commands", 60)
    chat.say("/temp 0", "Temperature: 0")
    wait_end(chat, "Hello.")
    chat.say("Tell me a long story about a cat.", "The context is 91 % full. /compact", 60)
    chat.say("And then?", "the 2 oldest messages were left out. /compact summarises them, /new begins anew.", 60)
    chat.say("/compact", "Summarised for the model: 4 messages.", 60)
    chat.read_until("> ")
    chat.type("word " * 300 + "\r")
    chat.read_until("the model can read at most", 60)
    chat.say("/reset", "New conversation")
    chat.say("Write a long poem about the sea, the moon and a lighthouse.", "(cut) The model can't read and write more than its context holds.", 60)
    chat.read_until("Ask for the rest in a new message")
    chat.say("/continue", "all that the model can read at once", 60)
    leave(chat)


def test_summaries(terminal):
    chat = terminal("chat", *STUB)
    chat.say("/compact", "There is nothing to summarise yet")
    for text in ("one", "two", "three"):
        chat.say(text, f"You wrote: {text}")
    shown = chat.say("/summarize", "\x1b[0m\r\n> ")
    assert "Summarised for the model: 4 messages." in shown and "\x1b[2mI am a scripted stub" in shown
    chat.shown = "> " + chat.shown
    chat.say("/status", "4 messages are summarised.")


def test_exports_are_new_private_files_that_can_be_imported(terminal, tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("attached words")
    chat = terminal("chat", *STUB, "--file", note)
    chat.say("look", "attached words")
    chat.say("again", "You wrote: again")
    path = tmp_path / "kept.json"
    assert exported(chat, path)["notso_conversation"] == 1
    chat.say(f"/export {path}", "choose another name")
    chat.say(f"/export '{tmp_path}/my chat.md'", "my chat.md")
    markdown = (tmp_path / "my chat.md").read_text()
    assert "## You\n\nlook\n" in markdown and "Attached: note.txt" in markdown and "## Assistant" in markdown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    leave(chat)
    done = run_notso("import", path, "--data-dir", tmp_path / "page")
    assert done.returncode == 0 and b"1 conversation with 4 messages imported" in done.stdout + done.stderr, done


def test_exports_without_a_name_find_one(tmp_path):
    lines = b"[echo] hello\n/export\n/export md\n/export json\n"
    done = run_notso("chat", *STUB, stdin=lines, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chat-2.md", "chat.json", "chat.md"]


def test_attached_files_can_be_listed_and_taken_back(terminal, tmp_path):
    (tmp_path / "a.txt").write_text("content a")
    chat = terminal("chat", *STUB)
    chat.say("/attach", "Nothing is attached")
    chat.say(f"/attach {tmp_path}/a.txt", "a.txt is attached (9 bytes of text).")
    chat.say("/attach", "a.txt (9 bytes of text)")
    chat.say("/attach none", "Nothing is attached.")
    assert "content a" not in chat.say("look", "You wrote: look")
