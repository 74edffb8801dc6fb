"""Starting and ending the server: its first line, ports, data folders, signals."""
import signal
import socket
import time

import pytest

from notso_process import assert_one_line_error, run_notso

STUB = ("--backend", "stub")


def test_first_line_is_the_address_and_livez_answers(start_server):
    server = start_server(*STUB)
    assert server.url == f"http://localhost:{server.port}"
    assert server.get("/livez")[0] == 200
    server.wait_ready()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_an_idle_server_at_once_with_0(start_server, sig):
    server = start_server(*STUB).wait_ready()
    start = time.monotonic()
    assert server.stop(sig) == 0
    assert time.monotonic() - start < 15  # well under the grace for running answers


def test_log_names_versions_and_settings_but_no_secret(start_server):
    server = start_server(*STUB, "--api-key", "s3cret-key-value").wait_ready()
    server.stop()
    log = server.log_text()
    assert "sqlite=3." in log and "event=settings" in log and "api_key=set" in log
    assert "s3cret" not in log


def test_port_taken_is_one_line_and_exit_1(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_notso("serve", *STUB, "--log", "off", "--port", port, "--data-dir", tmp_path / "d", timeout=10)
    assert_one_line_error(done, port, "--port")


def test_foreign_address_without_a_key_refuses(tmp_path):
    done = run_notso("serve", *STUB, "--log", "off", "--host", "0.0.0.0", "--port", "0", "--data-dir", tmp_path / "d",
                     timeout=10)
    assert_one_line_error(done, "--api-key")


def test_port_comes_from_the_environment_and_the_flag_wins(start_server):
    server = start_server(*STUB, env={"PORT": "1"})
    assert server.port != 1


def test_locked_data_folder_is_one_line_with_the_owner(start_server, tmp_path):
    first = start_server(*STUB, data_dir=tmp_path / "shared")
    done = run_notso("serve", *STUB, "--log", "off", "--port", "0", "--data-dir", tmp_path / "shared", timeout=10)
    assert_one_line_error(done, tmp_path / "shared", first.process.pid)


def test_data_folder_that_can_not_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", "/proc/notso"):
        done = run_notso("serve", *STUB, "--log", "off", "--port", "0", "--data-dir", folder, timeout=10)
        assert_one_line_error(done, folder)


def test_read_only_data_folder_is_one_line(tmp_path):
    """Root may write anywhere, so the folder lies on a read-only mount of its own; without rights to mount: chmod."""
    import os
    import subprocess
    folder = tmp_path / "data"
    folder.mkdir()
    if os.geteuid() == 0:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", str(folder)], capture_output=True)
        if mounted.returncode != 0:
            pytest.skip("root without the right to mount can't make a folder read-only")
    else:
        folder.chmod(0o500)
    try:
        done = run_notso("serve", *STUB, "--log", "off", "--port", "0", "--data-dir", folder, timeout=10)
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", str(folder)], check=True)
    assert_one_line_error(done, folder)
