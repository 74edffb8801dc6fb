"""notso quantize on the real model: what it refuses, what it says, and that an interrupt leaves nothing."""
import json
import shutil
import signal
import subprocess
import time

import pytest

from notso_process import BINARY, assert_one_line_error, clean_environment, run_notso


def test_an_unknown_type_is_wrong_use_and_gets_the_list(model, tmp_path):
    done = run_notso("quantize", model, tmp_path / "out.gguf", "Q9_Z")
    assert_one_line_error(done, "Q9_Z", "Q8_0, Q4_0, Q4_K_M, Q5_K_M, Q6_K, F16", code=2)
    assert not list(tmp_path.iterdir())


def test_it_says_what_it_did(model, tmp_path):
    out = tmp_path / "out.gguf"
    done = run_notso("quantize", model, out, "q4_0")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "fallback: Q8_0 instead of Q6_K for 1 tensors with 576 columns (token_embd.weight" in text
    assert "quantised already (Q8_0)" in text or "quantised already (Q4_1)" in text
    assert "Q4_0: 210 of 272 tensors converted" in text
    assert "% " in done.stderr.decode()
    report = json.loads(run_notso("inspect", out, "--json").stdout)
    assert report["metadata"]["general.file_type"] == 2 and report["bytes"] == out.stat().st_size
    assert report["tensors"][0]["type"] == "Q8_0"


def test_a_file_that_is_there_stays_without_force(model, tmp_path):
    out = tmp_path / "out.gguf"
    out.write_text("precious")
    assert_one_line_error(run_notso("quantize", model, out, "Q8_0"), out, "--force")
    assert out.read_text() == "precious"
    assert run_notso("quantize", model, out, "Q8_0", "--force").returncode == 0
    assert out.read_bytes()[:4] == b"GGUF" and len(list(tmp_path.iterdir())) == 1


def test_the_input_is_never_overwritten(model, tmp_path):
    copy = tmp_path / "model.gguf"
    shutil.copy(model, copy)
    (tmp_path / "link.gguf").hardlink_to(copy)
    for out in (copy, tmp_path / "link.gguf"):
        assert_one_line_error(run_notso("quantize", copy, out, "F16", "--force"), "is the input")
    assert copy.read_bytes() == model.read_bytes()


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing(model, tmp_path, sig):
    with subprocess.Popen([str(BINARY), "quantize", str(model), str(tmp_path / "out.gguf"), "Q4_K_M", "-t", "1"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()) as process:
        deadline = time.monotonic() + 30
        while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
        sent = time.monotonic()
        process.send_signal(sig)
        assert process.wait(10) == 130
        assert time.monotonic() - sent < 5
        assert b"interrupted" in process.stderr.read()
    assert not list(tmp_path.iterdir())
