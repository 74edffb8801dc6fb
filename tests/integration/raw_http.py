"""Raw sockets for tests of the HTTP server: what a client library would never send."""
import socket
import time


class Answer:
    """One response: status (0 when the connection ended without one), headers by lower-case name, body."""

    def __init__(self, status=0, headers=None, body=b""):
        self.status, self.headers, self.body = status, headers or {}, body


class RawClient:
    def __init__(self, server, timeout=30, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", server.port))
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends; False when the server has closed meanwhile (it may refuse before everything is sent)."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def more(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, socket.timeout):
            return False
        self.buffer += data
        return bool(data)

    def read_until(self, mark):
        while mark not in self.buffer:
            if not self.more():
                return None
        text, self.buffer = self.buffer.split(mark, 1)
        return text

    def read_answer(self):
        head = self.read_until(b"\r\n\r\n")
        if head is None:
            return Answer()
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        answer = Answer(int(lines[0].split()[1]), headers)
        length = int(headers.get("content-length", 0))
        while len(self.buffer) < length and self.more():
            pass
        answer.body, self.buffer = self.buffer[:length], self.buffer[length:]
        return answer

    def ask(self, data):
        self.send(data)
        return self.read_answer()

    def seconds_until_closed(self, limit):
        """How long the server keeps the connection; None when it is still open after `limit`."""
        start = time.monotonic()
        self.socket.settimeout(limit)
        while time.monotonic() - start < limit:
            try:
                if not self.socket.recv(65536):
                    return time.monotonic() - start
            except ConnectionResetError:
                return time.monotonic() - start
            except socket.timeout:
                return None
        return None


def ask(server, data):
    with RawClient(server) as client:
        return client.ask(data)


def get(path, more=b""):
    return b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + more + b"\r\n"


def post(path, body, more=b"Content-Type: application/json\r\n"):
    length = str(len(body)).encode()
    return b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + b"\r\n" + more + b"\r\n" + body
