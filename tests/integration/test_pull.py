"""notso pull against a local hub: killed and resumed, stopped, wrong hashes, web pages, full disks, two at once."""
import hashlib
import json
import os
import resource
import signal
import subprocess
import time

import pytest

from model_hub import NAME, Hub
from notso_process import BINARY, ROOT, assert_one_line_error, clean_environment, run_notso

MODEL = (ROOT / "tests/golden/models/tiny_llama.gguf").read_bytes()
BIG = MODEL + bytes(5_000_000)  # bytes behind the last tensor are allowed


def environment(hub):
    return clean_environment(NOTSO_HUB=hub.url, no_proxy="127.0.0.1")


def pull(hub, folder, *more, name=NAME, **options):
    return run_notso("pull", name, "--models-dir", folder, *more, env=environment(hub), **options)


def start_pull(hub, folder, *more):
    return subprocess.Popen([str(BINARY), "pull", NAME, "--models-dir", str(folder), *more], env=environment(hub),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_part(folder, size):
    """Until so many bytes are on disk."""
    part = folder / "tiny.gguf.part"
    deadline = time.monotonic() + 20
    while not part.exists() or part.stat().st_size < size:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def installed(folder):
    return json.loads(run_notso("models", "--json", "--models-dir", folder).stdout)


def test_fetches_and_then_asks_no_more(hub, tmp_path):
    good = hub(data=MODEL)
    done = pull(good, tmp_path / "new" / "models")
    target = tmp_path / "new" / "models" / "tiny.gguf"
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == f"{target}\n"
    assert target.read_bytes() == MODEL
    assert [model["name"] for model in installed(target.parent)] == ["tiny"]
    again = pull(good, target.parent)
    assert again.returncode == 0 and b"already installed" in again.stderr
    assert good.starts == [0]


@pytest.mark.parametrize("at", [1_000, 50_000, 1_000_000, 5_000_000])
def test_killed_it_goes_on_and_nothing_half_is_ever_listed(hub, tmp_path, at):
    slow = hub(data=BIG, holds=[at])
    process = start_pull(slow, tmp_path)
    try:
        wait_for_part(tmp_path, at)
        assert installed(tmp_path) == [], "a part is no model"
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    slow.release.set()
    assert not (tmp_path / "tiny.gguf").exists()
    done = pull(slow, tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"going on from byte {at}" in done.stderr.decode()
    assert slow.starts == [0, at]
    assert (tmp_path / "tiny.gguf").read_bytes() == BIG
    assert [entry.name for entry in tmp_path.iterdir()] == ["tiny.gguf"]


def test_killed_again_and_again_it_arrives(hub, tmp_path):
    slow = hub(data=BIG, holds=[700_000] * 6)
    for _ in range(6):
        slow.reached.clear()
        process = start_pull(slow, tmp_path)
        try:
            assert slow.reached.wait(20)
        finally:
            process.kill()
            process.communicate()
    slow.release.set()
    assert pull(slow, tmp_path).returncode == 0
    assert (tmp_path / "tiny.gguf").read_bytes() == BIG
    assert slow.starts == sorted(slow.starts), "it never goes back"


def test_ctrl_c_keeps_the_part_and_says_how_to_go_on(hub, tmp_path):
    slow = hub(data=BIG, holds=[2_000_000])
    process = start_pull(slow, tmp_path)
    try:
        wait_for_part(tmp_path, 2_000_000)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert out == "" and "the same command goes on" in err.splitlines()[-1]
    slow.release.set()
    assert pull(slow, tmp_path).returncode == 0
    assert slow.starts == [0, 2_000_000]
    assert (tmp_path / "tiny.gguf").read_bytes() == BIG


def test_two_at_once_get_one_file(hub, tmp_path):
    slow = hub(data=BIG, holds=[100_000])
    first = start_pull(slow, tmp_path)
    try:
        assert slow.reached.wait(20)
        second = pull(slow, tmp_path)
        assert_one_line_error(second, "tiny.gguf", "already")
        slow.release.set()
        out, err = first.communicate(timeout=20)
    finally:
        first.kill()
    assert first.returncode == 0, err
    assert (tmp_path / "tiny.gguf").read_bytes() == BIG


def test_a_wrong_hash_names_both_and_leaves_nothing(hub, tmp_path):
    wrong = "0" * 64
    for options, more in (({"sha256": wrong}, ()), ({}, ("--sha256", wrong))):
        done = pull(hub(data=MODEL, **options), tmp_path, *more)
        text = done.stderr.decode()
        assert done.returncode == 1 and done.stdout == b""
        assert wrong in text and hashlib.sha256(MODEL).hexdigest() in text
        assert list(tmp_path.iterdir()) == []


def test_a_changed_file_is_begun_again(hub, tmp_path):
    old = hub(data=MODEL + bytes(3_000_000), cuts=[1_000_000] * 99)
    folder = tmp_path / "m"
    process = start_pull(old, folder)
    try:
        wait_for_part(folder, 1)
    finally:
        process.kill()
        process.communicate()
    old.data, old.cuts = BIG, []
    old.etag = '"other"'
    old.pointer = Hub.pointer_of(BIG)
    done = pull(old, folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "tiny.gguf").read_bytes() == BIG


def test_a_web_page_is_no_model(hub, tmp_path):
    page = hub(data=b"<html>please sign in</html>" * 1000)
    done = pull(page, tmp_path, name=f"{page.url}/owner/repo/resolve/main/tiny.gguf")
    assert_last_line(done, "no GGUF file", "<html>")
    assert list(tmp_path.iterdir()) == []


def assert_last_line(done, *parts):
    assert done.returncode == 1 and done.stdout == b""
    last = done.stderr.decode().splitlines()[-1]
    assert last.startswith("notso: "), last
    for part in parts:
        assert part in last


def test_a_limit_of_file_size_keeps_what_fitted(hub, tmp_path):
    good = hub(data=BIG)
    limited = subprocess.run(
        [str(BINARY), "pull", NAME, "--models-dir", str(tmp_path)], env=environment(good), capture_output=True,
        timeout=60, check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000)))
    assert_last_line(limited, "tiny.gguf.part can't be written")
    assert (tmp_path / "tiny.gguf.part").stat().st_size == 2_000_000
    assert pull(good, tmp_path).returncode == 0
    assert good.starts == [0, 2_000_000]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cant_be_written(hub, tmp_path):
    tmp_path.chmod(0o500)
    assert_last_line(pull(hub(data=MODEL), tmp_path), "--models-dir")


def test_names_and_addresses_that_are_wrong(hub, tmp_path):
    good = hub(data=MODEL)
    assert_one_line_error(pull(good, tmp_path, name="nonsense"), "smollm3")
    assert_one_line_error(pull(good, tmp_path, name="a/b.gguf"), "OWNER/REPO/FILE.gguf", code=2)
    assert_one_line_error(pull(good, tmp_path, "--sha256", "12"), "64 hex digits", code=2)
    assert_one_line_error(pull(good, tmp_path, name="owner/repo/other.gguf"), "404")
    assert_one_line_error(pull(good, tmp_path, "--hub", "nonsense"), "--hub", code=2)
    assert good.starts == []
