"""Measures the built program with the default model and prints one table; run by bench/accept.sh."""
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "integration"))
from notso_process import ROOT, Server, model_path, run_notso  # noqa: E402

RUNS = 5


def cpu_name():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown CPU"


def row(what, figure):
    print(f"| {what} | {figure} |", flush=True)


def spread(values, unit):
    return f"{statistics.median(values):.1f} {unit} (of {len(values)}: {min(values):.1f} to {max(values):.1f})"


def one_run(model, prompt, n_tokens):
    done = run_notso("run", "-m", model, "-p", prompt, "-n", n_tokens, "--temp", 0, "--raw", "--json", timeout=300)
    return json.loads(done.stdout)


def measure_run(model):
    short = [one_run(model, "The capital of France is", 128)["timings"] for _ in range(RUNS)]
    row("load", spread([t["load_ms"] for t in short], "ms"))
    row("decode, 128 tokens", spread([t["tokens_per_second"] for t in short], "tokens/s"))
    text = "The quick brown fox jumps over the lazy dog. " * 52
    long = [one_run(model, text, 1) for _ in range(3)]
    tokens = long[0]["usage"]["prompt_tokens"]
    row(f"prefill, {tokens} tokens", spread([r["timings"]["prompt_tokens_per_second"] for r in long], "tokens/s"))


def measure_livez(model):
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        server = Server(Path(folder) / "data", ("-m", str(model), "--log", "off"))
        server.get("/livez")
        row("start to first byte", f"{(time.monotonic() - start) * 1000:.0f} ms")
        server.wait_ready()
        row("start to ready", f"{(time.monotonic() - start) * 1000:.0f} ms")
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
        times.sort()
        row("/livez while it reads and answers",
            f"median {statistics.median(times):.1f} ms, p99 {times[int(len(times) * 0.99)]:.1f} ms, "
            f"largest {times[-1]:.1f} ms (of {len(times)})")
        server.stop()


def main():
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            check=False).stdout.strip()
    print(f"{datetime.date.today()} · {cpu_name()}, {len(os.sched_getaffinity(0))} threads · commit {commit}\n")
    print("| what | figure |\n|---|---|")
    model = model_path()
    measure_run(model)
    measure_livez(model)


if __name__ == "__main__":
    main()
