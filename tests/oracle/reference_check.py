#!/usr/bin/env python3
"""The accuracy promise on real weights: logits of SmolLM2-135M on every token of reference/smollm2_135m.json (shared folder)
against the numpy oracle, by prefill and by single steps, with an f32 and an f16 KV cache.

Limits: mean KL <= 1e-5 with an f32 cache, <= 1e-4 with an f16 cache, top-1 >= 99.5 %.
needs: pip install gguf numpy        usage: reference_check.py NOTSO MODEL.gguf [--every N]     every Nth case only
"""
import argparse
import json
import pathlib
import sys

import logits_check

LIMITS = {'f32': 1e-5, 'f16': 1e-4}
MIN_TOP1 = 0.995


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('notso')
    ap.add_argument('model', type=pathlib.Path)
    ap.add_argument('--every', type=int, default=1)
    args = ap.parse_args()
    cases_file = logits_check.SHARED / 'reference/smollm2_135m.json'
    if not cases_file.exists():
        print(f'skipped: no {cases_file}')
        sys.exit(77)
    sys.path.insert(0, str(logits_check.SHARED / 'tools'))
    import reference
    weights = reference.Weights(str(args.model))
    cache, load = {}, weights.get
    weights.get = lambda name: cache[name] if name in cache else cache.setdefault(name, load(name))
    tallies = {(kv, step): logits_check.Tally() for kv in LIMITS for step in (False, True)}
    for case in json.loads(cases_file.read_text())['cases'][::args.every]:
        expected = reference.forward(weights, case['tokens'])
        for (kv, step), tally in tallies.items():
            args.kv, args.step = kv, step
            tally.add(expected, logits_check.notso_logits(args, args.model, case['tokens'], expected.shape[1]))
    results = [tally.report(f'{args.model.name} {"step" if step else "prefill"} kv {kv}', LIMITS[kv], MIN_TOP1)
               for (kv, step), tally in tallies.items()]
    sys.exit(0 if all(results) else 1)


if __name__ == '__main__':
    main()
