#!/usr/bin/env python3
"""Writes tests/golden/quant/TYPE.blocks and TYPE.f32: random blocks and what the `gguf` package decodes them to.

Half of the blocks are random bytes, half have ordinary scales; then one block each with scales that are infinite, zero,
subnormal and so on, and one with all bits set.
needs: pip install gguf numpy        usage: make_quant_golden.py OUT_DIR
"""
import pathlib
import sys
import numpy as np
from gguf import GGMLQuantizationType as T, GGML_QUANT_SIZES, quants

KINDS = [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K, T.IQ4_NL, T.IQ4_XS]
SCALES_AT = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
             T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0]}  # byte offsets of f16 fields
# Both zeros, the smallest and largest subnormal, the smallest normal, the largest number, both infinities, NaN.
EDGES = [0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x7BFF, 0x7C00, 0xFC00, 0x7E00]


def edge_blocks(rng, kind, size):
    """One block of random bytes per EDGES and f16 field, then one of 0xFF."""
    blocks = rng.integers(0, 256, size=(len(EDGES), size), dtype=np.uint8)
    for row, bits in enumerate(EDGES):
        for at in SCALES_AT[kind]:
            blocks[row, at:at + 2] = np.array([bits], '<u2').view(np.uint8)
    return np.concatenate([blocks, np.full((1, size), 0xFF, np.uint8)])


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        rng = np.random.default_rng([7, kind])
        elements, size = GGML_QUANT_SIZES[kind]
        n = max(8, 512 // elements)
        blocks = rng.integers(0, 256, size=(n, size), dtype=np.uint8)
        for at in SCALES_AT.get(kind, []):
            blocks[: n // 2, at:at + 2] = rng.normal(0, 0.01, (n // 2, 1)).astype(np.float16).view(np.uint8)
        if kind in SCALES_AT:
            blocks = np.concatenate([blocks, edge_blocks(rng, kind, size)])
        with np.errstate(all='ignore'):
            values = quants.dequantize(blocks, kind).astype('<f4')
        blocks.tofile(out / f'{kind.name.lower()}.blocks')
        values.tofile(out / f'{kind.name.lower()}.f32')


if __name__ == '__main__':
    main()
