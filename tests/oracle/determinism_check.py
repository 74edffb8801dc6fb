#!/usr/bin/env python3
"""Real weights: the logits of `notso logits` have the same bits by prefill and one token at a time, with one thread and
with two, for every type of KV cache, exact and fast; every set of kernels that the CPU runs agrees up to its rounding (not
with q8_0, where a last bit may tip a key to the next of its 255 steps). And an answer of the server repeats,
probabilities included, after another prompt has taken its place in the cache.

usage: determinism_check.py NOTSO MODEL [--tokens 64]
Exit code 1 when something differs. Needs numpy.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

from synthetic import log_softmax

ISA_LEVELS = ("generic", "avx2", "avxvnni", "avx512")
STORY = "The old lighthouse keeper climbed the stairs every evening and counted them aloud. "


def read_tokens(args, text):
    done = subprocess.run([args.notso, "tokenize", "-m", args.model], input=json.dumps(text).encode(), check=True,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def logits(args, tokens, *more, isa=None):
    with tempfile.TemporaryDirectory() as folder:
        ids, out = Path(folder, "ids"), Path(folder, "out.f32")
        ids.write_text(",".join(map(str, tokens)))
        environment = {**os.environ, "NOTSO_ISA": isa} if isa else None
        subprocess.run([args.notso, "logits", "-m", args.model, "--tokens", f"@{ids}", "--out", out, *more], check=True,
                       env=environment, stderr=subprocess.PIPE)
        return np.fromfile(out, "<f4").reshape(len(tokens), -1)


def compare_bits(args, tokens, kv, precision="exact"):
    options = ["--kv", kv, "--precision", precision]
    whole = logits(args, tokens, *options, "-t", "1")
    ok = np.isfinite(whole).all()
    for name, more in {"step, 1 thread": ["--step", "-t", "1"], "prefill, 2 threads": ["-t", "2"],
                       "step, 2 threads": ["--step", "-t", "2"]}.items():
        same = np.array_equal(whole.view(np.uint32), logits(args, tokens, *options, *more).view(np.uint32))
        print(f"kv {kv}, {precision}: prefill with 1 thread and {name}: {'same bits' if same else 'DIFFERENT'}")
        ok = ok and same
    return ok


def compare_kernels(args, tokens, kv):
    p = log_softmax(logits(args, tokens, "--kv", kv))
    all_ok = True
    for isa in ISA_LEVELS:
        try:
            q = log_softmax(logits(args, tokens, "--kv", kv, isa=isa))
        except subprocess.CalledProcessError as error:
            if b"this CPU does not support it" not in error.stderr:
                raise
            print(f"kv {kv}: this CPU does not run {isa}")
            continue
        kl = float((np.exp(p) * (p - q)).sum(-1).mean())
        same = int((p.argmax(-1) == q.argmax(-1)).sum())
        ok = kl <= 1e-5 and same == len(tokens)
        all_ok = all_ok and ok
        print(f"kv {kv}: best and {isa} kernels: mean KL {kl:.2e}, {same} of {len(tokens)} greedy tokens equal: "
              f"{'ok' if ok else 'MISSED'}")
    return all_ok


class Server:
    def __init__(self, args, folder):
        self.process = subprocess.Popen([args.notso, "serve", "-m", args.model, "--port", "0", "--data-dir", folder,
                                         "--log", "off", "--ctx", "256", "--kv-memory", "6"],
                                        stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().decode().strip()

    def wait(self):
        for _ in range(600):
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=10)
                return
            except urllib.error.HTTPError:
                time.sleep(0.1)
        sys.exit("the server did not get ready")

    def ask(self, text):
        """The answer's tokens with their log probabilities, and how many tokens of the prompt were in the cache."""
        body = {"messages": [{"role": "user", "content": text}], "temperature": 0, "max_tokens": 12, "logprobs": True,
                "top_logprobs": 5}
        request = urllib.request.Request(self.url + "/v1/chat/completions", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        reply = json.load(urllib.request.urlopen(request, timeout=120))
        return reply["choices"][0]["logprobs"], reply["usage"]["prompt_tokens_details"]["cached_tokens"]


def compare_answers(args):
    with tempfile.TemporaryDirectory() as folder:
        server = Server(args, folder)
        try:
            server.wait()
            first, _ = server.ask(STORY * 4 + "Who climbed?")
            for number in range(4):  # more than the memory for keys and values holds
                server.ask(f"{number} " + STORY * 5 + "Who slept?")
            again, cached = server.ask(STORY * 4 + "Who climbed?")
            kept, all_cached = server.ask(STORY * 4 + "Who climbed?")
        finally:
            server.process.terminate()
            server.process.wait(30)
    ok = first == again == kept and cached < all_cached
    print(f"an answer, the same after its prompt was evicted ({cached} tokens left), and from the cache ({all_cached}): "
          f"{'same numbers' if ok else 'DIFFERENT'}")
    return ok


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("notso")
    ap.add_argument("model")
    ap.add_argument("--tokens", type=int, default=64)
    args = ap.parse_args()
    tokens = (read_tokens(args, STORY * 20))[:args.tokens]
    results = [compare_bits(args, tokens, kv) for kv in ("f16", "f32", "q8_0")]
    results.append(compare_bits(args, tokens, "f16", "fast"))
    results += [compare_kernels(args, tokens[:24], kv) for kv in ("f16", "f32")]
    results.append(compare_answers(args))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
