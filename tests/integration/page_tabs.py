"""Readers of the page's streams: what a tab shows, whatever happens to its connection or to the server."""
import html
import http.client
import json
import random
import re
import socket
import threading
import time
import urllib.parse

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PARTIAL = re.compile(r'<hx-partial hx-target="#([^"]+)" hx-swap="([^"]+)">(.*?)</hx-partial>\n?', re.S)


class Place:
    """Where the server is now: restarts change the port."""

    def __init__(self, port):
        self.port = port

    def request(self, method, path, fields=None, timeout=20):
        """(status, headers, text), or None when the server is not there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            body = urllib.parse.urlencode(fields) if fields is not None else None
            connection.request(method, path, body, FORM if fields is not None else {})
            response = connection.getresponse()
            return response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def export(self, chat):
        """The conversation's messages, or None."""
        answer = self.request("GET", f"{chat}/export?format=json")
        return json.loads(answer[2]) if answer and answer[0] == 200 else None


def plain(markup):
    """The text of HTML, without white space."""
    return re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]*>", "", markup)))


class Tab:
    """Follows one answer on a thread of its own, cut at random, and goes on with Last-Event-ID as the page does."""

    def __init__(self, place, chat, answer, seed, cut_after=None):
        self.place, self.chat, self.answer = place, chat, answer
        self.random = random.Random(seed)
        self.cut_after = cut_after  # mean bytes between cuts; None = never
        self.position = None
        self.parts = {"done": "", "tail": "", "thought": ""}
        self.seen = []      # plain texts, as they grew
        self.final = None   # the answer's HTML at its end
        self.cuts = 0
        self.problem = None
        self.stopping = False
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self):
        while self.final is None and not self.stopping and self.problem is None:
            try:
                self._connect()
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.01)

    def _connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.place.port, timeout=15)
        try:
            at = self.position or f"{self.answer}-0"
            headers = {"Last-Event-ID": self.position} if self.position else {}
            connection.request("GET", f"{self.chat}/stream?from={at}", headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                return
            self._read(response, self._next_cut())
        finally:
            connection.close()

    def _next_cut(self):
        return self.random.expovariate(1 / self.cut_after) if self.cut_after else float("inf")

    def _read(self, response, left):
        event = {"data": []}
        for raw in response:
            left -= len(raw)
            if left < 0:  # what comes after it is lost, as with a closed lid
                self.cuts += 1
                return
            line = raw.decode().rstrip("\n")
            if line.startswith("data: ") or line == "data:":
                event["data"].append(line[6:])
            elif line.startswith("id: "):
                event["id"] = line[4:]
            elif line.startswith("event: "):
                event["name"] = line[7:]
            elif not line and event["data"]:
                self._take(event)
                event = {"data": []}
                if self.final is not None or self.problem:
                    return

    def _take(self, event):
        self.position = event["id"]
        if event.get("name") == "turn-end":
            if self.final is None:
                self.problem = "the turn ended without its last form"
            return
        for target, swap, markup in PARTIAL.findall("\n".join(event["data"]) + "\n"):
            part, _, owner = target.rpartition("-")
            if owner != self.answer:
                continue
            if part == "m":
                self.final = markup
            elif part == "thoughts":
                self.parts["thought"] = re.sub(r".*hx-ignore>(.*?)</div>.*", r"\1", markup, flags=re.S)
            elif part in self.parts:
                self.parts[part] = self.parts[part] + markup if swap == "beforeend" else markup
        self.seen.append(plain(self.parts["done"] + self.parts["tail"]))

    def check(self, text):
        """Nothing was shown twice, out of order or from elsewhere; the end is whole."""
        assert self.problem is None, self.problem
        assert self.final is not None, (self.position, self.seen[-1:])
        whole = plain(text)
        for earlier, later in zip(self.seen, self.seen[1:]):
            assert later.startswith(earlier), (earlier[-80:], later[-80:])
        assert whole.startswith(self.seen[-1]), (self.seen[-1][-80:], whole[-80:])
        prose = re.search(r'<div class="prose" hx-ignore>(.*)<div class="tools-row">', self.final, re.S)
        assert plain(prose.group(1)) == whole


def running_answer(page):
    """Id of the answer that a page shows last, and whether it is being written."""
    found = re.findall(r'<article class="assistant" id="m-([0-9a-f]{32})"[^>]*>', page)
    return (found[-1], 'id="stop-button"' in page) if found else (None, False)
