#!/usr/bin/env python3
"""Compares our Jinja engine with Python's on random templates and values: text must be equal to the byte, and where one
side gives an error the other does.

usage: jinja_differential.py JINJA_BATCH [--count CASES] [--seed N] [--show N] [--template N]
  --template N   shows the case with this number (as in the report) and nothing else
Cases are the same for the same seed, on every machine. Exit code 1 when there is a difference.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import random
import re
import resource
import subprocess
import sys
import warnings

import jinja_oracle
import jinja_values
from jinja_statements import Templates

CHUNK = 500
BUDGET = re.compile('takes more than [0-9]+ steps|grows over|needs more than [0-9]+ bytes|nest deeper than 200 levels')
MAX_BYTES = 2 * 1024**3


def case(seed, number):
    rng = random.Random(f'{seed}/{number // 2}')
    source = Templates(rng).template()
    return source, jinja_values.variables(random.Random(f'{seed}/{number}/values'))


def ours(program, cases):
    lines = ''.join(json.dumps(list(pair)) + '\n' for pair in cases)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=False)
    rows = [json.loads(line) for line in done.stdout.split('\n') if line]
    if done.returncode != 0 or len(rows) != len(cases):
        sys.exit(f'{program} ended with {done.returncode} after {len(rows)} of {len(cases)} cases: {done.stderr[:500]}\n{cases[min(len(rows), len(cases) - 1)]}')
    return rows


def verdict(kind, expected, row, big):
    """'equal', or what the difference is."""
    if kind == 'skipped':
        return f'skipped: {expected}'
    if 'error' in row:
        if 'line ' not in row['error'] or 'column ' not in row['error']:
            return 'DIFFERENT: an error without its place'
        if kind == 'error':
            return 'equal errors'
        if BUDGET.search(row['error']):
            return 'explained: over a budget'
        explained = big and ('64 bits' in row['error'] or 'complex' in row['error'])
        return 'explained: integers beyond 64 bits, complex numbers' if explained else 'DIFFERENT: only we give an error'
    if kind == 'error':
        return 'DIFFERENT: only Python gives an error'
    return 'equal texts' if row['text'] == expected else 'DIFFERENT: texts'


def run_chunk(program, seed, first, count):
    warnings.simplefilter('ignore')
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))  # a width of 2**31 is a MemoryError, not the machine's end
    environment, unfolded = jinja_oracle.Environment(), jinja_oracle.Environment(folds=False)
    cases = [case(seed, number) for number in range(first, first + count)]
    tally, found = collections.Counter(), []
    for number, (source, values), row in zip(range(first, first + count), cases, ours(program, cases)):
        kind, expected = jinja_oracle.render(environment, source, values)
        said = verdict(kind, expected, row, environment.big)
        if said.startswith('DIFFERENT') and verdict(*jinja_oracle.render(unfolded, source, values), row, unfolded.big).startswith('equal'):
            said = "explained: equal without Python's constant folding"
        tally[said] += 1
        if said.startswith('DIFFERENT'):
            found.append({'case': number, 'said': said, 'source': source, 'python': expected, 'ours': row})
    return tally, found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('program')
    parser.add_argument('--count', type=int, default=5000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--show', type=int, default=10)
    parser.add_argument('--template', type=int)
    parser.add_argument('--out', help='a file that gets every difference, one JSON object a line')
    given = parser.parse_args()
    if given.template is not None:
        source, values = case(given.seed, given.template)
        print(source, json.dumps(values, ensure_ascii=False), ours(given.program, [(source, values)]), jinja_oracle.render(jinja_oracle.Environment(), source, values), sep='\n')
        return 0
    tally, found = collections.Counter(), []
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(run_chunk, given.program, given.seed, first, min(CHUNK, given.count - first)) for first in range(0, given.count, CHUNK)]
        for job in jobs:
            counts, differences = job.result()
            tally += counts
            found += differences
    for said, times in sorted(tally.items()):
        print(f'{times:8} {said}')
    for row in found[:given.show]:
        print(f"\ncase {row['case']}: {row['said']}\n{row['source']}\n  python: {row['python']!r}\n  ours:   {row['ours']}")
    if given.out:
        with open(given.out, 'w', encoding='utf-8') as out:
            out.writelines(json.dumps(row, ensure_ascii=False) + '\n' for row in found)
    compared = tally['equal texts'] + tally['equal errors']
    print(f'{given.count} cases with seed {given.seed}: {compared} equal, {len(found)} different')
    if tally['explained: over a budget'] > given.count / 1000 + 5:
        return 1
    return 1 if found or compared < given.count * 0.9 or tally['equal texts'] < given.count * 0.5 else 0


if __name__ == '__main__':
    sys.exit(main())
