"""How quick the page is with 10,000 conversations of 50 messages: list, open, search, size.

Run by bench/accept.sh, or alone: tests/python.sh bench/conversations.py [--conversations N]. Nothing is asserted.
"""
import argparse
import json
import random
import statistics
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

import machine

sys.path.insert(0, str(machine.ROOT / "tests" / "integration"))
from notso_process import Server, run_notso  # noqa: E402

WORDS = ("river stone light winter garden letter market engine silver window bridge forest paper harbour signal "
         "summer castle copper island record table thunder valley wheel orchard lantern mirror meadow").split()
N_MESSAGES = 50
N_TRIES = 20


def sentence(rand, n_words):
    return " ".join(rand.choice(WORDS) for _ in range(n_words)).capitalize() + "."


def message(rand, n, at):
    mine = n % 2 == 0
    return {"id": f"m{n}", "parent": f"m{n - 1}" if n else None, "role": "user" if mine else "assistant",
            "state": "complete", "text": sentence(rand, 12 if mine else 40), "thinking": "", "error": "",
            "client_id": f"c{n}" if mine else "", "created_at": at + n,
            "stats": {"prompt_tokens": 100, "cached_tokens": 0, "completion_tokens": 60, "reasoning_tokens": 0,
                      "draft_tokens": 0, "accepted_tokens": 0, "first_token_ms": "10", "tokens_per_second": "50",
                      "thinking_ms": "0", "thinking_end": 0},
            "tool_uses": []}


def conversation(rand, n):
    at = 1_700_000_000_000 + n * 60_000
    return {"notso_conversation": 1, "id": f"c{n}", "title": sentence(rand, 5), "thinking": False, "temperature": None,
            "system_prompt": "", "date": "2026-11-23T09:00:00", "created_at": at, "updated_at": at, "model": "",
            "leaf": f"m{N_MESSAGES - 1}", "pinned": False,
            "messages": [message(rand, i, at) for i in range(N_MESSAGES)], "summaries": [], "notes": []}


def write_export(path, count):
    """A file as notso export writes it."""
    rand = random.Random(8)
    with path.open("w", encoding="utf-8") as out:
        for n in range(count):
            out.write("[\n" if n == 0 else ",\n")
            json.dump(conversation(rand, n), out, separators=(",", ":"))
        out.write("\n]\n")


def times_of(server, paths):
    """Milliseconds of each request, and the largest answer in bytes."""
    times, largest = [], 0
    for path in paths:
        begin = time.monotonic()
        status, _, body = server.get(path)
        times.append((time.monotonic() - begin) * 1000)
        largest = max(largest, len(body))
        if status != 200:
            raise RuntimeError(f"{path}: {status}")
    return times, largest


def shown(times):
    return f"median {statistics.median(times):.1f} ms, largest {max(times):.1f} ms (of {len(times)})"


def add_conversations(table, count=10_000):
    with tempfile.TemporaryDirectory() as folder:
        given, data = Path(folder) / "chats.json", Path(folder) / "data"
        write_export(given, count)
        begin = time.monotonic()
        done = run_notso("import", given, "--data-dir", data, timeout=3600)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode())
        seconds = time.monotonic() - begin
        megabytes = given.stat().st_size / 1e6
        table.add(f"`notso import` of {count:,} × {N_MESSAGES} messages", f"{seconds:.0f} s, {megabytes / seconds:.1f} MB/s")
        server = Server(data, ("--backend", "stub", "--log", "off")).wait_ready()
        _, _, page = server.get("/")
        ids = [part[:32] for part in page.decode().split('href="/chat/')[1:]]
        rand = random.Random(9)
        times, _ = times_of(server, ["/"] * N_TRIES)
        table.add("page of a new chat with the list", shown(times), "≤ 30 ms")
        times, largest = times_of(server, [f"/chat/{rand.choice(ids)}" for _ in range(N_TRIES)])
        table.add("page of a chat", shown(times), "≤ 50 ms")
        table.add("its HTML", f"{largest / 1000:.0f} kB", "≤ 150 kB")
        queries = [f"{rand.choice(WORDS)} {rand.choice(WORDS)} {rand.choice(WORDS)}" for _ in range(N_TRIES)]
        times, _ = times_of(server, ["/search?q=" + urllib.parse.quote(query) for query in queries])
        table.add("search, three words in a row", shown(times), "≤ 100 ms")
        times, _ = times_of(server, ["/search?q=" + word for word in WORDS[:N_TRIES]])
        table.add("search, one word that is in most", shown(times), "≤ 100 ms")
        server.stop()


class PrintedTable:
    """For a run alone."""

    @staticmethod
    def add(what, figure, aim=""):
        print(f"{what}: {figure}{' (aim: ' + aim + ')' if aim else ''}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=10_000)
    add_conversations(PrintedTable, parser.parse_args().conversations)
