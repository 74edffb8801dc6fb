"""notso tokenize, detokenize and inspect on the real model: the line protocol and its errors."""
import json

import pytest

from notso_process import assert_one_line_error, run_notso


def run_lines(model, command, values, *options, **more):
    lines = "".join(json.dumps(value) + "\n" for value in values)
    return run_notso(command, "-m", model, *options, stdin=lines.encode(), **more)


TEXTS = ["", "Hello world", "a\u0000b\tc\r\n", "日本語 naïve 👩‍👩‍👧 \u200b", '"quotes" \\ /', " " * 1000, "12345 1.5e-3",
         "<|im_start|>user\nHi<|im_end|>"]


def test_texts_survive_the_round_trip(model):
    for options in ([], ["--special"]):
        ids = run_lines(model, "tokenize", TEXTS, *options)
        assert ids.returncode == 0, ids.stderr
        back = run_notso("detokenize", "-m", model, "--special", stdin=ids.stdout)
        assert [json.loads(line) for line in back.stdout.splitlines()] == TEXTS


def test_special_decides_whether_control_tokens_are_parsed(model):
    plain, special = (json.loads(run_lines(model, "tokenize", ["<|im_start|>"], *options).stdout)
                      for options in ([], ["--special"]))
    assert special == [1] and len(plain) > 1
    left_out = run_notso("detokenize", "-m", model, stdin=b"[1]\n")
    assert left_out.stdout == b'""\n'


def test_escapes_of_every_kind_mean_the_same(model):
    done = run_notso("tokenize", "-m", model, stdin=b'"\\ud83d\\ude00\\u00e9"\n"\xf0\x9f\x98\x80\xc3\xa9"\n')
    first, second = done.stdout.splitlines()
    assert first == second


def test_ten_mebibytes_on_one_line(model):
    text = "word " * (2 * 1024 * 1024)
    done = run_lines(model, "tokenize", [text], timeout=120)
    assert done.returncode == 0
    back = run_notso("detokenize", "-m", model, stdin=done.stdout, timeout=120)
    assert json.loads(back.stdout) == text


def test_lines_are_answered_as_they_come(model):
    """A program that writes one line and waits for the answer must not wait for ever."""
    import subprocess
    from notso_process import BINARY, clean_environment
    with subprocess.Popen([str(BINARY), "tokenize", "-m", str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          env=clean_environment()) as process:
        for text in ("one", "two"):
            process.stdin.write(json.dumps(text).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize("command,line,part", [
    ("tokenize", b"hello", "not JSON"), ("tokenize", b'"open', "not JSON"), ("tokenize", b"[1]", "not a JSON string"),
    ("tokenize", b'"\xff"', "not JSON"), ("tokenize", b"", "not JSON"), ("detokenize", b'"a"', "not a JSON array"),
    ("detokenize", b"[1.5]", "1.5"), ("detokenize", b"[-1]", "-1"), ("detokenize", b"[49152]", "49152"),
    ("detokenize", b"[99999999999999999999]", "no token id"), ("detokenize", b"[[1]]", "[1]")])
def test_bad_lines_are_named(model, command, line, part):
    good = b'"ok"' if command == "tokenize" else b"[1]"
    done = run_notso(command, "-m", model, stdin=good + b"\n" + line + b"\n")
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1 and b"stdin line 2: " in done.stderr and part.encode() in done.stderr, done


def test_inspect_json_is_complete(model):
    report = json.loads(run_notso("inspect", model, "--json").stdout)
    assert set(report) >= {"path", "bytes", "version", "metadata", "tensors"}
    assert report["bytes"] == model.stat().st_size and len(report["tensors"]) == 272
    assert report["metadata"]["general.architecture"] == "llama"
    assert report["tensors"][0] == {"name": "token_embd.weight", "type": "Q8_0", "shape": [576, 49152],
                                    "offset": 1785664, "bytes": 30081024}


def test_a_foreign_tokenizer_file_that_does_not_fit_is_refused(model, tmp_path):
    foreign = tmp_path / "tokenizer.json"
    foreign.write_text("{}")
    assert_one_line_error(run_notso("tokenize", "-m", model, "--tokenizer", foreign, stdin=b'"a"\n'), foreign)


TEMPLATE = "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}" \
           "{% if tools %}{{ tools | length }} tools\n{% endif %}{% if enable_thinking is defined %}" \
           "think={{ enable_thinking }}\n{% endif %}{% if add_generation_prompt %}[assistant]{% endif %}"


@pytest.fixture
def render_files(tmp_path):
    (tmp_path / "t.jinja").write_text(TEMPLATE)
    (tmp_path / "m.json").write_text(json.dumps([{"role": "user", "content": "Hé\n"}]))
    (tmp_path / "tools.json").write_text(json.dumps([{"type": "function"}]))
    (tmp_path / "r.json").write_text(json.dumps({"messages": [], "bos_token": "B", "add_generation_prompt": False}))
    return tmp_path


@pytest.mark.parametrize("options,expected", [
    (["--messages", "m.json"], "<s>[user] Hé\n\n[assistant]"),
    (["--messages", "m.json", "--no-generation-prompt"], "<s>[user] Hé\n\n"),
    (["--messages", "m.json", "--tools", "tools.json"], "<s>[user] Hé\n\n1 tools\n[assistant]"),
    (["--messages", "m.json", "--think"], "<s>[user] Hé\n\nthink=True\n[assistant]"),
    (["--messages", "m.json", "--no-think"], "<s>[user] Hé\n\nthink=False\n[assistant]"),
    (["--request", "r.json"], "B")])
def test_render_prints_exactly_the_prompt(render_files, options, expected):
    done = run_notso("render", "--template", "t.jinja", *options, cwd=render_files)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == expected


def test_render_takes_template_and_markers_from_the_model(model, render_files):
    done = run_notso("render", "-m", model, "--messages", "m.json", cwd=render_files)
    assert done.stdout.decode().endswith("<|im_start|>user\nHé\n<|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize("template,part", [("{% if %}", "line 1"), ("\n{{ nope.x }}", "line 2"),
                                           ("{{ raise_exception('not today') }}", "not today")])
def test_render_failures_are_one_line(render_files, template, part):
    (render_files / "t.jinja").write_text(template)
    assert_one_line_error(run_notso("render", "--template", "t.jinja", "--messages", "m.json", cwd=render_files), part)


def test_the_clock_can_be_set(render_files):
    (render_files / "t.jinja").write_text("{{ strftime_now('%d %B %Y %H:%M') }}")
    done = run_notso("render", "--template", "t.jinja", "--messages", "m.json", "--now", "2025-07-08T12:00:00",
                     cwd=render_files)
    assert done.stdout == b"08 July 2025 12:00"


@pytest.mark.parametrize("options", [[], ["--messages", "m.json", "--request", "r.json"],
                                     ["--request", "r.json", "--think"], ["--messages", "m.json", "--think", "--no-think"]])
def test_wrong_use_of_render_exits_2(render_files, options):
    assert_one_line_error(run_notso("render", "--template", "t.jinja", *options, cwd=render_files), code=2)
