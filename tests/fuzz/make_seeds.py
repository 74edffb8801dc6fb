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

EXPRESSIONS = ['(1 + 2) * 3 - 4 / 5', '2^3^2 - 10!', '15% of 80 + 7 % 3', 'sqrt(2) * sin(30°) + √16', 'max(1,234) + 1,234', 'round(2.5e-3, 2)',
               'gcd(12, 18) + lcm(4, 6) + ncr(50, 6)', '9^9^9^9', '((((((1))))))', 'ln(2) / log(8, 2)', '1/3 × 2 ÷ 7 − 1', '-(-2)**-0.5', '0.1 + 0.2 =']


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


def tool_call_seeds():
    """The first byte says which marks are tokens; bytes 1..5 are those tokens."""
    call = '{"name": "f", "arguments": {"a": "}<tool_call></tool_call>\\"", "b": [1.5e3, null]}}'
    texts = {'text': f'Hi \n<tool_call>\n{call}\n</tool_call>\n<tool_call>{call}</tool_call> ho', 'broken': f'<tool_call>{call[:30]}</tool_call><tool_call>{call}',
             'nested': '<tool_call><tool_call>{"<tool_call>', 'list': f'<tool_call>[{call},{call}]</tool_call>', 'code': "<code>\n# c\nx = g('a\\u00e9', b=[1, (2,), {'k': None}])\nprint(g())</code>",
             'python': 'g(a=-1.5)', 'bare': f' {call}; {call}', 'unicode': f'日本語<tool_cal<tool_call>{call}</tool_cal', 'tokens': f'a\1{call}\2 b\3g(1)\4c\5{call}'}
    return {f'{name}{flags}': bytes([flags]) + text.encode() for name, text in texts.items() for flags in (0, 3, 4)}


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
    yield 'calculator', {f'expression{i}': text.encode() for i, text in enumerate(EXPRESSIONS)}
    yield 'tool_call_parser', tool_call_seeds()
    yield 'schema_grammar', schema_seeds()
    yield 'jinja', templates()
    yield 'blocks', {f'random{i}': rng.randbytes(300 * (i + 1)) for i in range(8)} | {'zeros': bytes(512), 'ones': b'\xff' * 512}


def schema_seeds():
    schemas = [{'type': 'object', 'properties': {'a': {'type': 'integer', 'minimum': -3, 'maximum': 120}, 'b': {'$ref': '#'}},
                'required': ['a'], 'additionalProperties': False, 'maxProperties': 2},
               {'type': 'array', 'prefixItems': [{'const': 'x'}], 'items': {'type': 'string', 'maxLength': 9}, 'minItems': 2},
               {'type': 'string', 'pattern': '^[a-c]{2,4}(x|y\\d)*$'}, {'type': 'number', 'minimum': 0.25, 'exclusiveMaximum': 0.5},
               {'anyOf': [{'enum': [1, 'two', None]}, {'type': 'object', 'additionalProperties': {'type': 'null'}}]},
               {'oneOf': [{'properties': {'k': {'const': i}}, 'required': ['k']} for i in (1, 2)]},
               {'allOf': [{'$ref': '#/$defs/d'}, {'minLength': 3}], '$defs': {'d': {'type': 'string', 'format': 'date'}}}]
    grammars = ['root ::= "a"* | ("b" [c-eä]{2,3})+', 'root ::= "[" (item ("," item)*)? "]"\nitem ::= "\\"" [^"\\\\]* "\\"" | root',
                'root ::= ("a"*)* # comment', 'root ::= ((("a"?){0,7})+){1,3}', 'root ::= ' + '(' * 70, 'root ::= x\nx ::= x "a" | "b"',
                'root ::= "a" root "b" | "a" root "c" | ""', 'root ::= "\\x41\\u00e4\\U0001F600" .']
    return ({f'schema{i}': json.dumps(schema).encode() for i, schema in enumerate(schemas)} |
            {f'grammar{i}': text.encode() for i, text in enumerate(grammars)})


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
