"""Every limit of the HTTP server, against the real program: at it, just over, a thousand times over; ambiguous and
slow requests; headers that every response carries."""
import json
import re
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from raw_http import RawClient, ask, get, post

KIB = 1024
CHAT = b"/v1/chat/completions"
TINY = json.dumps({"messages": [{"role": "user", "content": "[echo] x"}]}).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    from notso_process import Server
    server = Server(tmp_path_factory.mktemp("limits") / "data", ("--backend", "stub")).wait_ready()
    yield server
    assert server.process.poll() is None, "the server must survive all of this"
    assert server.stop() == 0


def padded(size):
    """A valid chat request of exactly `size` bytes."""
    return TINY + b" " * (size - len(TINY))


def chunked(path, chunks):
    return (b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + chunks)


def test_request_line(server):
    room = 8 * KIB - len("GET  HTTP/1.1")
    assert ask(server, get(b"/livez?" + b"a" * (room - len("/livez?")))).status == 200
    assert ask(server, get(b"/livez?" + b"a" * (room - len("/livez?") + 1))).status == 414
    assert ask(server, get(b"/livez?" + b"a" * (8 * KIB * 1000))).status == 414


def test_header_block_and_count(server):
    room = 16 * KIB - len("Host: localhost\r\nA: \r\n")
    assert ask(server, get(b"/livez", b"A: " + b"a" * room + b"\r\n")).status == 200
    assert ask(server, get(b"/livez", b"A: " + b"a" * (room + 1) + b"\r\n")).status == 431
    assert ask(server, get(b"/livez", b"A: " + b"a" * (16 * KIB * 1000) + b"\r\n")).status == 431
    assert ask(server, get(b"/livez", b"A: b\r\n" * 99)).status == 200
    assert ask(server, get(b"/livez", b"A: b\r\n" * 100)).status == 431
    assert ask(server, get(b"/livez", b"A: b\r\n" * 100_000)).status == 431


def test_bodies(server):
    limit = 4 * KIB * KIB
    assert ask(server, post(CHAT, padded(limit))).status == 200
    assert ask(server, post(CHAT, padded(limit + 1))).status == 413
    far = b"POST " + CHAT + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
    assert ask(server, far + str(limit * 1000).encode() + b"\r\n\r\n").status == 413
    assert ask(server, far + b"9" * 40 + b"\r\n\r\n").status == 413
    body = padded(limit)
    assert ask(server, chunked(CHAT, b"400000\r\n" + body + b"\r\n0\r\n\r\n")).status == 200
    assert ask(server, chunked(CHAT, b"400000\r\n" + body + b"\r\n1\r\n \r\n0\r\n\r\n")).status == 413
    assert ask(server, chunked(CHAT, b"fffffffffffffff\r\n")).status == 413


@pytest.mark.parametrize("data", [
    post(CHAT, b"{}", b"Transfer-Encoding: chunked\r\n"),
    b"POST " + CHAT + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"POST " + CHAT + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    b"POST " + CHAT + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n{}",
    b"POST " + CHAT + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST " + CHAT + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"GET /livez HTTP/1.1\nHost: localhost\n\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nA: b\rc\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nA: b\0c\r\n\r\n",
    get(b"/livez", b"A: b\r\n folded\r\n"),
    get(b"/livez", b"A: b\r\n\tfolded\r\n"),
    get(b"/livez", b"A : b\r\n"),
    b"GET /livez HTTP/1.1\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    get(b"/%00"),
    get(b"/%zz"),
    get(b"/\xff"),
    b"GET  /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
] + [chunked(CHAT, size + b"\r\nhello\r\n0\r\n\r\n")
     for size in (b"+5", b"-5", b"0x5", b"5_0", b" 5", b"5 ", b"", b"g", b"00000000000000005")]
  + [chunked(CHAT, text) for text in (b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello!\r\n0\r\n\r\n", b"5\r\nhell\r\n0\r\n\r\n")])
def test_ambiguous_requests_are_answered_400_and_closed(server, data):
    with RawClient(server) as client:
        # Whatever is smuggled behind must not be answered as a request of its own.
        client.send(data + get(b"/livez"))
        assert client.read_answer().status == 400
        assert client.read_answer().status == 0


def test_slow_head_and_silence(server):
    with RawClient(server) as slow, RawClient(server) as silent:
        start = time.monotonic()
        slow.send(b"GET /livez HTTP/1.1\r\nHost:")
        assert slow.read_answer().status == 408
        assert 9 < time.monotonic() - start < 20
        assert silent.seconds_until_closed(10) is not None


def test_slow_body(server):
    with RawClient(server) as client:
        start = time.monotonic()
        client.send(b"POST " + CHAT + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    b"Content-Length: 100\r\n\r\n{")
        assert client.read_answer().status == 408
        assert 14 < time.monotonic() - start < 25


def test_connections_per_address(server):
    clients = [RawClient(server) for _ in range(256)]
    try:
        assert clients[-1].ask(get(b"/livez")).status == 200
        refused = ask(server, get(b"/livez"))
        assert refused.status == 503
        assert refused.headers["retry-after"]
    finally:
        for client in clients:
            client.socket.close()
    deadline = time.monotonic() + 10
    while ask(server, get(b"/livez")).status != 200:
        assert time.monotonic() < deadline


def test_reset_in_every_phase(server):
    request = post(CHAT, TINY)
    for cut in range(0, len(request) + 1, 3):
        with RawClient(server) as client:
            client.send(request[:cut])
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert ask(server, get(b"/livez")).status == 200


def test_thousand_requests_on_one_connection(server):
    with RawClient(server) as client:
        assert all(client.ask(get(b"/livez")).status == 200 for _ in range(1000))
        client.send(get(b"/livez") * 100)
        assert all(client.read_answer().status == 200 for _ in range(100))


def test_random_slices(server):
    import random
    rng = random.Random(5)
    data = get(b"/livez") + post(CHAT, TINY) + chunked(CHAT, b"5;x=y\r\n" + TINY[:5] + b"\r\n" +
                                                       b"%x\r\n" % (len(TINY) - 5) + TINY[5:] + b"\r\n0\r\n\r\n")
    for _ in range(20):
        with RawClient(server) as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            at = 0
            while at < len(data):
                size = rng.randint(1, 40)
                client.send(data[at:at + size])
                at += size
            assert [client.read_answer().status for _ in range(3)] == [200, 200, 200]


EXPECTED = {"x-content-type-options": "nosniff", "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin", "referrer-policy": "no-referrer"}


@pytest.mark.parametrize("data", [get(b"/livez"), get(b"/v1/models"), get(b"/no/such/page"), get(b"/%00"),
                                  post(b"/livez", b"{}"), post(CHAT, b"{"), b"GET / HTTP/9.9\r\n\r\n",
                                  b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                                  post(CHAT, TINY[:-1] + b', "stream": true}')])
def test_security_headers_are_on_every_response(server, data):
    headers = ask(server, data).headers
    assert {name: headers.get(name) for name in EXPECTED} == EXPECTED
    policy = headers["content-security-policy"]
    for part in ("default-src 'none'", "script-src 'self'", "form-action 'self'", "base-uri 'none'",
                 "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["permissions-policy"] and headers["cache-control"]
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])


def test_hosts_and_origins(server):
    def status(path, *lines, method=b"GET"):
        return ask(server, b"%s %s HTTP/1.1\r\n" % (method, path) + b"".join(l + b"\r\n" for l in lines) + b"\r\n").status

    for path in (b"/livez", b"/v1/models", b"/", b"/api/status"):
        assert status(path, b"Host: evil.example") == 403
        assert status(path, b"Host: localhost.evil.example:%d" % server.port) == 403
    for host in (b"localhost", b"127.0.0.1:%d" % server.port, b"[::1]:1"):
        assert status(b"/livez", b"Host: " + host) == 200
    write = (b"Host: localhost", b"Content-Length: 0")
    for line in (b"Origin: https://evil.example", b"Origin: null", b"Sec-Fetch-Site: cross-site"):
        assert status(b"/api/reset-context", *write, line, method=b"POST") == 403
    assert status(b"/api/reset-context", *write, b"Origin: http://localhost", method=b"POST") == 200


def test_api_key(start_server):
    server = start_server("--backend", "stub", "--api-key", "open-sesame").wait_ready()
    assert server.get("/livez")[0] == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "open-sesame"}):
        status, _, body = server.get("/v1/models", headers=headers)
        assert status == 401
        assert json.loads(body)["error"]["type"] == "authentication_error"
    assert server.get("/v1/models", headers={"Authorization": "Bearer open-sesame"})[0] == 200
    ask(server, get(b'/x%22y%C2%9B', b"Authorization: Bearer open-sesame\r\n"))
    server.stop()
    log = server.log_text()
    assert "open-sesame" not in log and "Bearer wrong" not in log
    assert '\\"y' in log, "quotes in logged fields are escaped"


def test_many_at_once(server):
    def one(i):
        return ask(server, get(b"/livez") if i % 2 else b"\0" * i).status

    with ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(one, range(1, 400)))
    assert statuses == [400 if i % 2 == 0 else 200 for i in range(1, 400)]
