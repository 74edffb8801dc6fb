#!/usr/bin/env python3
"""Compares the logits of small models with random weights with the numpy oracle: block types, architectures, scalings of
positions, and the shapes of known models. Each is read in prefill and one token at a time, with keys and values in f32
and in f16, exactly and (in prefill) fast; large query and key gains make a wrong rotation or NoPE rule show.

usage: synthetic_check.py NOTSO [--long] [CASE…]      --long: the shapes of known models too
Exit code 1 when a gate is missed, 77 when the tools are not there.
"""
import sys
import tempfile
import synthetic

MAX_KL = {"f32": 1e-5, "f16": 1e-4}
FAST_MAX_KL = 5e-3
SMALL = "--layers 4 --hidden 256 --ffn 512 --heads 4 --kv 2 --vocab 4096 --qk-gain 6"
TYPE = "--arch smollm3 --layers 8 --hidden 256 --ffn 512 --heads 4 --kv 2 --vocab 4096 --qk-gain 6 --type "
TYPES = "f32 f16 bf16 q4_0 q4_1 q5_0 q5_1 q8_0 q2_k q3_k q4_k q5_k q6_k iq4_nl iq4_xs q4_k_m".split()
# The options of tools/synth_gguf.py. Scaled contexts are short, so that the tokens go beyond the original one.
CASES = {
    **{kind: TYPE + kind for kind in TYPES},
    "qwen2": SMALL + " --arch qwen2 --type q8_0 --rope-base 1e6",
    "qwen3": SMALL + " --arch qwen3 --type q8_0 --rope-base 1e6 --head-dim 128",
    "llama-rope-freqs": SMALL + " --arch llama --type q8_0 --rope-base 5e5 --rope-freqs",
    "llama-linear": SMALL + " --arch llama --type q8_0 --rope-scaling linear --rope-factor 4 --ctx 64",
    "llama-yarn": SMALL + " --arch llama --type q8_0 --rope-base 1e4 --rope-scaling yarn --rope-factor 4 --ctx 64",
    "qwen2-yarn": SMALL + " --arch qwen2 --type q8_0 --rope-base 1e6 --rope-scaling yarn --rope-factor 4 --ctx 64",
    "qwen3-yarn": SMALL + " --arch qwen3 --type q8_0 --rope-base 1e6 --head-dim 128 --rope-scaling yarn --rope-factor 4 --ctx 64",
    "smollm3-yarn": SMALL + " --arch smollm3 --type q8_0 --rope-scaling yarn --rope-factor 2 --ctx 128",
    "smollm3-linear": SMALL + " --arch smollm3 --type q8_0 --rope-scaling linear --rope-factor 2 --ctx 128",
}
# Two layers of each model, with its vocabulary.
SHAPES = {
    "llama-3.2-1b": "--arch llama --hidden 2048 --ffn 8192 --heads 32 --kv 8 --vocab 128256 --rope-base 5e5 --rope-freqs --ctx 131072",
    "qwen2.5-0.5b": "--arch qwen2 --hidden 896 --ffn 4864 --heads 14 --kv 2 --vocab 151936 --rope-base 1e6 --ctx 32768 --type q8_0",
    "qwen3-0.6b": "--arch qwen3 --hidden 1024 --ffn 3072 --heads 16 --kv 8 --head-dim 128 --vocab 151936 --rope-base 1e6 --ctx 40960",
    "smollm2-360m": "--arch llama --hidden 960 --ffn 2560 --heads 15 --kv 5 --vocab 49152 --rope-base 1e5 --ctx 8192 --type q8_0",
    "smollm2-1.7b": "--arch llama --hidden 2048 --ffn 8192 --heads 32 --kv 32 --vocab 49152 --rope-base 130000 --ctx 8192",
    "smollm3-3b": "--arch smollm3 --kv 4 --vocab 128256",
}


def check(notso, name, options, n_tokens):
    """Number of missed gates."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        model = synthetic.make_model(folder, name, options)
        tokens = synthetic.random_tokens(model, n_tokens)
        expected = synthetic.oracle_logits(model, tokens)
        for kv, limit in MAX_KL.items():
            for step in ([], ["--step"]):
                actual = synthetic.notso_logits(notso, model, tokens, "--kv", kv, *step)
                title = f"{name} {'step' if step else 'prefill'} kv {kv}"
                missed += synthetic.judge(title, synthetic.mean_kl(expected, actual), limit)
            fast = synthetic.notso_logits(notso, model, tokens, "--kv", kv, "--precision", "fast")
            missed += synthetic.judge(f"{name} fast kv {kv}", synthetic.mean_kl(expected, fast), FAST_MAX_KL)
    return missed


def main():
    synthetic.skip_without_tools()
    notso, chosen = sys.argv[1], [a for a in sys.argv[2:] if not a.startswith("--")]
    missed = 0
    for name, options in CASES.items():
        if not chosen or name in chosen:
            missed += check(notso, name, options, 160)
    for name, options in SHAPES.items():
        if name in chosen or ("--long" in sys.argv and not chosen):
            missed += check(notso, name, options + " --layers 2 --qk-gain 6", 24)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
