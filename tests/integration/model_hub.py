"""A hub of models on a loopback socket, with the faults that networks have."""
import hashlib
import http.server
import threading

DATA = hashlib.shake_256(b"a model").digest(3_000_000)
NAME = "owner/repo/tiny.gguf"


class Hub:
    """A hub with one file. `cuts`: bytes after which each transfer ends (None = never); `holds`: bytes after which
    a transfer waits until `release` is set, with `reached` set meanwhile."""

    def __init__(self, data=DATA, sha256=None, cuts=(), ranges=True, pointer=None, holds=()):
        self.data, self.cuts, self.ranges, self.holds = data, list(cuts), ranges, list(holds)
        self.reached, self.release = threading.Event(), threading.Event()
        self.etag = f'"{hashlib.sha256(data).hexdigest()}"'
        self.pointer = pointer or self.pointer_of(data, sha256)
        self.starts = []
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                hub.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @staticmethod
    def pointer_of(data, sha256=None):
        sha256 = sha256 or hashlib.sha256(data).hexdigest()
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(data)}\n"

    def answer(self, request):
        if request.path == "/owner/repo/raw/main/tiny.gguf":
            return self.send(request, 200, self.pointer.encode())
        if request.path != "/owner/repo/resolve/main/tiny.gguf":
            return self.send(request, 404, b"no such file")
        start = 0
        if self.ranges and (wanted := request.headers.get("Range")):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if request.headers.get("If-Range", self.etag) != self.etag:
                start = 0
        self.starts.append(start)
        cut = self.cuts.pop(0) if self.cuts else None
        self.send(request, 206 if start else 200, self.data[start:], cut, start)

    def send(self, request, status, body, cut=None, start=0):
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        if status == 206:
            request.send_header("Content-Range", f"bytes {start}-{start + len(body) - 1}/{start + len(body)}")
        request.send_header("ETag", self.etag)
        request.end_headers()
        try:
            if self.holds and status < 300 and len(body) > self.holds[0]:
                hold = self.holds.pop(0)
                request.wfile.write(body[:hold])
                self.reached.set()
                self.release.wait(60)
                body = body[hold:]
            request.wfile.write(body if cut is None else body[:cut])
        except OSError:
            pass  # the client is gone
        request.close_connection = True

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
