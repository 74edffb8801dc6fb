"""notso logits, perplexity, inspect and doctor: what they report, and their errors."""
import fcntl
import json
import os
import struct

import pytest

from notso_process import ROOT, assert_one_line_error, clean_environment, run_notso

TINY = ROOT / "tests/golden/models/tiny_smollm3.gguf"
N_VOCAB = 264


def logits(tmp_path, *options, tokens="1,2,3", model=TINY):
    out = tmp_path / "out.f32"
    done = run_notso("logits", "-m", model, "--tokens", tokens, "--out", out, *options)
    return done, out.read_bytes() if out.exists() else b""


def test_the_last_rows_are_the_end_of_all_rows(tmp_path):
    ids = tmp_path / "ids"
    ids.write_text(" 5,\n6 , 7,8\n")
    for precision in ("exact", "fast"):
        ways = [["--precision", precision], ["--precision", precision, "--step"]]
        _, everything = logits(tmp_path, *ways[0], tokens=f"@{ids}")
        assert len(everything) == 4 * N_VOCAB * 4
        for last, rows in (("1", 1), ("3", 3), ("4", 4), ("5", 4), ("2147483648", 4)):
            for way in ways:
                done, part = logits(tmp_path, "--last", last, *way, tokens=f"@{ids}")
                assert done.returncode == 0 and part == everything[-rows * N_VOCAB * 4:], (last, way, done.stderr)


@pytest.mark.parametrize("tokens,part", [
    ("", "no token"), (" \n", "no token"), (",", "entry 1"), ("1,", "entry 2"), ("1,,2", "entry 2"), ("1 2", "no comma after entry 1"),
    ("-1", "entry 1"), ("264", "vocabulary of 264"), ("1,99999999999999999999", "entry 2"), ("1.5", "no comma"), ("x", "entry 1"),
    (",".join(["1"] * 513), "513 tokens"), ("@/no/such/file", "/no/such/file")])
def test_bad_tokens_are_named(tmp_path, tokens, part):
    done, written = logits(tmp_path, tokens=tokens)
    assert_one_line_error(done, part)
    assert written == b""


@pytest.mark.parametrize("option,value", [("--last", "0"), ("--last", "-1"), ("--last", "x"), ("--last", "99999999999"),
                                          ("--kv", "q3"), ("--precision", "none")])
def test_wrong_options_of_logits_exit_2(tmp_path, option, value):
    assert_one_line_error(logits(tmp_path, option, value)[0], option, code=2)


@pytest.mark.parametrize("out", ["/no/such/folder/x", "/", "/dev/full"])
def test_an_output_that_cannot_be_written_is_named(out):
    done = run_notso("logits", "-m", TINY, "--tokens", "1", "--out", out)
    assert_one_line_error(done, "--out", out)


def test_perplexity_reports_its_windows(model, tmp_path):
    text = tmp_path / "text"
    text.write_text("The sun rises in the east and sets in the west. " * 20)
    report = json.loads(run_notso("perplexity", "-m", model, "-f", text, "-c", 64, "--json").stdout)
    assert report["window"] == 64 and report["windows"] == report["tokens"] // 64 >= 2
    assert report["scored_tokens"] == report["windows"] * 31
    assert 1 < report["perplexity"] < 10 and report["standard_error"] > 0
    piped = run_notso("perplexity", "-m", model, "-f", "-", "-c", 64, stdin=text.read_bytes())
    assert f"perplexity {report['perplexity']:.4f}" in piped.stdout.decode() and piped.stderr == b""


@pytest.mark.parametrize("text,window,part", [("Hi", "64", "one window has 64"), ("", "64", "0 tokens"), ("Hi " * 99, "2", "4 to")])
def test_perplexity_refuses_what_fills_no_window(tmp_path, text, window, part):
    (tmp_path / "t").write_text(text)
    assert_one_line_error(run_notso("perplexity", "-m", TINY, "-f", tmp_path / "t", "-c", window), part, tmp_path / "t")


def test_perplexity_refuses_a_window_that_the_model_cannot_hold(tmp_path):
    (tmp_path / "t").write_text("Hi " * 999)
    assert_one_line_error(run_notso("perplexity", "-m", TINY, "-f", tmp_path / "t", "-c", 513), TINY, "513", "512 or less")


def inspect(path):
    done = run_notso("inspect", path, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["what_runs"], run_notso("inspect", path).stdout.decode()


def test_inspect_says_what_will_run(model):
    report, text = inspect(model)
    assert report["runs"] and report["problems"] == [] and "This model runs." in text
    assert report["memory"]["kv_per_token"] == 2 * 30 * 3 * 64 * 2
    assert report["memory"]["needed"] > model.stat().st_size * 0.9
    assert report["tokenizer"]["pre"] == "smollm" and report["tokenizer"]["end_tokens"]
    assert report["shape"]["nope_layers"] == [] and report["chat_template_bytes"] > 0
    assert all(row["kernel"] for row in report["types"])


def test_inspect_lists_layers_without_rotation():
    report, text = inspect(TINY)
    assert report["shape"]["nope_layers"] == [3] and "1 of 4 layers without rotation" in text
    assert report["tokenizer"]["role_tokens"]["<think>"] == 259
    assert report["chat_template_bytes"] == 0


def changed(tmp_path, old, new):
    data = TINY.read_bytes()
    assert data.count(old) >= 1 and len(old) == len(new)
    path = tmp_path / "changed.gguf"
    path.write_bytes(data.replace(old, new))
    return path


@pytest.mark.parametrize("old,new,part", [(b"smollm3", b"zzzzzz3", "shape"), (b"attn_q.weight", b"attn_Q.weight", "tensors"),
                                          (b"\x06\0\0\0\0\0\0\0smollm", b"\x06\0\0\0\0\0\0\0smallm", "tokenizer")])
def test_inspect_tells_what_is_wrong_with_a_file_that_does_not_run(tmp_path, old, new, part):
    report, text = inspect(changed(tmp_path, old, new))
    assert not report["runs"] and part in [p["part"] for p in report["problems"]], report["problems"]
    assert "does not run" in text and len(text.splitlines()) > 20


def test_inspect_escapes_hostile_strings(tmp_path):
    name = b"tiny_smollm3"
    path = changed(tmp_path, struct.pack("<Q", len(name)) + name, struct.pack("<Q", len(name)) + b"\x1b]0;x\x07\xff\xe2\x80\xae\n!")
    for option in ([], ["--json"]):
        out = run_notso("inspect", path, *option).stdout
        assert b"\x1b" not in out and b"\x07" not in out
        out.decode()
    assert "\\u001B" in run_notso("inspect", path).stdout.decode().upper().replace("\\U", "\\u")


def doctor(*options, env=None, **more):
    done = run_notso("doctor", "--json", *options, env=clean_environment(**(env or {})), timeout=120, **more)
    report = json.loads(done.stdout)
    assert done.returncode == (1 if report["verdict"] == "broken" else 0), done
    return {check["name"]: check for check in report["checks"]}, report


def test_doctor_tests_a_good_model(model, tmp_path):
    checks, report = doctor("-m", model, "--data-dir", tmp_path / "data")
    assert report["verdict"] != "broken", report
    assert not (tmp_path / "data").exists()
    for name in ("model", "passage", "fact", "determinism"):
        assert checks[name]["verdict"] == "ok", checks[name]
    assert checks["passage"]["facts"]["known_model"] and abs(checks["passage"]["facts"]["nats_per_token"] - 3.3813) < 0.002
    assert "Paris" in checks["fact"]["facts"]["answer"]
    assert checks["speed"]["facts"]["share_of_read_rate"] > 0  # how much depends on who else is computing
    assert all(check["advice"] for check in report["checks"] if check["verdict"] != "ok")


def test_doctor_finds_a_model_of_noise(tmp_path):
    checks, report = doctor("-m", TINY, "--data-dir", tmp_path)
    assert report["verdict"] == "broken"
    assert checks["passage"]["verdict"] == "broken" and checks["determinism"]["verdict"] == "ok"


def test_doctor_finds_broken_files(tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"GARBAGE")
    checks, report = doctor("-m", tmp_path / "bad.gguf", "--data-dir", tmp_path)
    assert report["verdict"] == "broken" and "inspect" in checks["model"]["advice"]
    (tmp_path / "notso.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    checks, report = doctor("--data-dir", tmp_path)
    assert checks["database"]["verdict"] == "broken" and report["verdict"] == "broken"
    checks, _ = doctor("--data-dir", tmp_path / "bad.gguf" / "sub")
    assert checks["data directory"]["verdict"] == "broken"


def test_doctor_sees_a_running_server_and_limits(tmp_path):
    with open(tmp_path / "notso.lock", "w") as lock:
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        checks, _ = doctor("--data-dir", tmp_path, env={"NOTSO_ISA": "generic"})
    assert checks["data directory"]["facts"]["in_use"] and str(os.getpid()) in checks["data directory"]["detail"]
    assert checks["processor"]["verdict"] == "warning"
    checks, report = doctor("--data-dir", tmp_path, env={"NOTSO_ISA": "sse9"})
    assert checks["processor"]["verdict"] == "broken" and report["verdict"] == "broken"
    text = run_notso("doctor", "--data-dir", tmp_path / "x", "--models-dir", tmp_path).stdout.decode()
    assert "warning  models" in text and "→" in text


def test_doctor_says_what_makes_this_process_slow(tmp_path):
    """One CPU of several, one thread, older kernels: each is named, with what to type."""
    every = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, every[:1])
    try:
        checks, report = doctor("--data-dir", tmp_path, env={"NOTSO_ISA": "generic"})
    finally:
        os.sched_setaffinity(0, every)
    assert checks["cores"]["verdict"] == "warning" and checks["cores"]["facts"]["used"] == 1, checks["cores"]
    if len(every) > 1:
        assert f"1 of {checks['affinity']['facts']['online']} CPUs" in checks["affinity"]["detail"]
        assert "taskset" in checks["affinity"]["advice"]
        checks, _ = doctor("--data-dir", tmp_path, env={"NOTSO_THREADS": "1"})
        assert checks["cores"]["verdict"] == "warning" and "1 used" in checks["cores"]["detail"]
    assert {"cpu limit", "clock", "heat", "stolen time", "memory", "large pages", "swap"} <= checks.keys()
    assert all(check["advice"] for check in report["checks"] if check["verdict"] != "ok")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_wild_answers_stream_as_utf8(model, real_server, seed):
    """At a high temperature byte tokens come in any order: what is streamed is text all the same, and the whole answer."""
    done = run_notso("run", "-m", model, "-p", "Hi", "--temp", 5, "--seed", seed, "-n", 60)
    assert len(done.stdout.decode()) > 60
    request = {"messages": [{"role": "user", "content": "Hi 🫠"}], "temperature": 1.9, "seed": seed, "max_tokens": 60}
    _, _, whole = real_server.post_json("/v1/chat/completions", request)
    _, _, events = real_server.post_json("/v1/chat/completions", {**request, "stream": True})
    pieces = [json.loads(line[6:]) for line in events.decode().splitlines() if line.startswith("data: {")]
    text = "".join(p["choices"][0]["delta"].get("content") or "" for p in pieces if p["choices"])
    assert text == json.loads(whole)["choices"][0]["message"]["content"]
    chat = run_notso("chat", "-m", model, stdin="Repeat: 🫠 é 漢\n".encode())
    assert chat.stdout.decode().strip()


def test_bench_reports_rates_beside_the_machines_limits(model):
    done = run_notso("bench", "-m", model, "-p", "1,20", "-n", 4, "-b", "1,3", "-r", 2, "--json", timeout=120)
    report = json.loads(done.stdout)
    assert [rate["name"] for rate in report["rates"]] == ["pp1 exact", "pp1 fast", "pp20 exact", "pp20 fast", "tg4", "tg4 x1",
                                                        "tg4 x3"]
    for rate in report["rates"]:
        assert 0 < rate["least"] <= rate["tokens_per_second"] <= rate["most"], rate
    reading = 90e6 / report["read_bytes_per_second"]  # the weights are 95 MB
    for rate, sequences in zip(report["rates"][-2:], (1, 3)):
        assert rate["sequences"] == sequences
        assert rate["step_seconds"] == pytest.approx(sequences / rate["tokens_per_second"])
        assert rate["share_of_limit"] == pytest.approx(rate["bound_seconds"] / rate["step_seconds"])
        assert reading < rate["bound_seconds"] < 1
    assert all("sequences" not in rate for rate in report["rates"][:-2])
    assert report["read_bytes_per_second"] > 1e7 and report["load_seconds"] > 0
    assert (report["join_seconds"] > 0) == (report["threads"] > 1)
    assert 50 << 20 < report["resident_bytes"] < report["planned_bytes"] * 2
    assert report["work"]["bytes_per_token"] > 50 << 20 and report["work"]["prompt_macs"] > report["work"]["head_macs"] > 1 << 20
    for people in run_notso("bench", "-m", model, "-p", "2", "-n", 0, "-r", 1).stdout.decode().splitlines()[-2:]:
        assert "pp2" in people and "tokens/s" in people
    people = run_notso("bench", "-m", TINY, "-p", "1", "-n", 2, "-b", "2", "-r", 1).stdout.decode().splitlines()[-1]
    assert "tg2 x2" in people and "ms a step" in people and "times the bound" in people


def test_bench_decodes_at_a_depth(model):
    """One slice between two moments of reading: its share is that of the whole."""
    done = run_notso("bench", "-m", model, "-p", "1", "-n", 3, "--depth", 300, "-r", 1, "--json", timeout=120)
    report = json.loads(done.stdout)
    assert [rate["name"] for rate in report["rates"]] == ["pp1 exact", "pp1 fast", "tg3", "tg3@300"]
    deep, work = report["rates"][-1], report["work"]
    read = work["bytes_per_token"] + 301.5 * work["kv_bytes_per_token"]
    assert deep["share_of_limit"] == pytest.approx(deep["tokens_per_second"] * read / deep["read_bytes_per_second"])
    assert report["rates"][2]["share_of_limit"] == pytest.approx(
        report["rates"][2]["tokens_per_second"] * work["bytes_per_token"] / report["rates"][2]["read_bytes_per_second"])
    assert 0 < max(row["read_bytes_per_second"] for row in report["rates"][2:]) <= report["read_bytes_per_second"]


@pytest.mark.parametrize("options,part", [(("-p", "0"), '"0"'), (("--depth", "449", "-p", "1"), "514 tokens"), (("-p", "1,,2"), '""'), (("-p", "x"), '"x"'), (("-p", ""), '""'),
                                          (("-p", "600"), "context of 512"), (("-n", "512", "-p", "1"), "context of 512"),
                                          (("-b", "1,x"), '--batch: "x"'), (("-b", "0"), '"0"'), (("-b", "2", "-n", "0"), "--batch")])
def test_lengths_that_bench_cannot_measure_are_named(options, part):
    assert_one_line_error(run_notso("bench", "-m", TINY, "-r", 1, *options, timeout=60), part)
