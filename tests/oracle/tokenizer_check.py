#!/usr/bin/env python3
"""Compares `notso tokenize` with the `tokenizers` package on many generated strings (tokenizer_strings.py), and
`notso detokenize` with the strings themselves.

Each string is read twice: control tokens parsed, and as ordinary text. The reference of a GGUF file is built from its
own vocabulary by tools/tokenizer_oracle.py of the shared folder; the reference of a named vocabulary is its own
tokenizer.json, and notso reads the same as a GGUF file (llama3-json: the tokenizer.json).
needs: pip install gguf tokenizers
usage: tokenizer_check.py NOTSO VOCABULARY [--count 100000] [--seed 1]
VOCABULARY: a GGUF file, or llama3, llama3-json, smaug, qwen2, gpt2 (real vocabularies, fetched once)
Prints the first differences; exit code 1 when there is one, 77 when the reference is not there.
"""
import argparse
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import tokenizer_strings
import vocabularies

SHARED = pathlib.Path(os.environ.get('NOTSO_SHARED') or pathlib.Path(__file__).resolve().parents[2].parent / 'shared')
NAMED = ('llama3', 'llama3-json', 'smaug', 'qwen2', 'gpt2')
BATCH = 50_000  # strings in memory at a time


def run_notso(command, lines):
    """Output lines of one notso command."""
    with tempfile.TemporaryFile() as source:
        source.write('\n'.join([*lines, '']).encode())
        source.seek(0)
        done = subprocess.run(command, stdin=source, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f'notso ended with code {done.returncode}: {" ".join(map(str, command))}')
    return done.stdout.decode().split('\n')[:-1]  # splitlines() would also cut at U+2028


def named_vocabulary(name):
    """(tokenizer.json, the same as a GGUF file) of one of the real vocabularies."""
    family = {'llama3-json': 'llama3', 'smaug': 'llama3'}.get(name, name)
    source = vocabularies.fetch(family)
    pre = 'smaug-bpe' if name == 'smaug' else vocabularies.VOCABULARIES[family][2]
    return source, vocabularies.gguf_of(source, pre)


class Subject:
    """One vocabulary: how notso is called with it, and its reference."""

    def __init__(self, notso, name):
        self.notso, self.options = notso, ['-m', name]
        if name in NAMED:
            source, gguf = named_vocabulary(name)
            self.options = ['-m', str(gguf), *(['--tokenizer', str(source)] if name == 'llama3-json' else [])]
            self.definition = json.loads(source.read_text(encoding='utf-8'))
            self.definition['normalizer'] = None  # GGUF files have none
        else:
            import tokenizer_oracle
            self.definition = json.loads(tokenizer_oracle.build(name, True).to_str())

        known = self.definition['model']['vocab']
        alphabet = tokenizer_strings.byte_alphabet()
        self.dropped = {byte for byte in range(256) if alphabet[byte] not in known}  # SmolLM2 has no token for some bytes

    def reference(self, special):
        import tokenizers
        tokens = self.definition['added_tokens'] if special else []
        return tokenizers.Tokenizer.from_str(json.dumps({**self.definition, 'added_tokens': tokens}))

    def compare(self, texts, reference, special):
        """@return number of strings whose ids or whose way back differ."""
        ours = []
        command = [self.notso, 'tokenize', *self.options, *(['--special'] if special else [])]
        job = threading.Thread(target=lambda: ours.extend(run_notso(command, [json.dumps(t) for t in texts])))
        job.start()
        theirs = [e.ids for e in reference.encode_batch(texts, add_special_tokens=False)]
        job.join()
        if len(ours) != len(texts):
            sys.exit(f'notso answered {len(ours)} of {len(texts)} lines')
        back = run_notso([self.notso, 'detokenize', *self.options, '--special'], ours)
        bad = 0
        for text, line, ids, text_back in zip(texts, ours, theirs, back, strict=True):
            if json.loads(line) == ids and (json.loads(text_back) == text or not self.dropped.isdisjoint(text.encode())):
                continue
            bad += 1
            if bad <= 5:
                print(f'differs: {json.dumps(text)[:300]}\n  notso     {line[:300]}\n  reference {str(ids)[:300]}\n'
                      f'  back      {text_back[:300]}')
        return bad


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('notso')
    p.add_argument('vocabulary')
    p.add_argument('--count', type=int, default=100_000)
    p.add_argument('--seed', type=int, default=1)
    a = p.parse_args()
    if not (SHARED / 'tools/tokenizer_oracle.py').exists():
        vocabularies.skip(f'no {SHARED}/tools/tokenizer_oracle.py')
    sys.path.insert(0, str(SHARED / 'tools'))
    subject = Subject(a.notso, a.vocabulary)
    references = {special: subject.reference(special) for special in (False, True)}
    bad = {False: 0, True: 0}
    source = tokenizer_strings.strings(a.seed, a.count)
    while texts := list(itertools.islice(source, BATCH)):
        for special, reference in references.items():
            bad[special] += subject.compare(texts, reference, special)
    for special, count in bad.items():
        print(f'{pathlib.Path(a.vocabulary).name}, special {"on" if special else "off"}: {a.count - count} of {a.count} strings equal, '
              'ids and round trip')
    sys.exit(1 if any(bad.values()) else 0)


if __name__ == '__main__':
    main()
