"""models/download.sh against a local hub: resume, interruptions, wrong hashes, servers without ranges."""
import os
import subprocess

import pytest

from model_hub import DATA, NAME
from notso_process import ROOT


def download(hub, folder, name=NAME):
    env = {**os.environ, "NOTSO_HUB": hub.url, "NOTSO_MODELS_DIR": str(folder), "NOTSO_RETRY_DELAY": "0",
           "no_proxy": "127.0.0.1"}
    return subprocess.run([str(ROOT / "models/download.sh"), name], env=env, capture_output=True, text=True,
                          timeout=60, check=False)


def test_fetches_checks_and_then_asks_no_more(hub, tmp_path):
    good = hub()
    done = download(good, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tiny.gguf").read_bytes() == DATA
    assert not (tmp_path / "tiny.gguf.part").exists()
    again = download(good, tmp_path)
    assert again.returncode == 0 and "already there" in again.stdout
    assert good.starts == [0]


def test_goes_on_after_interruptions_within_one_run(hub, tmp_path):
    shaky = hub(cuts=[1_000_000, 500_000])
    done = download(shaky, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tiny.gguf").read_bytes() == DATA
    assert shaky.starts == [0, 1_000_000, 1_500_000]


def test_goes_on_where_an_earlier_run_stopped(hub, tmp_path):
    (tmp_path / "tiny.gguf.part").write_bytes(DATA[:1_234_567])
    good = hub()
    done = download(good, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tiny.gguf").read_bytes() == DATA
    assert good.starts == [1_234_567]


def test_a_hub_that_never_delivers_is_given_up_and_the_part_kept(hub, tmp_path):
    done = download(hub(cuts=[100_000] * 20), tmp_path)
    assert done.returncode == 1
    assert "start again to go on" in done.stderr
    assert (tmp_path / "tiny.gguf.part").stat().st_size == 800_000
    assert not (tmp_path / "tiny.gguf").exists()


@pytest.mark.parametrize("foreign", [b"x" * 1000, b"x" * len(DATA), b"x" * (len(DATA) + 5)])
def test_a_part_of_another_file_is_dropped(hub, tmp_path, foreign):
    (tmp_path / "tiny.gguf.part").write_bytes(foreign)
    done = download(hub(), tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tiny.gguf").read_bytes() == DATA


def test_server_without_ranges_starts_anew(hub, tmp_path):
    done = download(hub(cuts=[1_000_000], ranges=False), tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tiny.gguf").read_bytes() == DATA


def test_wrong_hash_is_refused_and_nothing_left(hub, tmp_path):
    done = download(hub(sha256="0" * 64), tmp_path)
    assert done.returncode == 1
    assert "wrong SHA-256" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("pointer", ["<html>sign in</html>", "oid sha256:zz\nsize 5\n", "oid sha256:" + "0" * 64])
def test_what_is_no_pointer_is_refused(hub, tmp_path, pointer):
    done = download(hub(pointer=pointer), tmp_path)
    assert done.returncode == 1 and "no pointer" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_unknown_file_and_wrong_use(hub, tmp_path):
    good = hub()
    assert download(good, tmp_path, "owner/repo/other.gguf").returncode == 1
    assert download(good, tmp_path, "nonsense").returncode == 2
