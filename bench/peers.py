"""Runs notso bench, llama-bench and candle in turns on one file; run by bench/peers.sh, which builds them.

Prints medians and ratios; --json keeps everything measured. A peer is measured with every setting that it has, and for
each length its best one counts.
"""
import argparse
import itertools
import json
import os
import re
import statistics
import subprocess
import sys

import figures
import machine

PROMPTS = (1, 2, 4, 8, 16, 32, 128, 512)
N_GENERATED = 64
NAMES = [f"pp{n}" for n in PROMPTS] + [f"tg{N_GENERATED}"]
LENGTHS = ",".join(map(str, PROMPTS))


class Peer:
    """A program with settings; runs[setting][name] lists rates."""

    def __init__(self, name, settings):
        self.facts = {"name": name}
        self.settings = settings
        self.runs = {}

    def add(self, setting, rates):
        for name, rate in rates.items():
            self.runs.setdefault(setting, {}).setdefault(name, []).append(rate)

    def report(self):
        """Facts, every setting's medians and runs, and by name the best median with its setting."""
        medians = {setting: {name: statistics.median(runs) for name, runs in by_name.items()} for setting, by_name in self.runs.items()}
        best = {}
        for name in NAMES:
            setting = max(medians, key=lambda s, n=name: medians[s][n])
            best[name] = {"median": medians[setting][name], "setting": setting}
        return {**self.facts, "best": best, "settings": {s: {"medians": medians[s], "runs": self.runs[s]} for s in medians}}


class Llama(Peer):
    """llama.cpp: flash attention off and on, and where it repacks weights, with and without."""

    def __init__(self, folder, package, arguments):
        self.program = os.path.join(folder, "bin", "llama-bench")
        usage = subprocess.run([self.program, "--help"], capture_output=True, text=True, check=False)
        self.repacks = "--repack" in usage.stdout + usage.stderr
        super().__init__("llama.cpp", list(itertools.product((0, 1), (1, 0) if self.repacks else (None,))))
        version = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=False)
        self.facts |= {"package": package, "version": " ".join((version.stdout + version.stderr).split()).removeprefix("version: "), "build": build_flags(folder),
                       "amx": "off: its AMX build dies by a signal here" if "without-amx" in folder else "as the compiler finds it"}
        self.arguments = arguments

    def measure(self, setting):
        flash, repack = setting
        more = [] if repack is None else ["--repack", str(repack)]
        done = subprocess.run([self.program, *self.arguments, "-p", LENGTHS, "-n", str(N_GENERATED), "-r", "1", "-fa", str(flash), *more,
                               "-o", "json"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        tests = json.loads(done.stdout)
        self.facts |= {key: tests[0].get(key) for key in ("build_commit", "n_threads", "n_batch", "n_ubatch", "type_k", "type_v")}
        label = f"fa {flash}" + ("" if repack is None else f", repack {repack}")
        self.add(label, {f"pp{t['n_prompt']}" if t["n_prompt"] else f"tg{t['n_gen']}": t["avg_ts"] for t in tests})


class Candle(Peer):
    """candle: with and without its attention for CPUs, where the architecture has both."""

    def __init__(self, program, model, threads):
        super().__init__("candle", [1, 0])
        self.command = [program, model, LENGTHS, str(N_GENERATED), "1"]
        self.environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}

    def measure(self, setting):
        if setting == 0 and not self.facts.get("flash_matters", True):
            return
        done = subprocess.run([*self.command, str(setting)], check=True, stdout=subprocess.PIPE, env=self.environment)
        report = json.loads(done.stdout.splitlines()[-1])
        self.facts |= {"version": report["candle"], "build": "release, lto thin, target-cpu=native",
                       "n_threads": report["threads"], "flash_matters": report["flash_matters"]}
        self.add(f"flash {setting}" if report["flash_matters"] else "its only one", report["rates"])


def build_flags(folder):
    """What CMake was told that matters for speed."""
    with open(os.path.join(folder, "CMakeCache.txt"), encoding="utf-8") as cache:
        pairs = re.findall(r"^((?:GGML_(?:NATIVE|OPENMP|LLAMAFILE|BLAS|CPU_REPACK|AVX\w*|AMX\w*)|CMAKE_BUILD_TYPE)):\w+=(.*)$",
                           cache.read(), re.M)
    return " ".join(f"{key}={value}" for key, value in pairs if value not in ("OFF", ""))


def measure_all(options, threads, peers):
    """Our reports, one per round, in turns with the peers'. A peer that fails is left out, with one line."""
    reports = []
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        reports.append(figures.bench(options.notso, options.model, "-t", threads, "-p", LENGTHS, "-n", N_GENERATED))
        for peer in list(peers):
            try:
                for setting in peer.settings:
                    peer.measure(setting)
            except (subprocess.CalledProcessError, ValueError, LookupError) as error:
                print(f"{peer.facts['name']} is left out: {error}", file=sys.stderr)
                peers.remove(peer)
    return reports


def headline(report):
    limits = report["limits"]
    lines = [f"{report['date']} · {report['cpu']} · {report['kernels']} kernels · {report['threads']} threads · {report['model']} · "
             f"commit {report['commit']}",
             f"reads {limits['read_bytes_per_second'] / 1e9:.1f} GB/s, multiplies bytes at "
             f"{limits['multiply_adds_per_second'] / 1e9:.0f} GMAC/s"]
    for peer in report["peers"]:
        facts = "; ".join(f"{key} {value}" for key, value in peer.items() if key not in ("name", "best", "settings"))
        lines.append(f"{peer['name']}: {facts}")
    return lines


def table(report):
    """Lines of Markdown."""
    titles = [f"{peer['name']}, best setting" for peer in report["peers"]] + [f"ratio to {peer['name']}" for peer in report["peers"]]
    lines = ["| | notso exact | notso fast | share of the limit | " + " | ".join(titles) + " |", "|---|---|---|---|" + "---|" * len(titles)]
    for name in NAMES:
        exact, fast = ((report["rates"].get(f"{name} {kind}") or report["rates"][name])["median"] for kind in ("exact", "fast"))
        decodes = name.startswith("tg")
        cells = [f"{peer['best'][name]['median']:.1f} ({peer['best'][name]['setting']})" for peer in report["peers"]]
        for peer in report["peers"]:
            theirs = peer["best"][name]["median"]
            cells.append(f"{exact / theirs:.2f}" if decodes else f"{exact / theirs:.2f} exact, {fast / theirs:.2f} fast")
        share = f"{figures.share(report, name if decodes else f'{name} fast') * 100:.0f} % of {figures.limit(report, name)[1]}"
        lines.append(f"| {name} | {exact:.1f} | {'' if decodes else f'{fast:.1f}'} | {share} | " + " | ".join(cells) + " |")
    return lines


def main():
    parser = argparse.ArgumentParser()
    for name in ("--notso", "--llama", "--package", "--candle", "--json"):
        parser.add_argument(name)
    parser.add_argument("--rounds", type=figures.at_least_one, default=3)
    parser.add_argument("model")
    options = parser.parse_args()
    facts = machine.facts()
    peers = [Llama(options.llama, options.package, ["-m", options.model, "-t", str(facts["threads"])])]
    if options.candle:
        peers.append(Candle(options.candle, options.model, facts["threads"]))
    reports = measure_all(options, facts["threads"], peers)
    report = {**facts, **figures.merge(reports), "peers": [peer.report() for peer in peers]}
    print("\n".join([*headline(report), "", *table(report)]))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump(report, out, indent=1)
            out.write("\n")


if __name__ == "__main__":
    main()
