"""backup, export, import and restore: alone, and through the server that holds the data folder."""
import contextlib
import json
import os
import socket
import sqlite3
import stat
import urllib.parse

from notso_process import assert_one_line_error, run_notso

STUB = ("--backend", "stub")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CHATGPT = [{"title": "Rome", "create_time": 1700000000.0, "current_node": "a", "mapping": {
    "q": {"id": "q", "parent": None, "message": {"author": {"role": "user"},
          "content": {"content_type": "text", "parts": ["Where is Rome? 🙂"]}}},
    "a": {"id": "a", "parent": "q", "message": {"author": {"role": "assistant"},
          "content": {"content_type": "text", "parts": ["In Italy."]}}}}}]


def ok(done):
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    return done.stdout.decode()


def without_ids(path):
    """The texts of an export, in order."""
    return [(chat["title"], [message["text"] for message in chat["messages"]])
            for chat in json.loads(path.read_text())]


def test_all_of_it_without_a_server(tmp_path):
    data = ("--data-dir", tmp_path / "data")
    given, exported, again = (tmp_path / name for name in ("given.json", "exported.json", "again.json"))
    given.write_text(json.dumps(CHATGPT))
    assert "1 conversation with 2 messages imported" in ok(run_notso("import", given, *data))
    ok(run_notso("export", exported, *data))
    assert without_ids(exported) == [("Rome", ["Where is Rome? 🙂", "In Italy."])]
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600
    ok(run_notso("backup", tmp_path / "backup.db", *data))
    ok(run_notso("import", exported, *data))
    ok(run_notso("export", again, *data))
    assert without_ids(again) == without_ids(exported) * 2
    assert "restored; what was there is now" in ok(run_notso("restore", tmp_path / "backup.db", *data))
    ok(run_notso("export", tmp_path / "restored.json", *data))
    assert without_ids(tmp_path / "restored.json") == without_ids(exported)
    ok(run_notso("export", tmp_path / "all.md", "--format", "md", *data))
    assert "In Italy." in (tmp_path / "all.md").read_text()


def test_through_the_running_server(start_server, tmp_path):
    folder = tmp_path / "shared"
    server = start_server(*STUB, data_dir=folder).wait_ready()
    status, _, _ = server.request("POST", "/chat", urllib.parse.urlencode({"message": "first words"}), FORM)
    assert status == 303
    data = ("--data-dir", folder)
    given = tmp_path / "given.json"
    given.write_text(json.dumps(CHATGPT))
    assert stat.S_IMODE((folder / "notso.sock").stat().st_mode) == 0o600
    assert "1 conversation " in ok(run_notso("import", given, *data))
    _, _, page = server.get("/")
    assert b"Rome" in page and b"first words" in page
    ok(run_notso("backup", tmp_path / "backup.db", *data))
    with sqlite3.connect(tmp_path / "backup.db") as database:
        assert database.execute("SELECT count(*) FROM conversation").fetchone() == (2,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    ok(run_notso("export", tmp_path / "exported.json", *data))
    assert {title for title, _ in without_ids(tmp_path / "exported.json")} == {"Rome", "first words"}
    assert_one_line_error(run_notso("restore", tmp_path / "backup.db", *data), server.process.pid)
    assert_one_line_error(run_notso("backup", tmp_path / "backup.db", *data), "is there already")
    given.write_text("[{")
    assert_one_line_error(run_notso("import", given, *data), "given.json", "byte")
    server.stop()
    assert not (folder / "notso.sock").exists()


def test_a_socket_that_nobody_answers_is_no_success(start_server, tmp_path):
    folder = tmp_path / "shared"
    server = start_server(*STUB, data_dir=folder).wait_ready()
    os.unlink(folder / "notso.sock")
    assert_one_line_error(run_notso("backup", tmp_path / "b.db", "--data-dir", folder), server.process.pid,
                          "notso.sock")
    server.stop()


def test_the_socket_takes_one_order_in_one_line(start_server, tmp_path):
    folder = tmp_path / "shared"
    server = start_server(*STUB, data_dir=folder).wait_ready()

    def answer(line):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(folder / "notso.sock"))
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                client.sendall(line)
                return client.makefile("rb").read()
            return b""

    order = {"action": "backup", "path": str(tmp_path / "b.db"), "format": "json"}
    for line, part in ((b"\n", "one object"), (b"[]\n", "one object"), (b"{}\n", "action"), (b"\xff\n", "one object"),
                       (json.dumps({**order, "action": "erase"}).encode() + b"\n", "action"),
                       (json.dumps({**order, "path": "b.db"}).encode() + b"\n", "absolute"),
                       (json.dumps({**order, "format": 7}).encode() + b"\n", "format")):
        assert part in json.loads(answer(line))["error"], line
    assert answer(b"x" * (1 << 20)) == b""
    assert answer(b"no end") == b"", "after some seconds"
    assert json.loads(answer(json.dumps(order).encode() + b"\n"))["done"].startswith(str(tmp_path / "b.db"))
    server.stop()


def test_what_cant_be_read_or_written_says_where(tmp_path):
    data = ("--data-dir", tmp_path / "data")
    assert_one_line_error(run_notso("import", tmp_path / "missing.json", *data), "missing.json")
    assert_one_line_error(run_notso("restore", tmp_path / "missing.db", *data), "missing.db")
    assert_one_line_error(run_notso("export", tmp_path / "no" / "where.json", *data), "where.json")
    assert run_notso("export", *data).returncode == 2
    assert run_notso("export", tmp_path / "x", "--format", "exe", *data).returncode == 2
