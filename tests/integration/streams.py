"""Clients of a server that stream answers, as many at once as wanted."""
import http.client
import json
import random
import socket
import threading
import time

WORDS = ("river stone letter window garden winter music bread paper cloud engine forest copper silver market bridge "
         "harbor candle planet shadow ladder mirror violet pepper saddle thunder basket marble ribbon anchor").split()


def words(n, seed):
    """A text that no other seed begins with."""
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) for _ in range(n))


class Answer:
    """One streamed completion on a connection of its own; times in seconds of the monotonic clock."""

    def __init__(self, server, body, address="127.0.0.1", path="/v1/completions"):
        self.server, self.address, self.path = server, address, path
        self.body = {"stream": True, "temperature": 0, "stream_options": {"include_usage": True}, **body}
        self.status, self.text, self.usage, self.times, self.error = 0, "", {}, [], None
        self.sent = self.ended = 0.0
        self.connection = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def join(self):
        self.thread.join()
        return self

    def _run(self):
        self.sent = time.monotonic()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=900, source_address=(self.address, 0))
        try:
            self.connection.request("POST", self.path, json.dumps(self.body), {"Content-Type": "application/json"})
            response = self.connection.getresponse()
            self.status = response.status
            if response.status != 200:
                self.error = response.read().decode()
                return
            for line in response:
                if line.startswith(b"data: {"):
                    self._take(json.loads(line[6:]))
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as problem:
            self.error = str(problem)  # also what a cut from this side looks like
        finally:
            self.ended = time.monotonic()
            self.connection.close()

    def _take(self, event):
        if event.get("usage"):
            self.usage = event["usage"]
        for choice in event.get("choices", ()):
            text = choice.get("text") or choice.get("delta", {}).get("content")
            if text:
                self.times.append(time.monotonic())
                self.text += text

    def cut(self):
        """Goes away, as a closed program does."""
        if self.connection is not None and self.connection.sock is not None:
            self.connection.sock.shutdown(socket.SHUT_RDWR)

    @property
    def tokens(self):
        return self.usage.get("completion_tokens", 0)

    @property
    def cached(self):
        return self.usage.get("prompt_tokens_details", {}).get("cached_tokens", 0)

    def rate(self):
        return (self.tokens - 1) / max(self.times[-1] - self.times[0], 1e-9) if self.times else 0.0

    def first(self):
        """Seconds to the first text; to the end where there was none."""
        return (self.times[0] if self.times else self.ended) - self.sent


def together(server, bodies):
    answers = [Answer(server, body).start() for body in bodies]
    return [answer.join() for answer in answers]
