"""What notso chat does with a conversation: answers that go on, other models, full contexts, exports, files."""
import shutil
import stat

import pytest

from notso_process import MODEL_NAME, ROOT, model_path, run_notso

STUB = ("--backend", "stub")
STORY = "Tell me about the sea, the moon and a lighthouse, and write 🙂 now and then."
CTRL_QUIT = "\x1c"


def test_a_stopped_answer_goes_on_in_its_line(terminal, tmp_path):
    chat = terminal("chat", *STUB)
    chat.cut("[long 1000] go", "word5 ")
    shown = chat.say("/continue", "word1000")
    first, *words = shown.replace("\x1b[K", "").split("\r")[-1].split(" ")
    assert first.startswith(("…", "word")), first
    assert words == [f"word{i}" for i in range(1001 - len(words), 1001)], "no seam"
    answer = chat.exported(tmp_path / "chat.json")["messages"][-1]
    assert answer["text"] == " ".join(f"word{i}" for i in range(1, 1001)) and answer["state"] == "complete"
    chat.say("/continue", "only when it was cut")


def test_a_stopped_answer_of_the_model_goes_on_to_the_same_text(terminal, model, tmp_path):
    def begin():
        chat = terminal("chat", "-m", model, "--ctx", "512")
        chat.read_until("for commands", 60)
        chat.say("/temp 0", "Temperature: 0")
        return chat

    chat = begin()
    chat.wait_end(STORY)
    whole = chat.exported(tmp_path / "whole.json")["messages"][-1]
    assert whole["state"] in ("complete", "length") and len(whole["text"]) > 300
    words = whole["text"].split()
    chat = begin()
    chat.cut(STORY, words[2])
    stopped = chat.exported(tmp_path / "cut.json")["messages"][-1]
    assert stopped["state"] == "stopped" and len(stopped["text"]) < len(whole["text"])
    chat.wait_end("/continue")
    joint = chat.exported(tmp_path / "joint.json")["messages"][-1]
    assert (joint["state"], joint["text"]) == (whole["state"], whole["text"])


def test_thoughts_can_be_ended(terminal):
    chat = terminal("chat", *STUB)
    for _ in range(5):  # once it is faster than the thoughts
        chat.say("[think] [loop] [slow]", "think about")
        chat.type(CTRL_QUIT)
        shown = chat.read_until("You wrote:")
        if shown.count("Wait, let me") < 3:
            break
    else:
        raise AssertionError(shown)
    chat.read_until("> ")
    chat.type(CTRL_QUIT)
    chat.type("still here\r")
    chat.read_until("You wrote: still here")
    chat.leave()


def test_a_failed_answer_can_be_asked_for_again(terminal):
    chat = terminal("chat", *STUB)
    chat.say("[error] please", "told to fail")
    chat.read_until("/continue goes on from here, /regenerate tries again.")
    chat.say("/regenerate", "told to fail")
    chat.leave()


@pytest.mark.parametrize("typed", ["", "[long 5000]\r"])
def test_sigterm_ends_it_at_once(terminal, typed):
    chat = terminal("chat", *STUB)
    chat.read_until("> ")
    chat.type(typed)
    if typed:
        chat.read_until("word3")
    chat.process.terminate()
    assert chat.wait() == 130


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
    chat.leave()


def test_a_full_context_is_told_with_what_can_be_done(terminal, model):
    chat = terminal("chat", "-m", model, "--ctx", "160")
    chat.read_until("for commands", 60)
    chat.say("/temp 0", "Temperature: 0")
    chat.wait_end("Hello.")
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
    chat.leave()


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
    assert chat.exported(path)["notso_conversation"] == 1
    chat.say(f"/export {path}", "choose another name")
    chat.say(f"/export '{tmp_path}/my chat.md'", "my chat.md")
    markdown = (tmp_path / "my chat.md").read_text()
    assert "## You\n\nlook\n" in markdown and "Attached: note.txt" in markdown and "## Assistant" in markdown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    chat.leave()
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
