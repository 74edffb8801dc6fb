"""Starting, watching and ending the program in tests: a server process, and one-shot commands."""
import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("NOTSO_BIN", ROOT / "build" / "release" / "notso"))
CACHE = Path(os.environ.get("NOTSO_CACHE", Path.home() / ".cache" / "notso"))
MODEL_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"


def model_path():
    """The default model: test.sh has put it there."""
    for folder in (ROOT / "models", CACHE / "models"):
        if (folder / MODEL_NAME).exists():
            return folder / MODEL_NAME
    raise FileNotFoundError(f"{MODEL_NAME} is neither in models/ nor in {CACHE}/models; run ./test.sh")


def clean_environment(**more):
    """This process's environment without settings of the program."""
    names = ("MODEL_PATH", "TOKENIZER_PATH", "PORT", "RUST_LOG")
    kept = {k: v for k, v in os.environ.items() if k not in names and not k.startswith("NOTSO_")}
    return {**kept, **more}


def run_notso(*arguments, timeout=60, stdin=None, cwd=None, env=None):
    """Runs one command to its end: CompletedProcess with bytes."""
    return subprocess.run([str(BINARY), *map(str, arguments)], input=stdin, capture_output=True, timeout=timeout,
                          cwd=cwd, env=env or clean_environment(), check=False)


def assert_one_line_error(done, *parts, code=1):
    """The promise of every failure: exit code, nothing on stdout, one line on stderr that names what and where."""
    text = done.stderr.decode()
    assert done.returncode == code, (done.returncode, text)
    assert done.stdout == b"", done.stdout[:200]
    assert text.startswith("notso: ") and text.endswith("\n") and text.count("\n") == 1, text
    for part in parts:
        assert str(part) in text, (part, text)


class Server:
    """A `notso serve` process on a free port of its own, with a data folder of its own."""

    def __init__(self, data_dir, arguments=(), env=None):
        command = [str(BINARY), "serve", "--port", "0", "--data-dir", str(data_dir), *map(str, arguments)]
        self.data_dir = data_dir
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=clean_environment(**(env or {})))
        self.log = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        line = self.process.stdout.readline().decode()
        match = re.fullmatch(r"http://localhost:(\d+)\n", line)
        if not match:
            self.process.wait(20)
            self._reader.join(5)
            raise RuntimeError(f"server did not start: {line!r} {self.log_text()}")
        self.port = int(match.group(1))
        self.url = line.strip()

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.decode(errors="replace"))

    def log_text(self):
        return "".join(self.log)

    def request(self, method, path, body=None, headers=None, timeout=30):
        """One request on a connection of its own: (status, headers, body as bytes)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post_json(self, path, value, **options):
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        return self.request("POST", path, body=json.dumps(value).encode(), headers=headers, **options)

    def wait_ready(self, timeout=60):
        """Until the model is loaded."""
        deadline = time.monotonic() + timeout
        while self.get("/readyz")[0] != 200:
            assert time.monotonic() < deadline, f"not ready after {timeout} s: {self.log_text()}"
            assert self.process.poll() is None, self.log_text()
            time.sleep(0.05)
        return self

    def stop(self, sig=signal.SIGTERM, timeout=40):
        """Sends a signal and waits: the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self._reader.join(5)
        return code
