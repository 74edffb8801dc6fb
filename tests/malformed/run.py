#!/usr/bin/env python3
"""Runs malformed models (generate.py) and judges the outcome. Needs nothing but Python and the built programs.

usage: run.py classes DRIVER          every class in one process, then every truncation of the header
       run.py program NOTSO           the classes through `notso run`, `inspect` and `tokenize`
       run.py mutants DRIVER COUNT [SEED]   random damage; a mutant that crashes is kept and its path printed
A message must be one line that names the file, the key or tensor, and a byte of the file where there is one.
Times and memory are printed; only hangs (20 s) are judged by the clock, and memory with twice its figure.
"""
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import generate  # noqa: E402
from cases import REFUSED_BY  # noqa: E402

COLUMN = {'file': 0, 'header': 0, 'vocabulary': 1, 'model': 2}
MEMORY_MIB = 64
HANG_S = 20


def write_corpus(folder):
    subprocess.run([sys.executable, str(HERE / 'generate.py'), str(folder)], check=True, stdout=subprocess.DEVNULL)
    return json.loads((folder / 'manifest.json').read_text())


def complaints(case, message, path):
    """What is wrong with a message."""
    out = [f'says nothing of {part!r}' for part in case['expect'] if part not in message]
    if str(path) not in message:
        out.append('does not name the file')
    if case['place'] and not re.search(r'\bbyte \d+', message):
        out.append('names no byte')
    if len(message) > 2000:
        out.append(f'is {len(message)} bytes long')
    return out


def judge_classes(manifest, folder, driver):
    paths = [folder / case['file'] for case in manifest]
    done = subprocess.run([driver, 'classes'], input='\n'.join(map(str, paths)) + '\n', capture_output=True, text=True, errors='replace')
    if done.returncode:
        print(done.stderr[-6000:])
        sys.exit(f'the driver ended with {done.returncode}')
    lines = done.stdout.splitlines()
    assert len(lines) == len(manifest), (len(lines), len(manifest))
    failures, slowest = [], (0.0, '')
    for case, path, line in zip(manifest, paths, lines):
        ms, *verdicts = line.split('\t')
        slowest = max(slowest, (float(ms), case['name']))
        if case['stage'] in ('accepted', 'template'):  # templates are the services' business
            problems = [f'should load: {verdict}' for verdict in verdicts if verdict != '-']
        else:
            message = verdicts[COLUMN[case['stage']]]
            problems = ['was accepted'] if message == '-' else complaints(case, message, path)
        failures += [f"{case['name']}: {problem}\n    {line}" for problem in problems]
    print(f'{len(manifest)} classes, slowest {slowest[0]:.0f} ms of processor time ({slowest[1]})')
    return failures


def classes(driver):
    with tempfile.TemporaryDirectory() as temp:
        folder = Path(temp)
        failures = judge_classes(write_corpus(folder), folder, driver)
        for base in ('base_llama', 'base_smollm3'):
            done = subprocess.run([driver, 'truncate', str(folder / f'{base}.gguf'), '0'], capture_output=True, text=True, errors='replace')
            print(f'{base}: {done.stdout.strip()}')
            if done.returncode:
                failures.append(f'{base}: {done.stdout}{done.stderr[-3000:]}')
    return failures


def run_program(notso, command, path):
    """(exit status, stderr, seconds, peak MiB) of one command on a model."""
    arguments = {'run': ['run', '-p', 'Hi', '-n', '1', '-m', path], 'inspect': ['inspect', path], 'tokenize': ['tokenize', '-m', path]}[command]
    with tempfile.TemporaryFile() as err:
        started = time.monotonic()
        process = subprocess.Popen([notso, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - started > HANG_S:
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.002)
        process.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        return process.returncode, err.read().decode('utf-8', 'replace'), time.monotonic() - started, usage.ru_maxrss / 1024


class ProgramRun:
    """The classes through the program; keeps the worst time and memory."""

    def __init__(self, notso, base_mib):
        self.notso, self.base_mib = notso, base_mib
        self.count, self.slowest, self.largest = 0, (0.0, ''), (0.0, '')

    def check(self, case, command, path, refused=True):
        status, stderr, seconds, mib = run_program(self.notso, command, path)
        name = f"{case['name']} ({command})"
        self.count += 1
        if not refused:
            return [f'{name}: exit {status}: {stderr}'] if status not in (0, 1) else []
        self.slowest = max(self.slowest, (seconds * 1000, name))
        self.largest = max(self.largest, (mib - self.base_mib, name))
        problems = complaints(case, stderr, path)
        if status != 1:
            problems.append(f'exit {status}')
        if stderr.count('\n') != 1 or not stderr.startswith('notso: '):
            problems.append('is not one line')
        if mib - self.base_mib > 2 * MEMORY_MIB:
            problems.append(f'took {mib - self.base_mib:.0f} MiB')
        return [f'{name}: {problem}\n    {stderr}' for problem in problems]


def special_files(folder):
    """What only a file system can be: (case, path)."""
    def case(name, *expect):
        return {'name': name, 'expect': list(expect), 'place': False, 'stage': 'file'}

    (folder / 'folder.gguf').mkdir()
    os.mkfifo(folder / 'pipe.gguf')
    (folder / 'dangling.gguf').symlink_to('nothing')
    (folder / 'loop.gguf').symlink_to('loop.gguf')
    out = [(case('file_folder', 'folder'), 'folder.gguf'), (case('file_pipe', 'not a regular file'), 'pipe.gguf'),
           (case('file_dangling_link', 'does not exist'), 'dangling.gguf'), (case('file_link_to_itself'), 'loop.gguf'),
           (case('file_missing', 'does not exist'), 'missing.gguf')]
    if os.getuid() != 0:
        (folder / 'unreadable.gguf').write_bytes(b'GGUF')
        (folder / 'unreadable.gguf').chmod(0)
        out.append((case('file_unreadable', 'ermission'), 'unreadable.gguf'))
    return [(entry, folder / name) for entry, name in out] + [(case('file_device', 'not a regular file'), Path('/dev/zero'))]


def program(notso):
    with tempfile.TemporaryDirectory() as temp:
        folder = Path(temp)
        manifest = write_corpus(folder)
        base_mib = max(run_program(notso, command, folder / 'missing.gguf')[3] for command in ('run', 'inspect', 'tokenize'))
        runner = ProgramRun(notso, base_mib)
        work = [(case, command, path) for case, path in special_files(folder) for command in REFUSED_BY['file']]
        for case in manifest:
            if case['shown']:
                work += [(case, command, folder / case['file']) for command in REFUSED_BY[case['stage']][:1]]
            if case['shown'] and not hash_of(case['name']) % 8:
                work += [(case, command, folder / case['file']) for command in REFUSED_BY[case['stage']][1:]]
        odd = [case for case in manifest if case['stage'] == 'accepted']
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda item: runner.check(*item), work))
            results += list(pool.map(lambda case: runner.check(case, 'run', folder / case['file'], refused=False), odd))
    print(f'{runner.count} runs of the program; slowest refusal {runner.slowest[0]:.0f} ms ({runner.slowest[1]}), '
          f'largest {runner.largest[0]:.1f} MiB over the {runner.base_mib:.0f} MiB of a missing file ({runner.largest[1]})')
    return [failure for result in results for failure in result]


def hash_of(text):
    return sum(text.encode())


def mutants(driver, count, seed):
    failures = []
    with tempfile.TemporaryDirectory() as temp:
        folder = Path(temp)
        bases = {'base_llama': generate.model('llama'), 'base_smollm3': generate.model('smollm3', 4)}
        for name, file in bases.items():
            base, status = folder / f'{name}.gguf', folder / 'status'
            base.write_bytes(file.bytes())
            done = subprocess.run([driver, 'mutants', str(base), str(seed), '0', str(count // 2), str(status)], capture_output=True, text=True,
                                  errors='replace')
            print(f'{name}, seed {seed}: {done.stdout.strip()}')
            if done.returncode:
                number = struct.unpack('<Q', status.read_bytes())[0]
                kept = Path(tempfile.gettempdir()) / f'{name}_{seed}_{number}.gguf'
                subprocess.run([driver, 'mutant', str(base), str(seed), str(number), str(kept)], check=True)
                failures.append(f'{name}: mutant {number} of seed {seed} (kept as {kept}) ended the driver with {done.returncode}\n{done.stderr[-6000:]}')
    return failures


def main():
    mode, *rest = sys.argv[1:] or ['']
    if mode == 'classes' and len(rest) == 1:
        failures = classes(rest[0])
    elif mode == 'program' and len(rest) == 1:
        failures = program(rest[0])
    elif mode == 'mutants' and len(rest) in (2, 3):
        failures = mutants(rest[0], int(rest[1]), int(rest[2]) if len(rest) == 3 else 1)
    else:
        sys.exit(__doc__)
    for failure in failures:
        print('FAILED', failure)
    if failures:
        print(f'{len(failures)} failures')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
