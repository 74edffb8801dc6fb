#!/usr/bin/env python3
"""Prints the error of other programs' quantisers on the generated weights of ml/quant/encode/encode_test.cpp.

The figures stand in that test, which holds the encoders to them without needing the other programs.
needs: pip install gguf numpy; for the rows of llama.cpp its libggml-base.so (any package with a built llama.cpp has it)
usage: make_encode_figures.py [PATH/libggml-base.so]
"""
import ctypes
import sys
import numpy as np
from gguf import GGMLQuantizationType as T, quants

ROWS, COLUMNS = 128, 512


def generated(kind):
    """[ROWS, COLUMNS] f32; exact in both languages: whole numbers below 2^53 and one rounding."""
    with np.errstate(over='ignore'):
        z = (np.arange(ROWS * COLUMNS, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    parts = sum(((z >> np.uint64(16 * i)) & np.uint64(0xFFFF)).astype(np.float64) for i in range(4))
    bell = (parts - 131070.0) / 65536.0  # the sum of four even numbers: nearly a bell, within ±2
    x = {'bell': bell, 'heavy': bell * bell * bell, 'shifted': bell + 1.0}[kind] / 32.0
    return x.astype(np.float32).reshape(ROWS, COLUMNS)


def of_ggml(path):
    lib = ctypes.CDLL(path)
    lib.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
    lib.ggml_quantize_chunk.restype = lib.ggml_row_size.restype = ctypes.c_size_t
    lib.ggml_row_size.argtypes = [ctypes.c_int, ctypes.c_int64]

    def quantize(x, kind):
        out = np.zeros((ROWS, lib.ggml_row_size(int(kind), COLUMNS)), np.uint8)
        lib.ggml_quantize_chunk(int(kind), x.ctypes.data, out.ctypes.data, 0, ROWS, COLUMNS, None)
        return out
    return quantize


def main():
    programs = {'gguf': quants.quantize}
    if len(sys.argv) > 1:
        programs['ggml'] = of_ggml(sys.argv[1])
    for kind in (T.Q8_0, T.Q4_0, T.Q5_0, T.Q5_1, T.Q4_K, T.Q5_K, T.Q6_K):
        for weights in ('bell', 'heavy', 'shifted'):
            x = generated(weights)
            for name, quantize in programs.items():
                try:
                    error = quants.dequantize(quantize(x, kind), kind).astype(np.float64) - x
                except NotImplementedError:
                    continue
                print(f'{{"{kind.name}", "{weights}", {np.sqrt((error ** 2).mean()):.6e}}},  // {name}')


if __name__ == '__main__':
    main()
