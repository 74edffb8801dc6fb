"""Measures the built program and prints a table of figures beside what was aimed at; run by bench/accept.sh.

Nothing is asserted. Figures that need a peer are bench/peers.sh's.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import conversations
import figures
import machine
import serving

sys.path.insert(0, str(machine.ROOT / "tests" / "integration"))
from notso_process import BINARY, Server, clean_environment, model_path, run_notso  # noqa: E402

LENGTHS = (8, 16, 32, 512, 4096)
BATCHES = "2,4,8,16"
MIB = 1 << 20
PEERS = "see bench/peers.sh"


class Table:
    """Prints each row as it is known, and keeps it."""

    def __init__(self):
        self.rows = []

    def section(self, title):
        print(f"\n**{title}**\n\n| what | figure | aim |\n|---|---|---|", flush=True)
        self.rows.append({"section": title})

    def add(self, what, figure, aim=""):
        print(f"| {what} | {figure} | {aim} |", flush=True)
        self.rows.append({"what": what, "figure": figure, "aim": aim})


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def spread(values, unit):
    return f"{statistics.median(values):.1f} {unit} (of {len(values)}: {min(values):.1f} to {max(values):.1f})"


def rate_text(merged, name):
    rate = merged["rates"][name]["median"]
    return f"{rate:.1f} tokens/s, {figures.share(merged, name) * 100:.0f} % of {figures.limit(merged, name)[1]}"


def measure_rates(model, depth, rounds, isa=""):
    """Rounds of notso bench, put together."""
    reports = []
    environment = clean_environment(**({"NOTSO_ISA": isa} if isa else {}))
    lengths = "512" if isa else ",".join(map(str, LENGTHS))
    for number in range(rounds):
        progress(f"{model.name}{f', {isa}' if isa else ''}: round {number + 1} of {rounds}")
        options = ["-p", lengths, "-n", 64] + ([] if isa else ["--depth", depth, "-b", BATCHES])
        reports.append(figures.bench(BINARY, model, *options, env=environment))
    progress("")
    return figures.merge(reports)


def add_rates(table, merged, depth, large):
    limits = merged["limits"]
    table.add("this machine", f"reads {limits['read_bytes_per_second'] / 1e9:.1f} GB/s, multiplies bytes at "
              f"{limits['multiply_adds_per_second'] / 1e9:.0f} GMAC/s, joins threads in {merged['join_seconds'] * 1e6:.2f} µs; {merged['kernels']} kernels")
    table.add("decode, 64 tokens", rate_text(merged, "tg64"), "≥ 92 %, ≥ 1.3 × llama.cpp" if large else "≥ 85 %")
    for kind, aim in (("fast", "≥ 60 % with VNNI, ≥ 45 % of bf16 tiles with AMX"), ("exact", "≥ 30 % with VNNI")):
        table.add(f"prompt of 512, {kind}", rate_text(merged, f"pp512 {kind}"), aim)
    for n in (8, 16, 32):
        rates = ", ".join(f"{kind} {rate_text(merged, f'pp{n} {kind}')}" for kind in ("fast", "exact"))
        table.add(f"prompt of {n}", rates, f"≥ 2.5 × llama.cpp: {PEERS}")
    rates = merged["rates"]
    parts = [f"{kind} {rates[f'pp4096 {kind}']['median'] / rates[f'pp512 {kind}']['median'] * 100:.0f} %" for kind in ("fast", "exact")]
    table.add("prompt of 4,096 against 512", ", ".join(parts), "≥ 80 %")
    aim = "≥ 90 % of its own limit" if large else ""
    table.add(f"decode at position {depth:,}", rate_text(merged, f"tg64@{depth}"), aim)


def add_batches(table, merged):
    """Steps of several sequences; each beside the bound that the same run's limits give."""
    steps = {}
    for report in merged["reports"]:
        for rate in report["rates"]:
            if "sequences" in rate:
                steps.setdefault(rate["sequences"], []).append((rate["step_seconds"], rate["step_seconds"] / rate["bound_seconds"]))
    for n, pairs in steps.items():
        seconds, ratio = (statistics.median(values) for values in zip(*pairs))
        table.add(f"{n} sequences together", f"{seconds * 1000:.1f} ms a step, {ratio:.2f} × its bound", "≤ 1.2 ×")


def add_older_kernels(table, merged):
    for name, what in (("pp512 fast", "prompt of 512, fast"), ("tg64", "decode, 64 tokens")):
        table.add(f"NOTSO_ISA=avx2: {what}", rate_text(merged, name), f"≥ llama.cpp's AVX-512 build: {PEERS}")


def start_to_first_token(model):
    """Seconds from starting the process to its first byte, and the most memory it had, bytes."""
    start = time.monotonic()
    with subprocess.Popen([BINARY, "run", "-m", model, "-p", "a", "-n", "1", "--temp", "0", "--raw"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, env=clean_environment()) as process:
        process.stdout.read(1)  # or the end, where the token has no text
        seconds = time.monotonic() - start
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return seconds, usage.ru_maxrss * 1024


def add_start(table, model, kv_bytes_per_token):
    model.read_bytes()  # into the page cache
    runs = [start_to_first_token(model) for _ in range(5)]
    prompt = json.loads(run_notso("run", "-m", model, "-p", "a", "-n", 1, "--raw", "--json", timeout=300).stdout)["usage"]["prompt_tokens"]
    table.add(f"process start to first token, prompt of {prompt}", spread([seconds * 1000 for seconds, _ in runs], "ms"), "≤ 1,500 ms with 3B")
    most, size = max(memory for _, memory in runs), model.stat().st_size
    kv_bytes = (prompt + 1) * kv_bytes_per_token
    table.add("most memory, same run", f"{most / MIB:.0f} MiB: file {size / MIB:.0f} + KV {kv_bytes / MIB:.1f} + "
              f"{(most - size - kv_bytes) / MIB:.0f} MiB", "≤ file + KV + 300 MB")


def cpu_ticks(pid):
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def add_idle(table, model):
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data", ("-m", str(model), "--log", "off"))
        server.wait_ready()
        server.post_json("/v1/completions", {"prompt": "Once upon a time", "max_tokens": 16}, timeout=300)
        time.sleep(1)
        before, seconds = cpu_ticks(server.process.pid), 5
        time.sleep(seconds)
        used = (cpu_ticks(server.process.pid) - before) / os.sysconf("SC_CLK_TCK")
        server.stop()
    table.add("CPU of a server, from 1 s after an answer, 5 s long", f"{used / seconds * 100:.1f} % of a core", "0 %")


def one_run(model, prompt, n_tokens):
    done = run_notso("run", "-m", model, "-p", prompt, "-n", n_tokens, "--temp", 0, "--raw", "--json", timeout=300)
    return json.loads(done.stdout)


def add_answers(table, model):
    """The figures that a person sees: loading, reading, writing."""
    short = [one_run(model, "The capital of France is", 128)["timings"] for _ in range(5)]
    table.add("load", spread([t["load_ms"] for t in short], "ms"))
    table.add("`notso run`, 128 tokens", spread([t["tokens_per_second"] for t in short], "tokens/s"))
    text = "The quick brown fox jumps over the lazy dog. " * 52
    long = [one_run(model, text, 1) for _ in range(3)]
    tokens = long[0]["usage"]["prompt_tokens"]
    table.add(f"`notso run`, a prompt of {tokens}", spread([r["timings"]["prompt_tokens_per_second"] for r in long], "tokens/s"))


def add_livez(table, model):
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        server = Server(Path(folder) / "data", ("-m", str(model), "--log", "off"))
        server.get("/livez")
        table.add("server: start to first byte", f"{(time.monotonic() - start) * 1000:.0f} ms")
        server.wait_ready()
        table.add("server: start to ready", f"{(time.monotonic() - start) * 1000:.0f} ms")
        body = {"messages": [{"role": "user", "content": "Tell me a long story. " * 300}], "max_tokens": 200}
        busy = threading.Thread(target=server.post_json, args=("/v1/chat/completions", body), kwargs={"timeout": 120})
        busy.start()
        times = []
        while busy.is_alive():
            begin = time.monotonic()
            server.get("/livez")
            times.append((time.monotonic() - begin) * 1000)
            time.sleep(0.01)
        busy.join()
        server.stop()
    times.sort()
    table.add("/livez while it reads and answers", f"median {statistics.median(times):.1f} ms, "
              f"p99 {times[int(len(times) * 0.99)]:.1f} ms, largest {times[-1]:.1f} ms (of {len(times)})")


def measure_model(table, model, rounds, large):
    """The rows of one model; returns what was measured of its rates."""
    depth = 8192 if large else 4096
    table.section(f"{model.name}, {model.stat().st_size / 1e6:,.0f} MB")
    merged = measure_rates(model, depth, rounds)
    add_rates(table, merged, depth, large)
    add_batches(table, merged)
    rates = {"default": merged}
    if "avx2" not in (merged["kernels"], "generic") and "avx2" in machine.cpu_facts().get("flags", ""):
        rates["avx2"] = measure_rates(model, depth, rounds, isa="avx2")
        add_older_kernels(table, rates["avx2"])
    add_start(table, model, merged["work"]["kv_bytes_per_token"])
    add_idle(table, model)
    serving.add_serving(table, model, large)
    return rates


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", type=Path, help="a model of 3B parameters, for the rows that need one")
    parser.add_argument("--rounds", type=figures.at_least_one, default=3)
    parser.add_argument("--json", help="keep everything measured")
    options = parser.parse_args()
    facts, table = machine.facts(), Table()
    print(f"{facts['date']} · {facts['cpu']}, {facts['threads']} threads · commit {facts['commit']}")
    small = model_path()
    rates = {small.stem: measure_model(table, small, options.rounds, large=False)}
    add_answers(table, small)
    add_livez(table, small)
    table.section("10,000 conversations of 50 messages")
    conversations.add_conversations(table)
    if options.large:
        rates[options.large.stem] = measure_model(table, options.large, options.rounds, large=True)
    if options.json:
        Path(options.json).write_text(json.dumps({**facts, "rows": table.rows, "rates": rates}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
