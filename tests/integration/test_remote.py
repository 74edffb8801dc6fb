"""A notso that lets another notso answer: the same text, and what is left when the far side dies in the middle."""
import html
import http.server
import json
import re
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest

from notso_process import assert_one_line_error, clean_environment, run_notso

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
QUESTION = {"messages": [{"role": "user", "content": "Name three colours."}], "temperature": 0, "max_tokens": 24}


def front_of(start_server, far, *more, env=None):
    return start_server("--backend", "remote", "--remote-url", f"http://127.0.0.1:{far.port}/v1", *more, env=env)


def answer_of(server, question, **options):
    status, _, body = server.post_json("/v1/chat/completions", question, timeout=120, **options)
    assert status == 200, body
    return json.loads(body)


def page_of(server, path):
    status, _, body = server.get(path)
    assert status == 200
    return html.unescape(body.decode())


def send_message(server, text):
    status, headers, body = server.request("POST", "/chat", urllib.parse.urlencode({"message": text}), FORM)
    assert status == 303, body
    return headers["location"].split("?")[0]


def wait_for(condition, what, timeout=60):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_the_far_side_answers_through_the_near_one(start_server, real_server):
    front = front_of(start_server, real_server).wait_ready()
    direct, through = answer_of(real_server, QUESTION), answer_of(front, QUESTION)
    assert through["choices"][0]["message"]["content"] == direct["choices"][0]["message"]["content"] != ""
    assert through["choices"][0]["finish_reason"] == direct["choices"][0]["finish_reason"]
    for count in ("prompt_tokens", "completion_tokens"):
        assert through["usage"][count] == direct["usage"][count]
    far_model = json.loads(real_server.get("/api/model-info")[2])
    model = json.loads(front.get("/api/model-info")[2])
    assert model["id"] == far_model["id"] and model["context_length"] == far_model["context_length"]
    assert model["remote_host"] == f"127.0.0.1:{real_server.port}" and far_model["remote_host"] == ""


def test_the_page_says_where_text_goes(start_server, stub_server):
    front = front_of(start_server, stub_server).wait_ready()
    host = f"127.0.0.1:{stub_server.port}"
    page = page_of(front, "/")
    assert f"<strong>Remote model:</strong> your text goes to {host}." in page
    assert f"runs on {host}. What you write goes there." in page
    assert "your own machine" not in page and "stays here" not in page
    path = send_message(front, "Hello")
    wait_for(lambda: "You wrote: Hello" in page_of(front, path), "no answer on the page")
    assert "Remote model:" not in page_of(stub_server, "/")


def test_a_killed_far_side_leaves_the_text_and_a_clear_error(start_server, stub_server):
    front = front_of(start_server, stub_server).wait_ready()
    path = send_message(front, "[long 5000]")
    words = lambda: re.findall(r"\bword\d+\b", page_of(front, path))
    wait_for(lambda: len(words()) >= 20, "the answer did not begin")
    stub_server.process.kill()
    wait_for(lambda: "The answer broke off." in page_of(front, path), "no error on the page")
    page, shown = page_of(front, path), words()
    assert len(shown) >= 20 and shown == [f"word{i}" for i in range(1, len(shown) + 1)]
    assert re.search(rf"The server (?:at )?\S*127\.0\.0\.1:{stub_server.port}\S* closed the connection in the middle of \w+ answer; try again", page)
    assert ">Retry<" in page
    wait_for(lambda: front.get("/readyz")[0] == 503, "the far side's end was not noticed", 30)
    # In between it is asked once more, and the page says that instead.
    wait_for(lambda: "Nothing answers at" in page_of(front, "/"), "the page does not tell why")
    refused = front.request("POST", "/chat", urllib.parse.urlencode({"message": "kept"}), FORM)
    assert refused[0] == 503 and "he remote model can't be used: nothing answers" in html.unescape(refused[2].decode())


def test_the_far_side_may_come_later(start_server, tmp_path):
    first = start_server("--backend", "stub", data_dir=tmp_path / "far").wait_ready()
    port = first.port
    front = front_of(start_server, first).wait_ready()
    first.stop()
    status, _, body = front.post_json("/v1/chat/completions", QUESTION, timeout=60)
    assert status == 503 and b"nothing answers at" in body
    wait_for(lambda: front.get("/readyz")[0] == 503, "its absence was not noticed", 60)
    start_server("--backend", "stub", "--port", port, data_dir=tmp_path / "far").wait_ready()
    front.wait_ready(30)
    assert "You wrote: Back?" in answer_of(front, {"messages": [{"role": "user", "content": "Back?"}]})[
        "choices"][0]["message"]["content"]


def test_the_key_reaches_the_far_side_and_no_log(start_server):
    far = start_server("--backend", "stub", "--api-key", "far-s3cret-key").wait_ready()
    front = front_of(start_server, far, env={"NOTSO_REMOTE_KEY": "far-s3cret-key"}).wait_ready()
    assert answer_of(front, QUESTION)["choices"][0]["message"]["content"]
    wrong = front_of(start_server, far, env={"NOTSO_REMOTE_KEY": "wrong-s3cret-key"})
    wait_for(lambda: b"NOTSO_REMOTE_KEY" in wrong.get("/readyz")[2], "the refused key was not noticed")
    for server in (front, wrong):
        server.stop()
        assert "remote_key=set" in server.log_text() and "s3cret" not in server.log_text()


def test_run_answers_and_fails_in_one_line(start_server, stub_server):
    remote = ("--backend", "remote", "--remote-url", f"{stub_server.url}/v1")
    done = run_notso("run", *remote, "-p", "Hi")
    assert done.returncode == 0 and b"You wrote: Hi" in done.stdout and done.stderr == b""
    stub_server.stop()
    assert_one_line_error(run_notso("run", *remote, "-p", "Hi"), f"nothing answers at localhost:{stub_server.port}")
    assert_one_line_error(run_notso("run", "--backend", "remote", "-p", "Hi"), "--remote-url")
    bad = run_notso("run", "--backend", "remote", "--remote-url", "http://ada:pa55@localhost/v1", "-p", "Hi")
    assert_one_line_error(bad, "--remote-url", code=2)
    assert b"pa55" not in bad.stderr


class OverTls(http.server.BaseHTTPRequestHandler):
    """A server of one model, as little of it as is needed."""

    def send(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.send("application/json", b'{"data":[{"id":"m"}]}')

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send("text/event-stream", b'data: {"choices":[{"delta":{"content":"Sealed"}}]}\n\ndata: [DONE]\n\n')

    def log_message(self, *_):
        pass


@pytest.fixture
def tls_server(tmp_path):
    """A server with a certificate of its own: (address, path of the certificate)."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OverTls)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}/v1", certificate
    server.shutdown()
    server.server_close()


def test_only_trusted_certificates_are_talked_to(tls_server):
    address, certificate = tls_server
    plain = {k: v for k, v in clean_environment().items() if k not in ("CURL_CA_BUNDLE", "SSL_CERT_FILE")}
    ask = lambda url, **env: run_notso("run", "--backend", "remote", "--remote-url", url, "-p", "Hi",
                                       env={**plain, **env})
    assert_one_line_error(ask(address), "no trusted connection to localhost")
    assert ask(address, SSL_CERT_FILE=str(certificate)).stdout == b"Sealed\n"
    other_name = address.replace("localhost", "127.0.0.1")
    assert_one_line_error(ask(other_name, SSL_CERT_FILE=str(certificate)), "no trusted connection to 127.0.0.1")
