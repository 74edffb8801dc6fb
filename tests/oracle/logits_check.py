#!/usr/bin/env python3
"""Compares the logits of `notso logits` with the numpy oracle (tools/reference.py of the shared folder).

Prints mean Kullback-Leibler divergence, top-1 agreement and the largest difference per model and way of reading
(prefill, or --step: one token at a time), and fails when a gate is missed.
needs: pip install gguf numpy
usage: logits_check.py NOTSO --reference [--step] [--kv f16|f32] [--precision fast]   SmolLM2-135M on reference/smollm2_135m.json
       logits_check.py NOTSO --model M.gguf --max-kl 1e-5 [--min-top1 0.99] [--tokens N] [--step] [--kv …]
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get('NOTSO_SHARED', ROOT.parent / 'shared'))
DEFAULT_MODEL = pathlib.Path.home() / '.cache/notso/models/SmolLM2-135M-Instruct.Q4_1.gguf'


def log_softmax(x):
    x = x.astype(np.float64)
    x -= x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def notso_logits(args, model, tokens, n_vocab):
    with tempfile.TemporaryDirectory() as folder:
        ids, out = pathlib.Path(folder, 'ids'), pathlib.Path(folder, 'out.f32')
        ids.write_text(','.join(map(str, tokens)))
        command = [args.notso, 'logits', '-m', str(model), '--tokens', f'@{ids}', '--out', str(out), '--kv', args.kv,
                   '--precision', args.precision]
        subprocess.run(command + (['--step'] if args.step else []), check=True, stdout=subprocess.DEVNULL)
        return np.fromfile(out, '<f4').reshape(-1, n_vocab)


class Tally:
    """Sums over all positions of all cases."""

    def __init__(self):
        self.n, self.kl, self.same, self.worst = 0, 0.0, 0, 0.0

    def add(self, expected, actual):
        if not np.isfinite(actual).all():
            sys.exit('logits are not finite')
        p, q = log_softmax(expected), log_softmax(actual)
        self.n += len(p)
        self.kl += float((np.exp(p) * (p - q)).sum())
        self.same += int((p.argmax(-1) == q.argmax(-1)).sum())
        spread = np.abs(expected - expected.mean(-1, keepdims=True)).max()
        self.worst = max(self.worst, float(np.abs(actual - expected).max() / spread))

    def report(self, name, max_kl, min_top1):
        kl, top1 = self.kl / self.n, self.same / self.n
        ok = kl <= max_kl and top1 >= min_top1
        print(f'{name}: {self.n} tokens, mean KL {kl:.3e} (limit {max_kl:g}), top-1 {top1:.4f} '
              f'(limit {min_top1:g}), max |d| / spread {self.worst:.2e}: {"ok" if ok else "MISSED"}')
        return ok


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('notso')
    ap.add_argument('--reference', action='store_true')
    ap.add_argument('--model', type=pathlib.Path, default=DEFAULT_MODEL)
    ap.add_argument('--max-kl', type=float, default=4.7e-3)
    ap.add_argument('--min-top1', type=float, default=0.968)
    ap.add_argument('--tokens', type=int, default=200, help='random tokens for a model without reference cases')
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--step', action='store_true')
    ap.add_argument('--kv', default='f16')
    ap.add_argument('--precision', default='exact')
    args = ap.parse_args()
    if not (SHARED / 'tools/reference.py').exists():
        print('skipped: the shared folder with the oracle is not there (NOTSO_SHARED)')
        sys.exit(77)
    sys.path.insert(0, str(SHARED / 'tools'))
    import reference
    weights = reference.Weights(str(args.model))
    cache, load = {}, weights.get
    weights.get = lambda name: cache[name] if name in cache else cache.setdefault(name, load(name))
    n_vocab = weights.tensors['token_embd.weight'].shape[1]
    if args.reference:
        cases = [c['tokens'] for c in json.loads((SHARED / 'reference/smollm2_135m.json').read_text())['cases']]
    else:
        cases = [np.random.default_rng(args.seed).integers(0, n_vocab, args.tokens).tolist()]
    tally = Tally()
    for tokens in cases:
        tally.add(reference.forward(weights, tokens), notso_logits(args, args.model, tokens, n_vocab))
    name = f'{args.model.name} {"step" if args.step else "prefill"} kv {args.kv} {args.precision}'
    sys.exit(0 if tally.report(name, args.max_kl, args.min_top1) else 1)


if __name__ == '__main__':
    main()
