"""A data folder whose disk fills up while people chat, or is full from the beginning."""
import subprocess
import urllib.parse

import pytest
from notso_process import assert_one_line_error, run_notso

STUB = ("--backend", "stub")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def small_disk(tmp_path):
    """An empty disk of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a disk of its own needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk):
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler


def send(server, path, text):
    return server.request("POST", path, urllib.parse.urlencode({"message": text}), FORM)


def test_a_full_disk_is_said_and_gets_better(start_server, small_disk):
    server = start_server(*STUB, data_dir=small_disk / "data").wait_ready()
    status, headers, _ = send(server, "/chat", "before")
    assert status == 303
    chat = headers["location"].split("?")[0]
    while "You wrote: before" not in (page := server.get(chat)[2].decode()):
        assert "before" in page
    filler = fill(small_disk)
    for _ in range(3):  # the log's own file may have some room left
        status, _, body = send(server, f"{chat}/messages", "kept words " + "y" * 100_000)
    assert status == 500
    assert "full" in body.decode() and "kept words" in body.decode(), "the text comes back with the reason"
    assert server.get("/livez")[0] == 200
    assert "before" in server.get(chat)[2].decode(), "what is there can be read"
    filler.unlink()
    status, _, body = send(server, f"{chat}/messages", "afterwards")
    assert status == 303, body
    server.stop()
    page = start_server(*STUB, data_dir=small_disk / "data").wait_ready().get(chat)[2].decode()
    assert "before" in page and "afterwards" in page and "kept words" not in page


def test_a_disk_that_is_full_at_the_start(small_disk):
    fill(small_disk)
    done = run_notso("serve", *STUB, "--log", "off", "--port", "0", "--data-dir", small_disk / "data")
    assert_one_line_error(done, small_disk / "data")
