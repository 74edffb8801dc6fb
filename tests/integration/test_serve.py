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
    assert time.monotonic() - start < 2


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
