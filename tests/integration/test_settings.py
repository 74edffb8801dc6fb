"""Settings and wrong use, as the shell sees them."""
import pytest

from notso_process import assert_one_line_error, clean_environment, run_notso


def test_models_lists_what_is_installed(tmp_path):
    (tmp_path / "a.gguf").write_bytes(b"x" * 1000)
    (tmp_path / "b.txt").write_bytes(b"x")
    done = run_notso("models", "--models-dir", tmp_path)
    assert done.returncode == 0
    assert done.stdout.decode().split()[0] == "a"
    assert done.stdout.count(b"\n") == 1


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["models", "--nonsense"], ["models", "extra"]])
def test_wrong_use_exits_2(arguments):
    assert_one_line_error(run_notso(*arguments), code=2)


def test_settings_file_errors_name_file_and_line(tmp_path):
    (tmp_path / "notso.toml").write_text("host = '127.0.0.1'\nprot = 1\n")
    assert_one_line_error(run_notso("models", cwd=tmp_path), "notso.toml:2", "prot")


def test_bad_variable_is_named():
    assert_one_line_error(run_notso("models", env=clean_environment(PORT="99999")), "PORT", "99999")


def test_closed_stdout_is_an_error():
    with open("/dev/full", "wb") as full:
        import subprocess
        from notso_process import BINARY
        done = subprocess.run([str(BINARY), "models"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1, done
