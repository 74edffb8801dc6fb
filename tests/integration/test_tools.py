"""`notso tool`: the built-in tools from the terminal, and the reference server of the Model Context Protocol through the
MCP client (over stdio and over HTTP)."""
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from notso_process import BINARY, ROOT, assert_one_line_error, clean_environment, run_notso


def test_runs_a_tool():
    done = run_notso("tool", "calculator", '{"expression": "2^100"}')
    assert (done.returncode, done.stdout) == (0, b"1267650600228229401496703205376\n")
    assert_one_line_error(run_notso("tool", "calculator", '{"expression": "1/0"}'), "division by zero")
    assert_one_line_error(run_notso("tool", "abacus", "{}"), "there is no tool named")


def test_answers_each_line_of_stdin():
    done = run_notso("tool", "calculator", stdin=b'{"expression":"1+1"}\n{"expression":"1+"}\n')
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[0] == {"text": "2", "is_error": False}
    assert rows[1]["is_error"]


def test_lists_tools():
    names = [line.split()[0] for line in run_notso("tool").stdout.decode().splitlines()]
    assert names == ["calculator", "date_time", "text_statistics", "convert_units", "notes", "read_document", "web_fetch"]


def test_reads_an_attached_file(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    assert run_notso("tool", "read_document", "{}", "--attach", tmp_path / "a.txt").stdout == b"hello\n"


def test_a_wrong_mcp_file_says_where(tmp_path):
    (tmp_path / "mcp.json").write_text('{"mcpServers": {"x": {}}}')
    assert_one_line_error(run_notso("tool", "x__y", "{}", "--data-dir", tmp_path), "mcp.json", 'server "x"')


@pytest.fixture(scope="session")
def everything():
    """The command that starts the reference server: (node, script)."""
    found = subprocess.run([ROOT / "tests/mcp/everything.sh"], capture_output=True, text=True, check=False)
    if found.returncode == 77:
        pytest.skip(found.stderr.strip().splitlines()[-1])
    assert found.returncode == 0, found.stderr
    node = subprocess.run([ROOT / "tools/node.sh"], capture_output=True, text=True, check=True).stdout.strip()
    script = Path(found.stdout.strip()) / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
    return str(Path(node) / "node"), str(script)


@pytest.fixture
def data_dir(everything, tmp_path):
    node, script = everything
    config = {"mcpServers": {"every": {"command": node, "args": [script, "stdio"]}}}
    (tmp_path / "mcp.json").write_text(json.dumps(config))
    return tmp_path


def tool(data_dir, name, arguments, *more):
    return run_notso("tool", name, json.dumps(arguments), "--data-dir", data_dir, *more)


def test_reference_server_lists_its_tools(data_dir):
    names = [line.split()[0] for line in run_notso("tool", "--data-dir", data_dir).stdout.decode().splitlines()]
    assert {"every__echo", "every__get-sum", "every__trigger-long-running-operation"} <= set(names), names


def test_reference_server_is_called(data_dir):
    assert tool(data_dir, "every__echo", {"message": "grüß"}).stdout.decode() == "Echo: grüß\n"
    assert "5" in tool(data_dir, "every__get-sum", {"a": 2, "b": 3}).stdout.decode()
    assert_one_line_error(tool(data_dir, "every__get-sum", {"a": 2}), '"b" is missing')


def test_reference_server_reports_progress(data_dir):
    done = tool(data_dir, "every__trigger-long-running-operation", {"duration": 1, "steps": 4}, "--progress")
    assert "completed" in done.stdout.decode().lower()
    assert [line.split()[0] for line in done.stderr.decode().splitlines() if " / 4" in line] == ["1", "2", "3", "4"]


@pytest.fixture
def long_call(data_dir):
    """A call that takes a minute and has begun."""
    arguments = json.dumps({"duration": 60, "steps": 60})
    process = subprocess.Popen([BINARY, "tool", "every__trigger-long-running-operation", arguments, "--data-dir",
                                data_dir, "--progress"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment())
    process.stderr.readline()
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


def test_reference_server_is_killed_in_a_call(long_call):
    children = {pid for task in Path(f"/proc/{long_call.pid}/task").iterdir() for pid in (task / "children").read_text().split()}
    assert children
    for pid in children:
        os.kill(int(pid), signal.SIGKILL)
    out, err = long_call.communicate(timeout=30)
    assert long_call.returncode == 1 and out == b"" and b"is gone" in err.splitlines()[-1], err


def test_a_call_is_cancelled(long_call):
    long_call.send_signal(signal.SIGINT)
    out, _ = long_call.communicate(timeout=30)
    assert long_call.returncode == 130 and out == b""


def test_reference_server_over_http(everything, tmp_path):
    node, script = everything
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([node, script, "streamableHttp"], env=clean_environment(PORT=str(port)),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            assert time.monotonic() < deadline and server.poll() is None
            time.sleep(0.05)
        (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": {"web": {"url": f"http://127.0.0.1:{port}/mcp"}}}))
        assert tool(tmp_path, "web__echo", {"message": "hi"}).stdout.decode() == "Echo: hi\n"
        done = tool(tmp_path, "web__trigger-long-running-operation", {"duration": 1, "steps": 2}, "--progress")
        assert "1 / 2" in done.stderr.decode() and "completed" in done.stdout.decode().lower()
    finally:
        server.kill()
        server.wait()
