"""Whose conversations: accounts, and a space for each browser, on a running server."""
import urllib.parse

from notso_process import assert_one_line_error, run_notso

STUB = ("--backend", "stub")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def send(server, path, text, headers=None):
    return server.request("POST", path, urllib.parse.urlencode({"message": text}), {**FORM, **(headers or {})})


def user(folder, *arguments, password="right password\n"):
    return run_notso("user", *arguments, "--data-dir", folder, stdin=password.encode())


def login(server, name, password):
    body = urllib.parse.urlencode({"name": name, "password": password})
    status, headers, _ = server.request("POST", "/login", body, FORM)
    return {"Cookie": headers["set-cookie"].split(";")[0]} if status == 303 else None


def test_accounts_keep_people_apart(start_server, tmp_path):
    folder = tmp_path / "shared"
    server = start_server(*STUB, data_dir=folder).wait_ready()
    old = send(server, "/chat", "from before")[1]["location"].split("?")[0]
    assert_one_line_error(user(folder, "add", "anna"), folder, server.process.pid)
    server.stop()
    assert user(folder, "add", "anna", "--take-local").returncode == 0
    assert user(folder, "add", "bert").returncode == 0
    assert_one_line_error(user(folder, "add", "Bert"), "bert already")
    assert_one_line_error(user(folder, "add", "carl", password="short\n"), "8 to 1024 bytes")
    assert user(folder, "list").stdout.decode().split() == ["anna", "0", "logins", "bert", "0", "logins"]
    server = start_server(*STUB, data_dir=folder).wait_ready()
    assert server.get(old)[0] == 303, "nobody gets in without signing in"
    anna, bert = login(server, "anna", "right password"), login(server, "bert", "right password")
    assert login(server, "anna", "wrong password") is None
    assert server.request("GET", old, None, anna)[0] == 200
    assert server.request("GET", old, None, bert)[0] == 404
    server.stop()
    assert user(folder, "passwd", "anna", password="another password\n").returncode == 0
    server = start_server(*STUB, data_dir=folder).wait_ready()
    assert server.request("GET", old, None, anna)[0] == 303, "a new password ends all logins"
    assert server.request("GET", "/", None, bert)[0] == 200, "of that account only"
    server.stop()
    assert user(folder, "remove", "anna", password="bert\n").returncode == 130, "the name was typed wrong"
    assert user(folder, "remove", "anna", "--yes").returncode == 0
    assert b"from before" not in b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_spaces_and_their_quota(start_server, tmp_path):
    server = start_server(*STUB, "--spaces", "on", "--max-conversations", "1", data_dir=tmp_path / "s").wait_ready()
    status, headers, _ = send(server, "/chat", "mine")
    chat, mine = headers["location"].split("?")[0], {"Cookie": headers["set-cookie"].split(";")[0]}
    assert status == 303 and server.request("GET", chat, None, mine)[0] == 200
    assert server.get(chat)[0] == 404, "another browser"
    status, _, body = send(server, "/chat", "one more", mine)
    assert status == 403 and "as many as this server allows" in body.decode() and "one more" in body.decode()
    assert send(server, "/chat", "somebody else")[0] == 303
