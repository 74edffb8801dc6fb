#!/usr/bin/env python3
"""Writes a few seeds for every fuzz target: make_seeds.py FOLDER → FOLDER/TARGET/…, and FOLDER/vocabulary_seed.hpp.

Needs nothing but Python; the files are the same on every run.
"""
import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'malformed'))
from gguf_file import File, Tensor, array, scalar  # noqa: E402
from tiny_model import CONTROL, byte_tokens, model  # noqa: E402

TEXTS = ['the', 'Hello, wörld! 12345', ' the  the\n\n\tthe', '<|im_start|>user\nhi<|im_end|>', "it's 'll 've", '日本語 😀👩‍👩‍👧', '', 'e\u0301\u0301\u0301',
         'a' * 200, ' ' * 200, '\r\n\r\n', 'x\u00a0y\u2003z', '<|im_start', '\0\x01\x7f']


def tokenizer_only():
    """Keys of a vocabulary and no tensors: small, so that damage hits something."""
    file = model()
    file.keys = [key for key in file.keys if key[0].startswith('tokenizer.ggml')]
    file.tensors = []
    return file


def gguf_seeds():
    every = File()
    for kind in ('u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'bool', 'u64', 'i64', 'f64'):
        every.add(f'a.{kind}', scalar(kind, 1)).add(f'list.{kind}', array(kind, [0, 1]))
    every.add('text', scalar('string', 'ä')).add('texts', array('string', ['', 'b']))
    for block in ('F32', 'Q4_0', 'Q6_K'):
        every.put(Tensor(f'a.{block}', [256, 2], block))
    empty = File()
    return {'every_type': every.bytes(), 'empty': empty.bytes(), 'vocabulary': tokenizer_only().bytes(), 'tail_cut': every.bytes()[:-100]}


def small_vocabulary():
    file = File()
    for name, value in {'tokenizer.ggml.model': scalar('string', 'gpt2'), 'tokenizer.ggml.pre': scalar('string', 'gpt-2'),
                        'tokenizer.ggml.tokens': array('string', ['t', 'h', 'th', '<|im_start|>', '']),
                        'tokenizer.ggml.token_type': array('i32', [1, 1, 1, 3, 5]), 'tokenizer.ggml.merges': array('string', ['t h']),
                        'tokenizer.ggml.eos_token_id': scalar('u32', 3)}.items():
        file.add(name, value)
    return file


def hf_json(tokens, merges, added):
    split = {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True, 'use_regex': True}
    return json.dumps({'version': '1.0', 'added_tokens': [{'id': len(tokens) + i, 'content': text, 'special': True, 'normalized': False}
                                                          for i, text in enumerate(added)],
                       'normalizer': None, 'pre_tokenizer': split, 'decoder': split,
                       'model': {'type': 'BPE', 'vocab': {text: i for i, text in enumerate(tokens)}, 'merges': merges}}).encode()


def templates():
    """The snippets that the engine is compared on (golden/jinja), several lines of expressions to a seed."""
    folder = HERE.parent / 'golden/jinja'
    parts = (folder / 'statements.txt').read_text(encoding='utf-8').split('\n=====\n')
    for name in ('expressions.txt', 'filters.txt', 'methods.txt'):
        lines = (folder / name).read_text(encoding='utf-8').split('\n')
        parts += ['\n'.join(lines[i:i + 6]) for i in range(0, len(lines), 6)]
    return {f'template{i}': bytes([i % 16]) + part.encode() for i, part in enumerate(parts)}


def seeds():
    rng = random.Random(5)
    texts = {f'text{i}': text.encode() for i, text in enumerate(TEXTS)}
    broken = {'cut': '日本語'.encode()[:-1], 'overlong': b'\xc0\xaf\xe0\x80\xaf', 'surrogate': b'\xed\xa0\x80', 'high': b'\xf4\x90\x80\x80', 'random': rng.randbytes(64)}
    yield 'gguf_header', gguf_seeds()
    yield 'vocabulary', {'small': small_vocabulary().bytes(), 'bytes': tokenizer_only().bytes()}
    yield 'tokenizer_round_trip', texts | broken
    yield 'utf8_assembler', texts | broken
    yield 'hf_tokenizer', {'small': hf_json(['t', 'h', 'th'], ['t h'], ['<|im_start|>']),
                           'pairs': hf_json(['t', 'h', 'e', 'th', 'the', 'a', 'b', 'ab'], [['t', 'h'], ['th', 'e'], ['a', 'b']], ['<x>', '<y>', '<|im_start|>', '<z>']),
                           'fixture': (HERE.parent / 'golden/tokenizer/tiny_tokenizer.json').read_bytes()}
    yield 'jinja', templates()
    yield 'blocks', {f'random{i}': rng.randbytes(300 * (i + 1)) for i in range(8)} | {'zeros': bytes(512), 'ones': b'\xff' * 512}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    for target, files in seeds():
        (out / target).mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (out / target / name).write_bytes(data)
    data = tokenizer_only().bytes()
    assert len(byte_tokens()) == 256 and CONTROL
    rows = '\n'.join('    ' + ' '.join(f'{byte},' for byte in data[i:i + 32]) for i in range(0, len(data), 32))
    header = '// Written by make_seeds.py: a GGUF file with a vocabulary that has every byte.\n#pragma once\n\n' \
             f'inline constexpr unsigned char kVocabulary[] = {{\n{rows}\n}};\n'
    path = out / 'tests' / 'fuzz' / 'vocabulary_seed.hpp'
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != header:
        path.write_text(header)


if __name__ == '__main__':
    main()
