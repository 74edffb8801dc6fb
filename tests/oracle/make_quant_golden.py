#!/usr/bin/env python3
"""Writes tests/golden/quant/TYPE.blocks and TYPE.f32: random blocks and what the `gguf` package decodes them to.

Half of the blocks are random bytes (so scales are infinite, NaN or subnormal at times), half have ordinary scales.
needs: pip install gguf numpy        usage: make_quant_golden.py OUT_DIR
"""
import pathlib
import sys
import numpy as np
from gguf import GGMLQuantizationType as T, GGML_QUANT_SIZES, quants

SCALES_AT = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q8_0: [0], T.Q4_K: [0, 2], T.Q6_K: [208]}  # byte offsets of f16 fields


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    for kind in [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q8_0, T.Q4_K, T.Q6_K]:
        elements, size = GGML_QUANT_SIZES[kind]
        n = max(8, 512 // elements)
        blocks = rng.integers(0, 256, size=(n, size), dtype=np.uint8)
        for at in SCALES_AT.get(kind, []):
            blocks[: n // 2, at:at + 2] = rng.normal(0, 0.01, (n // 2, 1)).astype(np.float16).view(np.uint8)
        with np.errstate(all='ignore'):
            values = quants.dequantize(blocks, kind).astype('<f4')
        blocks.tofile(out / f'{kind.name.lower()}.blocks')
        values.tofile(out / f'{kind.name.lower()}.f32')


if __name__ == '__main__':
    main()
