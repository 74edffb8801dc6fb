#!/usr/bin/env python3
"""Fills the whole context of a synthetic model and compares the memory that was announced with what the process had.

The announced sum is the line that the program logs before it loads (event=memory); what it had is its largest resident
size. Few layers keep the time bearable: keys and values of a full context still are most of the memory.
usage: memory_check.py NOTSO [--layers 4] [--ctx 4096] [--kv f16,q8_0] [--model FILE]
Exit code 1 when one differs by more than 5 %, 77 when the tools that make models are not there.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import synthetic

TOLERANCE = 0.05


def make_model(folder, args):
    return synthetic.make_model(folder, "model", f"--layers {args.layers} --hidden 256 --ffn 512 --heads 8 --kv 8 "
                                f"--head-dim 128 --vocab 4096 --ctx {args.ctx} --type q8_0")


def run(command):
    """(what the program logged, its largest resident size in bytes)"""
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        log = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {log}")
    return log, usage.ru_maxrss * 1024


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("notso")
    ap.add_argument("--layers", type=int, default=4)
    ap.add_argument("--ctx", type=int, default=4096)
    ap.add_argument("--kv", default="f16,q8_0")
    ap.add_argument("--model", type=Path)
    args = ap.parse_args()
    if not args.model:
        synthetic.skip_without_tools()
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        model = args.model or make_model(folder, args)
        tokens = Path(folder) / "tokens"
        tokens.write_text(",".join(str(i * 97 % 250) for i in range(args.ctx)))
        for kv in args.kv.split(","):
            log, measured = run([args.notso, "logits", "-m", model, "--tokens", f"@{tokens}", "--last", "1", "--out",
                                 os.devnull, "--kv", kv, "--log", "info"])
            announced = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", log)}
            ratio = measured / announced["total_bytes"]
            ok = abs(ratio - 1) <= TOLERANCE and announced["ctx"] == args.ctx
            missed += not ok
            print(f"{model.name}, {args.ctx} tokens, kv {kv}: announced {announced['total_bytes'] / 2**20:.1f} MiB (keys "
                  f"and values {announced['kv_bytes'] / 2**20:.1f}), had {measured / 2**20:.1f} MiB, "
                  f"{100 * (ratio - 1):+.1f} %: {'ok' if ok else 'MISSED'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
