#!/usr/bin/env python3
"""Plants the faults of faults.json in a copy of the tracked tree; see tests/planted_faults.sh.

Each fault replaces one piece of text that must occur exactly once (so that a fault which no longer fits the code is
an error, not a pass), rebuilds the program that is named, and runs the tests that must now fail. Before any fault the
same tests must pass. Builds live in build/faults, so a second run is quick.
"""
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / 'build' / 'faults'
COPY, BUILD = WORK / 'source', WORK / 'build'


def run(command, **options):
    return subprocess.run(command, text=True, errors='replace', capture_output=True, **options)


def copy_tree():
    """The tracked files, as they are now; unchanged ones keep their time stamps, so that little is rebuilt."""
    COPY.mkdir(parents=True, exist_ok=True)
    names = run(['git', '-C', str(ROOT), 'ls-files', '-z', '--cached', '--others', '--exclude-standard']).stdout
    wanted = {name for name in names.split('\0') if name and (ROOT / name).is_file()}
    for path in [p for p in COPY.rglob('*') if p.is_file() and str(p.relative_to(COPY)) not in wanted]:
        path.unlink()
    for name in wanted:
        target = COPY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != (ROOT / name).read_bytes():
            shutil.copy(ROOT / name, target)
    shared = COPY.parent / 'shared'
    if not shared.exists() and (ROOT.parent / 'shared').is_dir():
        shared.symlink_to(ROOT.parent / 'shared')


def configure():
    done = run(['cmake', '-S', str(COPY), '-B', str(BUILD), '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release',
                '-DNOTSO_WERROR=OFF'])
    if done.returncode:
        sys.exit(done.stderr[-2000:])


def build(target):
    done = run(['cmake', '--build', str(BUILD), '--target', target])
    return done.returncode == 0, done.stdout[-1500:]


def tests_pass(fault):
    """Whether the fault's tests pass; a pattern that selects no test is an error."""
    layer = fault['tests'].split('.', 1)[0]
    command = [str(BUILD / layer / f'{layer}_test'), '--gtest_brief=1', '--gtest_filter=' + fault['tests'].split('.', 1)[1]]
    listed = run(command[:1] + ['--gtest_list_tests', command[2]])
    if '  ' not in listed.stdout:
        sys.exit(f"{fault['name']}: no test is called {fault['tests']}")
    try:
        done = run(command, timeout=180, cwd=COPY, env={**os.environ, 'NOTSO_SHARED': str(ROOT.parent / 'shared')})
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def plant(fault):
    """'caught', or what went wrong."""
    path = COPY / fault['file']
    original = path.read_text()
    if original.count(fault['replace']) != 1:
        return f"the text to replace occurs {original.count(fault['replace'])} times in {fault['file']}"
    target = fault['tests'].split('.', 1)[0] + '_test'
    try:
        path.write_text(original.replace(fault['replace'], fault['with']))
        built, output = build(target)
        if not built:
            return 'does not compile: ' + output
        return 'SURVIVED' if tests_pass(fault) else 'caught'
    finally:
        path.write_text(original)


def main():
    faults = json.loads((HERE / 'faults.json').read_text())
    chosen = [f for f in faults if not sys.argv[1:] or f['name'] in sys.argv[1:]]
    if not chosen:
        sys.exit('no fault of that name')
    copy_tree()
    configure()
    for target in sorted({f['tests'].split('.', 1)[0] + '_test' for f in chosen}):
        built, output = build(target)
        if not built:
            sys.exit(f'{target} does not build without any fault:\n{output}')
    for fault in {f['tests']: f for f in chosen}.values():  # each selection of tests once
        if not tests_pass(fault):
            sys.exit(f"{fault['name']}: {fault['tests']} fails without the fault")
    caught = 0
    for fault in chosen:
        started = time.monotonic()
        verdict = plant(fault)
        caught += verdict == 'caught'
        print(f"{verdict:9} {fault['name']} ({fault['tests']}, {time.monotonic() - started:.0f} s)", flush=True)
    print(f'{caught} passed, {len(chosen) - caught} failed')
    return 0 if caught == len(chosen) else 1


if __name__ == '__main__':
    sys.exit(main())
