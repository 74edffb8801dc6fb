"""Runs notso bench and llama-bench in turns on one file and prints medians and ratios; run by bench/peers.sh.

usage: peers.py NOTSO LLAMA_BENCH PEER_NAME MODEL.gguf ROUNDS
llama.cpp is measured with flash attention off and on; the better one counts.
"""
import datetime
import json
import os
import statistics
import subprocess
import sys

PROMPTS = (1, 2, 4, 8, 16, 32, 128, 512)
N_GENERATED = 64


def notso_round(notso, model, threads):
    lengths = ",".join(map(str, PROMPTS))
    done = subprocess.run([notso, "bench", "-m", model, "-t", str(threads), "-p", lengths, "-n", str(N_GENERATED), "-r", "1",
                           "--json"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def llama_round(program, model, threads, flash):
    """Tokens per second by "pp512" or "tg64"."""
    lengths = ",".join(map(str, PROMPTS))
    done = subprocess.run([program, "-m", model, "-t", str(threads), "-p", lengths, "-n", str(N_GENERATED), "-r", "1",
                           "-fa", str(flash), "-o", "json"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    tests = json.loads(done.stdout)
    rates = {f"pp{t['n_prompt']}" if t["n_prompt"] else f"tg{t['n_gen']}": t["avg_ts"] for t in tests}
    return rates, {key: tests[0].get(key) for key in ("build_commit", "cpu_info", "n_threads", "n_batch", "n_ubatch", "type_k")}


def main():
    notso, llama, peer, model, rounds = sys.argv[1:6]
    threads = len(os.sched_getaffinity(0))
    ours, theirs, limits, settings = {}, {0: {}, 1: {}}, [], {}
    for _ in range(int(rounds)):
        report = notso_round(notso, model, threads)
        threads = report["threads"]
        limits.append((report["read_bytes_per_second"] / 1e9, report["multiply_adds_per_second"] / 1e9))
        for rate in report["rates"]:
            ours.setdefault(rate["name"], []).append((rate["tokens_per_second"], rate["share_of_limit"]))
        for flash in theirs:
            rates, settings = llama_round(llama, model, threads, flash)
            for name, rate in rates.items():
                theirs[flash].setdefault(name, []).append(rate)
    print(f"{datetime.date.today()} · {report['cpu']} · {report['kernels']} · {threads} threads · {os.path.basename(model)}")
    print(f"reads {max(l[0] for l in limits):.1f} GB/s, multiplies bytes at {max(l[1] for l in limits):.0f} GMAC/s")
    print(f"{peer}, GGML_NATIVE: {settings}\n")
    print("| | notso exact | notso fast | share of the limit | llama.cpp (fa 0 / 1) | ratio |\n|---|---|---|---|---|---|")
    for name in [f"pp{n}" for n in PROMPTS] + [f"tg{N_GENERATED}"]:
        exact = statistics.median(rate for rate, _ in ours.get(f"{name} exact", ours.get(name)))
        fast = statistics.median(rate for rate, _ in ours.get(f"{name} fast", ours.get(name)))
        share = statistics.median(share for _, share in ours.get(f"{name} fast", ours.get(name)))
        peers = [statistics.median(theirs[flash][name]) for flash in theirs]
        print(f"| {name} | {exact:.1f} | {fast:.1f} | {share * 100:.0f} % | {peers[0]:.1f} / {peers[1]:.1f} | "
              f"{exact / max(peers):.2f} exact, {fast / max(peers):.2f} fast |")


if __name__ == "__main__":
    main()
