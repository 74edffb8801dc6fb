#!/usr/bin/env python3
"""Compares `notso perplexity` with the numpy oracle (tools/reference.py of the shared folder) on tests/golden/text/passage.txt:
the same windows and scored positions, computed here a second time. Fails when they differ by more than 0.1 %.

needs: pip install gguf numpy
usage: perplexity_check.py NOTSO MODEL.gguf [--window 512] [--bytes N]     --bytes: the first N bytes of the text only
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
SHARED = pathlib.Path(os.environ.get('NOTSO_SHARED') or ROOT.parent / 'shared')
LIMIT = 1e-3


def oracle_perplexity(model, text, window):
    """exp(mean NLL) of tokens window/2 + 1 … of each full window; BOS takes each window's first place where the model adds it."""
    sys.path.insert(0, str(SHARED / 'tools'))
    import reference
    import tokenizer_oracle
    weights = reference.Weights(str(model))
    cache, load = {}, weights.get
    weights.get = lambda name: cache[name] if name in cache else cache.setdefault(name, load(name))
    tokens = tokenizer_oracle.build(str(model), False).encode(text.removesuffix('\n'), add_special_tokens=False).ids
    add_bos, bos = weights.meta('tokenizer.ggml.add_bos_token', False), weights.meta('tokenizer.ggml.bos_token_id')
    if add_bos:
        tokens = [bos, *tokens]
    nll = []
    for start in range(0, len(tokens) - window + 1, window):
        part = tokens[start:start + window]
        read = [bos, *part[1:]] if add_bos else part
        logits = reference.forward(weights, read)[window // 2:-1].astype(np.float64)
        logits -= logits.max(-1, keepdims=True)
        targets = part[window // 2 + 1:]
        nll += list(np.log(np.exp(logits).sum(-1)) - logits[np.arange(len(targets)), targets])
    return float(np.exp(np.mean(nll))), len(nll), len(tokens)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('notso')
    p.add_argument('model', type=pathlib.Path)
    p.add_argument('--window', type=int, default=512)
    p.add_argument('--bytes', type=int, default=1 << 30)
    a = p.parse_args()
    if not (SHARED / 'tools/reference.py').exists():
        print(f'skipped: no {SHARED}/tools/reference.py')
        sys.exit(77)
    text = (ROOT / 'tests/golden/text/passage.txt').read_bytes()[:a.bytes].decode('utf-8', 'ignore')
    with tempfile.NamedTemporaryFile('w', suffix='.txt', encoding='utf-8') as file:
        file.write(text)
        file.flush()
        done = subprocess.run([a.notso, 'perplexity', '-m', a.model, '-f', file.name, '-c', str(a.window), '--json'],
                              stdout=subprocess.PIPE, check=True)
    ours = json.loads(done.stdout)
    expected, n_scored, n_tokens = oracle_perplexity(a.model, text, a.window)
    if (ours['scored_tokens'], ours['tokens']) != (n_scored, n_tokens):
        sys.exit(f'notso scored {ours["scored_tokens"]} of {ours["tokens"]} tokens, the oracle {n_scored} of {n_tokens}')
    difference = abs(ours['perplexity'] / expected - 1)
    ok = difference <= LIMIT
    print(f'perplexity {ours["perplexity"]:.5f}, oracle {expected:.5f}: {difference:.2e} apart (limit {LIMIT:g}); {n_scored} tokens scored '
          f'in windows of {a.window}, notso {ours["seconds"]:.1f} s: {"ok" if ok else "MISSED"}')
    sys.exit(0 if ok else 1)


if __name__ == '__main__':
    main()
