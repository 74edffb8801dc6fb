#!/usr/bin/env python3
"""Compares the logits of small SmolLM3 models with random weights, one per block type, with the numpy oracle. The
models come from tools/synth_gguf.py of the shared folder; large query and key gains make a wrong NoPE rule show.

usage: synthetic_check.py NOTSO [TYPE…]      default: f16 q8_0 q4_k_m
Exit code 1 when a gate is missed, 77 when the tools are not there.
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("NOTSO_SHARED", HERE.parents[1].parent / "shared")) / "tools"
SHAPE = "--arch smollm3 --layers 8 --hidden 256 --ffn 512 --heads 4 --kv 2 --vocab 4096 --qk-gain 6".split()
MAX_KL = {"f16": 1e-5, "q8_0": 1e-3, "q4_k_m": 1e-3}


def byte_vocabulary():
    """A tokenizer.json with the 256 byte tokens and no merges: only the weights matter here."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}
    return json.dumps({"model": {"vocab": {letters[byte]: byte for byte in range(256)}, "merges": []}})


def main():
    if not (SHARED / "synth_gguf.py").exists():
        print("skipped: the shared tools are not there (NOTSO_SHARED)")
        return 77
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = Path(folder) / "tokenizer.json"
        tokenizer.write_text(byte_vocabulary(), encoding="utf-8")
        for kind in sys.argv[2:] or MAX_KL:
            model = Path(folder) / f"smollm3-{kind}.gguf"
            subprocess.run([sys.executable, SHARED / "synth_gguf.py", str(model), str(tokenizer), *SHAPE, "--type",
                            kind], check=True, stdout=subprocess.DEVNULL)
            for more in ([], ["--step"]):
                missed += subprocess.run([sys.executable, HERE / "logits_check.py", sys.argv[1], "--model", str(model),
                                          "--max-kl", str(MAX_KL[kind]), *more], check=False).returncode != 0
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
