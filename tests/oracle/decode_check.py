#!/usr/bin/env python3
"""Decodes random blocks of every type with `notso inspect --tensor` and with the `gguf` package: bit for bit the same.

Blocks are random bytes; their f16 scales take turns between ordinary, subnormal, zero, huge, infinite, NaN and random.
needs: pip install gguf numpy        usage: decode_check.py NOTSO [--blocks 10000] [--seed 1]
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import warnings
import numpy as np
from gguf import GGML_QUANT_SIZES, GGUFWriter, quants
from make_quant_golden import EDGES, KINDS, SCALES_AT


def random_blocks(rng, kind, count):
    """[count, bytes of a block]; the first and the last have all bits set or none."""
    blocks = rng.integers(0, 256, size=(count, GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
    for at in SCALES_AT.get(kind, []):
        scales = rng.integers(0, 1 << 16, count, dtype=np.uint16)
        ordinary = rng.normal(0, 0.01, count).astype(np.float16).view(np.uint16)
        subnormal = scales & np.uint16(0x83FF)
        edges = rng.choice(np.array(EDGES, np.uint16), count)
        turn = rng.integers(0, 4, count)
        blocks[:, at:at + 2] = np.choose(turn, [scales, ordinary, subnormal, edges]).astype('<u2').view(np.uint8).reshape(-1, 2)
    blocks[0], blocks[-1] = 0xFF, 0
    return blocks


def differences(expected, actual):
    """How many values differ. One NaN is as good as another: the format gives their bits no meaning."""
    same = (expected.view(np.uint32) == actual.view(np.uint32)) | (np.isnan(expected) & np.isnan(actual))
    return int((~same).sum())


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('notso')
    ap.add_argument('--blocks', type=int, default=10000)
    ap.add_argument('--seed', type=int, default=1)
    args = ap.parse_args()
    rng, missed = np.random.default_rng(args.seed), 0
    warnings.simplefilter('ignore')
    with tempfile.TemporaryDirectory() as folder:
        model, out = pathlib.Path(folder, 'blocks.gguf'), pathlib.Path(folder, 'out.f32')
        # f32, f16 and bf16 "blocks" are single weights: rows of 32 keep their tensors as large as the others'.
        data = {kind: random_blocks(rng, kind, args.blocks * (32 if kind not in SCALES_AT else 1)) for kind in KINDS}
        writer = GGUFWriter(model, 'llama')
        for kind, blocks in data.items():
            writer.add_tensor(kind.name, blocks.reshape(args.blocks, -1), raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        for kind, blocks in data.items():
            subprocess.run([args.notso, 'inspect', str(model), '--tensor', kind.name, '--out', str(out)], check=True)
            expected = quants.dequantize(blocks, kind).astype('<f4').ravel()
            actual = np.fromfile(out, '<f4')
            wrong = differences(expected, actual) if len(expected) == len(actual) else len(expected)
            finite = np.isfinite(expected).mean()
            print(f'{kind.name}: {len(blocks)} blocks, {len(expected)} weights ({finite:.1%} finite), {wrong} differ'
                  f'{": MISSED" if wrong else ""}')
            missed += wrong > 0
    sys.exit(1 if missed else 0)


if __name__ == '__main__':
    main()
