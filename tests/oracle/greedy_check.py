#!/usr/bin/env python3
"""Compares greedy answers of `notso run` with the reference's: the first 16 tokens, or those up to the first end token.

The reference (reference/smollm2_135m.json of the shared folder) is the dequantised F32 model at temperature 0.
usage: greedy_check.py NOTSO MODEL.gguf [--min-share 0.9]
Exit code 1 when fewer cases than --min-share are equal, 77 when the reference is not there.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

SHARED = pathlib.Path(os.environ.get('NOTSO_SHARED') or pathlib.Path(__file__).resolve().parents[2].parent / 'shared')
N_TOKENS, END = 16, 2  # <|im_end|>


def until_end(tokens):
    return tokens[:tokens.index(END)] if END in tokens else tokens


def answer(notso, model, text):
    """What notso says to the question of a rendered prompt: the template puts the rest back."""
    system, user = re.fullmatch(r'<\|im_start\|>system\n(.*?)<\|im_end\|>\n<\|im_start\|>user\n(.*?)<\|im_end\|>\n'
                                r'<\|im_start\|>assistant\n', text, re.DOTALL).groups()
    # Temperature 0 is pure greedy: no penalty applies unless one is asked for.
    done = subprocess.run([notso, 'run', '-m', model, '--system', system, '-p', user, '-n', str(N_TOKENS), '--temp', '0', '--json'],
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('notso')
    p.add_argument('model')
    p.add_argument('--min-share', type=float, default=0.9)
    a = p.parse_args()
    reference = SHARED / 'reference/smollm2_135m.json'
    if not reference.exists():
        print(f'skipped: no {reference}')
        sys.exit(77)
    cases = [c for c in json.loads(reference.read_text())['cases'] if c['kind'] == 'chat']
    equal = 0
    for case in cases:
        report = answer(a.notso, a.model, case['text'])
        if report['usage']['prompt_tokens'] != len(case['tokens']):
            sys.exit(f'the prompt became {report["usage"]["prompt_tokens"]} tokens, not {len(case["tokens"])}: {case["text"]!r}')
        expected = until_end(case['greedy'][:N_TOKENS])
        if report['tokens'] == expected:
            equal += 1
        else:
            print(f'differs: {case["text"]!r}\n  notso     {report["tokens"]}\n  reference {expected}')
    print(f'greedy: {equal} of {len(cases)} chat cases have the same first {N_TOKENS} tokens (limit {a.min_share:.0%})')
    sys.exit(0 if cases and equal >= a.min_share * len(cases) else 1)


if __name__ == '__main__':
    main()
