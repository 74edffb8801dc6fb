#!/usr/bin/env python3
"""Long contexts: the last positions of a long prompt against the numpy oracle, for a tiny SmolLM3 (layers with and without
rotation) and for contexts that YaRN doubles.

usage: positions_check.py NOTSO [--positions N] [--wrong-rules]      default: 4096; the full check is 32768
       --wrong-rules   also breaks each rule in the oracle: the logits must then be far beyond the limit
Exit code 1 when a gate is missed, 77 when the tools are not there.
"""
import argparse
import sys
import tempfile
import synthetic

MAX_KL = 1e-4
LAST = 256
SHAPE = "--layers 4 --hidden 128 --ffn 256 --heads 2 --kv 1 --vocab 4096 --qk-gain 10 --type f16"
# YaRN doubles a context of half the positions.
CASES = {
    "smollm3": "--arch smollm3 --ctx {positions}",
    "qwen2-yarn": "--arch qwen2 --rope-base 1e6 --rope-scaling yarn --rope-factor 2 --ctx {half}",
}


def missed_wrong_rules(name, model, tokens, expected):
    """Number of broken rules that the limit would let pass."""
    import make_tiny_models as tiny
    import reference
    rules = {"NoPE ignored": dict(weights=tiny.EveryLayerRotates),
             "NoPE one layer off": dict(weights=tiny.EveryLayerRotates, rotate=tiny.rotate_other_layers())}
    if name != "smollm3":
        rules = {"YaRN dropped": dict(weights=tiny.without(".rope.scaling.type"))}
    right = reference.rotate
    rules["the other pairs"] = dict(rotate=lambda x, c, s, interleaved: right(x, c, s, not interleaved))
    missed = 0
    for rule, wrong in rules.items():
        reference.rotate = wrong.get("rotate", right)
        broken = reference.forward(wrong.get("weights", reference.Weights)(str(model)), tokens, LAST)
        reference.rotate = right
        kl = synthetic.mean_kl(expected, broken)
        seen = kl > 10 * MAX_KL
        missed += not seen
        print(f"  {rule}: mean KL {kl:.2e}{'' if seen else ': this check would not see it'}", flush=True)
    return missed


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("notso")
    ap.add_argument("--positions", type=int, default=4096)
    ap.add_argument("--wrong-rules", action="store_true")
    args = ap.parse_args()
    synthetic.skip_without_tools()
    missed = 0
    for name, options in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            scales = options.format(positions=args.positions, half=args.positions // 2)
            model = synthetic.make_model(folder, name, f"{SHAPE} {scales}")
            tokens = synthetic.random_tokens(model, args.positions)
            expected = synthetic.oracle_logits(model, tokens, LAST)
            for kv in ("f16", "f32"):
                actual = synthetic.notso_logits(args.notso, model, tokens, "--last", str(LAST), "--kv", kv)
                title = f"{name}, the last {LAST} of {args.positions} positions, kv {kv}"
                missed += synthetic.judge(title, synthetic.mean_kl(expected, actual), MAX_KL)
            if args.wrong_rules:
                missed += missed_wrong_rules(name, model, tokens, expected)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
