"""Models that can't run: missing, broken, truncated, of a foreign architecture. One line and exit 1 in the commands;
the server lives on and its page says it."""
import struct

import pytest

from notso_process import assert_one_line_error, run_notso


def rename_architecture(data):
    """The same file under an architecture that nobody knows; every length stays."""
    old = struct.pack("<Q", 5) + b"llama"
    assert data.count(old) >= 1
    return data.replace(old, struct.pack("<Q", 5) + b"zzzzz", 1)


@pytest.fixture(scope="module")
def bad_models(tmp_path_factory, model):
    folder = tmp_path_factory.mktemp("bad")
    good = model.read_bytes()
    files = {"truncated": good[:1_000_000], "cut_in_the_data": good[:50_000_000], "no_magic": b"GARB" + good[4:5000],
             "empty": b"", "foreign": rename_architecture(good), "text": b"hello\n" * 100}
    for name, data in files.items():
        (folder / f"{name}.gguf").write_bytes(data)
    return folder


BAD = ["truncated", "cut_in_the_data", "no_magic", "empty", "foreign", "text"]


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("command", [("run", "-p", "Hi"), ("chat",), ("logits", "--tokens", "1", "--out", "/dev/null")])
def test_commands_exit_1_with_one_line(bad_models, name, command):
    path = bad_models / f"{name}.gguf"
    assert_one_line_error(run_notso(*command, "-m", path, stdin=b""), path)


def test_a_foreign_architecture_is_named_with_what_runs(bad_models):
    done = run_notso("run", "-p", "Hi", "-m", bad_models / "foreign.gguf")
    assert_one_line_error(done, "zzzzz", "llama", "smollm3")


@pytest.mark.parametrize("command", [("run", "-p", "Hi"), ("chat",), ("tokenize",), ("inspect",)])
def test_missing_model_says_where_it_looked(tmp_path, command):
    model = (tmp_path / "none.gguf",) if command == ("inspect",) else ("-m", tmp_path / "none.gguf")
    assert_one_line_error(run_notso(*command, *model, stdin=b""), tmp_path / "none.gguf")
    if command != ("inspect",):
        assert_one_line_error(run_notso(*command, "--models-dir", tmp_path, stdin=b""), tmp_path, "download.sh")


@pytest.mark.parametrize("name", BAD + ["none"])
def test_the_server_lives_on_and_says_it(start_server, bad_models, name):
    server = start_server("-m", bad_models / f"{name}.gguf")
    for _ in range(200):
        status, _, body = server.get("/health")
        if b'"failed"' in body:
            break
    assert status == 200 and b'"failed"' in body and f"{name}.gguf".encode() in body, body
    assert server.get("/readyz")[0] == 503
    assert server.get("/livez")[0] == 200
    status, _, page = server.get("/")
    assert status == 200 and f"{name}.gguf".encode() in page
    assert server.stop() == 0
