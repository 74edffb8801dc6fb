"""What people notice of a server that many use at once: speed together, gaps, waiting, cancels, reuse.

Run by bench/accept.sh, or alone: tests/python.sh bench/serving.py MODEL.gguf [--large]. Nothing is asserted.
"""
import argparse
import contextlib
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import machine

sys.path.insert(0, str(machine.ROOT / "tests" / "integration"))
from notso_process import Server  # noqa: E402
from streams import Answer, together, words  # noqa: E402

def add_clients(table, server, large, what="8 clients at once"):
    """Eight clients, each with a story of its own; and each again alone. Drawn as chats are where the model is a real one: its greedy
    stories soon go round in circles, which guesses make fast for one client alone; random weights give nothing to draw from."""
    heroes = ("a fisherman", "two sisters", "a clever fox", "the last king", "an old clockmaker", "a lost dog", "the baker", "a young pilot")
    bodies = [{"prompt": f"This is the story of {hero}, who", "max_tokens": 48 if large else 160, "seed": i,
               "temperature": 0 if large else 0.7}
              for i, hero in enumerate(heroes)]
    alone = [together(server, [body])[0] for body in bodies]
    many = together(server, bodies)
    seconds = max(a.times[-1] for a in many) - max(a.times[0] for a in many)
    tokens = sum(sum(t >= max(a.times[0] for a in many) for t in a.times) / max(len(a.times) - 1, 1) * (a.tokens - 1) for a in many)
    one = statistics.median(answer.rate() for answer in alone)
    same = sum(a.text == b.text for a, b in zip(alone, many))
    table.add(what, f"{tokens / seconds:.1f} tokens/s, {tokens / seconds / one:.2f} × one client's {one:.1f}; "
              f"{same} of 8 texts the same as alone", "≥ 3 × with VNNI, ≥ 4 × with AMX" if large else "≥ 2.5 ×")


def jain(values):
    return sum(values) ** 2 / (len(values) * sum(v * v for v in values))


def add_prompt_beside(table, server, n_words):
    """A long prompt beside four answers: their gaps, and how fast it is read."""
    alone = together(server, [{"prompt": words(n_words, "alone"), "max_tokens": 1}])[0]
    streams = [Answer(server, {"prompt": words(20, f"stream {i}"), "max_tokens": 4000}).start() for i in range(4)]
    while any(len(stream.times) < 3 for stream in streams):
        time.sleep(0.01)
    mark = time.monotonic()
    beside = together(server, [{"prompt": words(n_words, "beside"), "max_tokens": 1}])[0]
    during = [[t for t in stream.times if mark <= t <= beside.ended] for stream in streams]
    longest = max(b - a for times in during for a, b in zip(times, times[1:]))
    time.sleep(2)
    after = [sum(t > beside.ended for t in stream.times) for stream in streams]
    for stream in streams:
        stream.cut()
    steps = statistics.mean(len(times) for times in during)
    step = 2 / statistics.mean(after)  # seconds of a token for each of them
    left = 1 - steps * step / beside.first()  # of the time, while the prompt was read
    share = alone.first() / (beside.first() * left)
    table.add(f"a prompt of {beside.usage['prompt_tokens']} beside 4 answers", f"longest gap {longest * 1000:.0f} ms; read in "
              f"{beside.first():.1f} s ({alone.first():.1f} alone), {share * 100:.0f} % of its rate in the {left * 100:.0f} % of time "
              f"left; fairness of the four {jain([len(times) for times in during]):.3f}", "≤ 400 ms; ≥ 60 %; ≥ 0.9")


def add_second_turn(table, server, n_words):
    """The next turn of a long conversation, in units of one token's time."""
    messages = [{"role": "user", "content": words(n_words, "history") + ". Write a long story about all of this."}]
    path = "/v1/chat/completions"
    one = Answer(server, {"messages": messages, "max_tokens": 32}, path=path).start().join()
    messages += [{"role": "assistant", "content": one.text}, {"role": "user", "content": "Now write another story."}]
    two = Answer(server, {"messages": messages, "max_tokens": 32}, path=path).start().join()
    new = two.usage["prompt_tokens"] - two.cached
    step = 1000 / Answer(server, {"prompt": "Once upon a time", "max_tokens": 32}).start().join().rate()
    table.add(f"second turn after {one.usage['prompt_tokens']} tokens", f"first token after {two.first() * 1000:.0f} ms: {new} new tokens of "
              f"{two.usage['prompt_tokens']}; a token takes {step:.1f} ms; the first turn took {one.first() * 1000:.0f} ms",
              "≤ 1.5 tokens and the new ones' prompt")


def add_modes(table, server, n_words):
    """Two system messages in turn, as thinking on and off."""
    path, counts = "/v1/chat/completions", []
    for turn in range(4):
        messages = [{"role": "system", "content": f"Mode {turn % 2}."}, {"role": "user", "content": words(n_words, "modes")}]
        answer = Answer(server, {"messages": messages, "max_tokens": 4}, path=path).start().join()
        counts.append(answer.usage["prompt_tokens"] - answer.cached)
    table.add("a mode toggled twice: tokens read", ", ".join(map(str, counts)), "whole, whole, 1, 1")


@contextlib.contextmanager
def serving(model, *options):
    """A server that is ready and warm, and is gone afterwards whatever happens."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data", ("-m", str(model), "--log", "off", *options))
        try:
            server.wait_ready()
            together(server, [{"prompt": "Warm", "max_tokens": 8}])
            yield server
        finally:
            server.stop()


def add_drafts(table, model):
    """The same answers with and without guessing."""
    code = "def area(w, h):\n    retrun w * h\n\ndef volume(w, h, d):\n    retrun w * h * d\n\ndef main():\n    print(area(3, 4))\n" * 2
    prose = ("The harbour was still when the first boats came home. Women with baskets stood on the wall and called the names of those "
             "they knew. An old man counted the sails and was content, for none was missing. Behind the houses the bells began to ring, "
             "and children ran down the steps to see what the night had brought: crabs, silver herring, and one strange blue fish.")
    random_words = words(120, "quote")
    tasks = {"repeat this text": f"Repeat this text exactly: {prose}\n\nHere is the text again: {prose[:40]}",
             "repeat these random words": f"Repeat this text exactly: {random_words}\n\n{random_words[:60]}",
             "fix this code": f"# The code with mistakes:\n{code}\n# The same code without mistakes:\ndef area(w, h):\n    return",
             "free prose": "Once upon a time in a small village there lived an old"}
    limits = {"repeat this text": 80}  # as long as the text: what follows is prose of its own
    rates, texts = {}, {}
    for guesses in ("0", "15"):
        with serving(model, "--draft", guesses) as server:
            for name, prompt in tasks.items():
                runs = [together(server, [{"prompt": prompt, "max_tokens": limits.get(name, 200)}])[0] for _ in range(5)]
                rates[name, guesses] = statistics.median(run.rate() for run in runs)
                texts[name, guesses] = runs[0].text
    for name in tasks:
        same = "the same text" if texts[name, "0"] == texts[name, "15"] else "ANOTHER TEXT"
        aim = {"free prose": "≥ 0.97 ×", "repeat these random words": "≥ 0.97 ×"}.get(name, "≥ 2 ×")
        table.add(f"guessing ahead, “{name}”", f"{rates[name, '15']:.0f} tokens/s, {rates[name, '15'] / rates[name, '0']:.2f} × without; {same}", aim)


def busy(server):
    health = json.loads(server.get("/health")[2])
    return health["running"] + health["waiting"]


def add_cancels(table, server, n):
    """Clients that go away at any moment: how long their place stays taken."""
    rng, times = random.Random(5), []
    for number in range(n):
        answers = [Answer(server, {"prompt": words(rng.choice((3, 400, 1500)), f"cancel {number} {i}"), "max_tokens": 2000}).start()
                   for i in range(rng.choice((1, 1, 1, 20)))]
        while any(answer.connection is None or answer.connection.sock is None for answer in answers):
            time.sleep(0.001)
        time.sleep(rng.random() * 0.3)
        begin = time.monotonic()
        for answer in answers:
            answer.cut()
        while busy(server):
            time.sleep(0.002)
        times.append(time.monotonic() - begin)
    times.sort()
    table.add(f"clients that go away, {n} times", f"all places free after {statistics.median(times) * 1000:.0f} ms (median), "
              f"{times[-1] * 1000:.0f} ms (longest)", "≤ 250 ms")


def add_full_queue(table, server):
    """More requests than the queue takes, from one address; another one's request; /livez meanwhile."""
    many = [Answer(server, {"prompt": words(30, f"queue {i}"), "max_tokens": 200}).start() for i in range(200)]
    livez = []
    for _ in range(100):
        begin = time.monotonic()
        server.get("/livez")
        livez.append(time.monotonic() - begin)
        time.sleep(0.005)
    other = Answer(server, {"prompt": "Hello", "max_tokens": 1}, address="127.0.0.2").start().join()
    refused = [answer for answer in many if answer.status == 503]
    slowest = max((answer.ended - answer.sent for answer in refused), default=0)
    begin = time.monotonic()
    late = Answer(server, {"prompt": words(30, "late"), "max_tokens": 1}).start().join()
    late_ms = f"{(late.ended - begin) * 1000:.0f} ms" if late.status == 503 else "not refused"
    for answer in many:
        answer.cut()
    turns = [a.ended - a.sent for a in many if a.status == 200 and a.ended > 0]
    table.add("200 requests of one user", f"{len(refused)} refused, the slowest after {slowest * 1000:.0f} ms of 200 at once, one more {late_ms}; "
              f"/livez at most {max(livez) * 1000:.1f} ms", "≤ 50 ms; ≤ 20 ms")
    turn = f"{statistics.median(turns):.2f} s" if turns else "longer"
    table.add("another user's one request then", f"status {other.status}, first token after {other.first() if other.times else 0:.2f} s; "
              f"a turn takes {turn}", "≤ one turn")


def add_serving(table, model, large):
    """All rows of one model."""
    with serving(model) as server:
        add_clients(table, server, large)
        add_prompt_beside(table, server, 2000)
        add_second_turn(table, server, 3000)
        add_modes(table, server, 300)
        add_cancels(table, server, 15 if large else 200)
        if not large:
            add_full_queue(table, server)
    if not large:
        # One client alone gains most from guesses; this is what batches are worth by themselves.
        with serving(model, "--draft", "0") as server:
            add_clients(table, server, large, "8 clients at once, nothing guessed")
        add_drafts(table, model)


class Printer:
    def add(self, what, figure, aim=""):
        print(f"| {what} | {figure} | {aim} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--large", action="store_true", help="it has about 3B parameters")
    options = parser.parse_args()
    add_serving(Printer(), options.model, options.large)


if __name__ == "__main__":
    main()
