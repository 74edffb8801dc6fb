#!/usr/bin/env python3
"""Quantises a model with `notso quantize` and checks what comes out.

Every type: keys copied, tensors of the expected sizes, root mean square error of each tensor at most 1.02 times that of the `gguf`
package where that writes the type, and the result's Kullback-Leibler divergence from the source (printed; F16 and Q8_0 have limits).
F16 and Q8_0 must still know the capital of France. Bytes must not depend on the number of threads.
needs: pip install gguf numpy
usage: quantize_check.py NOTSO MODEL.gguf [--all]        --all: every type, every tensor, more tokens (minutes)
"""
import argparse
import collections
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import numpy as np
from gguf import GGMLQuantizationType as T, quants

SET_KEYS = ('general.file_type', 'general.quantization_version')
KL_LIMITS = {'F16': 1e-5, 'Q8_0': 1e-2}  # other types lose what they lose, the more from a source of 4 bits
ANSWERING = ('F16', 'Q8_0')
TEXT = ('The river rises in the hills north of the town and reaches the sea after ninety miles. In spring the meadows along its banks '
        'are flooded, and the farmers move their cattle to higher ground. A bridge of stone was built in 1774; before that, travellers '
        'paid a penny for the ferry. Why did nobody build it earlier? Because the ferryman was the mayor.')


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, **options)
    if done.returncode != 0:
        sys.exit(f'{" ".join(map(str, command))}: exit {done.returncode}: {done.stderr.decode()}')
    return done.stdout


def log_softmax(x):
    x = x.astype(np.float64)
    x -= x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


Tensor = collections.namedtuple('Tensor', 'name kind data')


class Model:
    """A GGUF file as `notso inspect` sees it (the gguf package's reader takes seconds for a vocabulary)."""

    def __init__(self, notso, path):
        self.raw = np.memmap(path, np.uint8, 'r')
        tensors = json.loads(run(notso, 'inspect', path, '--json'))['tensors']
        self.tensors = []
        for t in tensors:
            rows = int(np.prod(t['shape'][1:]))
            data = self.raw[t['offset']:t['offset'] + t['bytes']].reshape(rows, -1)
            kind = T[t['type']]
            self.tensors.append(Tensor(t['name'], kind, data.view({T.F32: np.float32, T.F16: np.float16}.get(kind, np.uint8))))
        first = struct.pack('<Q', len(tensors[0]['name'])) + tensors[0]['name'].encode() + struct.pack('<I', len(tensors[0]['shape']))
        head = self.raw[:tensors[0]['offset']].tobytes()
        self.keys = bytearray(head[24:head.index(first)])

    def without_values(self, names):
        """The bytes of all keys, with zeros for the values of some u32 ones."""
        keys = bytearray(self.keys)
        for name in names:
            at = keys.find(name.encode())
            if at >= 0:
                at += len(name) + 4
                keys[at:at + 4] = bytes(4)
        return keys


class Checker:
    def __init__(self, args, folder):
        self.notso, self.model, self.folder, self.all = args.notso, args.model, folder, args.all
        self.missed = []
        self.source = Model(args.notso, args.model)
        self.weights = {t.name: t for t in self.source.tensors}
        tokens = json.loads(run(args.notso, 'tokenize', '-m', args.model, input=('"%s"\n' % TEXT).encode()))
        self.tokens = ','.join(map(str, tokens if args.all else tokens[:48]))
        self.expected = self.log_probabilities(args.model)

    def expect(self, ok, message):
        if not ok:
            self.missed.append(message)
            print(f'MISSED: {message}')

    def log_probabilities(self, model):
        out = self.folder / 'logits.f32'
        run(self.notso, 'logits', '-m', model, '--tokens', self.tokens, '--out', out)
        rows = self.tokens.count(',') + 1
        return log_softmax(np.fromfile(out, '<f4').reshape(rows, -1))

    def check_keys(self, name, model):
        """Both keys are there in the source, so the bytes of all keys are as many."""
        same = model.without_values(SET_KEYS) == self.source.without_values(SET_KEYS)
        self.expect(same, f'{name}: the keys are not the same')

    def check_errors(self, name, model):
        """Root mean square errors against the `gguf` package's, of every tensor or of some small ones."""
        worst, ratios = 0.0, {}
        for index, tensor in enumerate(model.tensors):
            source = self.weights[tensor.name]
            if tensor.kind == source.kind or not (self.all or (index % 7 == 3 and tensor.data.nbytes < 1e6)):
                continue
            x = quants.dequantize(source.data, source.kind)
            ours = np.sqrt(np.mean(np.square(quants.dequantize(tensor.data, tensor.kind) - x), dtype=np.float64))
            try:
                theirs_data = quants.quantize(x, tensor.kind)
            except NotImplementedError:
                continue
            theirs = np.sqrt(np.mean(np.square(quants.dequantize(theirs_data, tensor.kind) - x), dtype=np.float64))
            self.expect(ours <= 1.02 * theirs + 1e-12, f'{name}: {tensor.name} has the error {ours:.3e}, the package {theirs:.3e}')
            if theirs > 1e-9:
                ratios.setdefault(tensor.kind.name, []).append(ours / theirs)
        return ', '.join(f'{kind} {np.mean(r):.3f} (worst {np.max(r):.3f}, {len(r)} tensors)' for kind, r in ratios.items())

    def check(self, name):
        out = self.folder / f'{name}.gguf'
        summary = run(self.notso, 'quantize', self.model, out, name.lower()).decode().strip().splitlines()[-1]
        model = Model(self.notso, out)
        self.check_keys(name, model)
        ratios = self.check_errors(name, model)
        actual = self.log_probabilities(out)
        kl = float((np.exp(self.expected) * (self.expected - actual)).sum(-1).mean())
        top1 = float((self.expected.argmax(-1) == actual.argmax(-1)).mean())
        print(f'{summary}\n    mean KL {kl:.3e}, top-1 {top1:.3f}; error against the gguf package: {ratios or "no type of its own"}')
        self.expect(kl <= KL_LIMITS.get(name, np.inf), f'{name}: mean KL {kl:.3e} is above {KL_LIMITS.get(name)}')
        if name in ANSWERING:
            answer = run(self.notso, 'run', '-m', out, '-p', 'What is the capital of France?', '--temp', '0', '-n', '12').decode()
            self.expect('Paris' in answer, f'{name} answers {answer!r}')
        return out

    def check_threads(self, name, out):
        again = self.folder / 'again.gguf'
        run(self.notso, 'quantize', self.model, again, name, '-t', '3')
        self.expect(again.read_bytes() == out.read_bytes(), f'{name}: other bytes with three threads')


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('notso')
    ap.add_argument('model', type=pathlib.Path)
    ap.add_argument('--all', action='store_true')
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(args, pathlib.Path(folder))
        for name in ('F16', 'Q8_0', 'Q4_0', 'Q4_K_M', 'Q5_K_M', 'Q6_K') if args.all else ('F16', 'Q8_0', 'Q4_K_M'):
            out = checker.check(name)
            if name == 'Q4_K_M':
                checker.check_threads(name, out)
            out.unlink()
        sys.exit(1 if checker.missed else 0)


if __name__ == '__main__':
    main()
