"""Vocabularies that are none, and odd ones that have to work."""
import struct

from cases import Case, changed
from gguf_file import array, scalar
from tiny_model import CONTROL, MERGED, MERGES, tokens

N = len(tokens())
TYPES = [1] * 256 + [3] * len(CONTROL) + [1] * len(MERGED)


def put(name, value):
    return changed(lambda f: f.set(f'tokenizer.ggml.{name}', value))


def vocabulary(name, what, data, expect, place=True, shown=True):
    return Case(name, what, data, expect, stage='vocabulary', place=place, shown=shown)


def lists():
    key = 'tokenizer.ggml.tokens'
    yield vocabulary('tokens_none', 'a list of no tokens', put('tokens', array('string', [])), [key])
    yield vocabulary('tokens_one_less', 'a token less than types', put('tokens', array('string', tokens()[:-1])), ['tokenizer.ggml.token_type'])
    many = (9, struct.pack('<IQ', 8, 3_000_000) + bytes(24_000_000))
    yield vocabulary('tokens_3_million', '3 million tokens', put('tokens', many), [key, '3000000'])
    yield vocabulary('merges_3_million', '3 million merges', put('merges', many), ['tokenizer.ggml.merges', '3000000'])
    for extra in (1, 1000):
        more = changed(lambda f, n=extra: f.set('tokenizer.ggml.tokens', array('string', tokens() + [f'x{i}' for i in range(n)])).set(
            'tokenizer.ggml.token_type', array('i32', TYPES + [1] * n)))
        yield Case(f'tokens_{extra}_more_than_rows', 'more tokens than the embedding has rows', more, [key, 'token_embd.weight'], stage='model')
    for name in ('model', 'pre', 'tokens', 'merges'):
        yield vocabulary(f'tokenizer_{name}_missing', f'key tokenizer.ggml.{name} is missing', changed(lambda f, n=name: f.drop(f'tokenizer.ggml.{n}')),
                         [f'tokenizer.ggml.{name}', 'missing'], place=False)
    for model in ('llama', 'bert', 't5', ''):
        yield vocabulary(f'tokenizer_model_{model or "empty"}', 'another kind of tokenizer', put('model', scalar('string', model)),
                         ['tokenizer.ggml.model'], shown=model == 'llama')
    for pre in ('default', 'deepseek-v3', '', 'smollm\0'):
        yield vocabulary(f'tokenizer_pre_{pre.strip(chr(0)) or "empty"}', 'another pre-tokenizer', put('pre', scalar('string', pre)),
                         ['tokenizer.ggml.pre'], shown=pre == 'default')


def token_types():
    key = 'tokenizer.ggml.token_type'
    yield vocabulary('token_types_none', 'no types', put('token_type', array('i32', [])), [key])
    yield vocabulary('token_types_more', 'a type too many', put('token_type', array('i32', TYPES + [1])), [key])
    for label, value in {'7': 7, 'minus_1': -1, 'max': 2**31 - 1, 'min': -2**31}.items():
        yield vocabulary(f'token_type_{label}', f'a token of type {value}', put('token_type', array('i32', TYPES[:-1] + [value])), [key, str(N - 1)])
    yield vocabulary('token_type_u64_max', 'a token of type 2^64 - 1', put('token_type', array('u64', TYPES[:-1] + [2**64 - 1])), [key])


def scores():
    key = 'tokenizer.ggml.scores'
    yield vocabulary('scores_none', 'a list of no scores', put('scores', array('f32', [])), [key])
    yield vocabulary('scores_more', 'a score too many', put('scores', array('f32', [0.0] * (N + 1))), [key])
    yield Case('scores_nan', 'scores that are no numbers; byte-level BPE has no use for them', put('scores', array('f32', [float('nan')] * N)),
               stage='accepted')


def merges():
    key = 'tokenizer.ggml.merges'
    for label, merge in {'without_space': 'th', 'empty': '', 'only_a_space': ' ', 'left_missing': ' h', 'right_missing': 't ',
                         'names_no_token': 'q zz', 'makes_no_token': 'q q', 'three_parts': 't h e', 'not_utf8': b't \xff'}.items():
        yield vocabulary(f'merge_{label}', f'a merge: {label}', put('merges', array('string', MERGES + [merge])), [key, f'merge {len(MERGES)}'])
    yield Case('merges_none', 'no merges: bytes only', put('merges', array('string', [])), stage='accepted')
    yield Case('merges_twice', 'every merge twice', put('merges', array('string', MERGES + MERGES)), stage='accepted')


def roles():
    for role in ('bos', 'eos', 'eot', 'eom'):
        values = {'first_outside': ('u32', N), 'max_u32': ('u32', 2**32 - 1), 'max_u64': ('u64', 2**64 - 1), 'minus_1': ('i32', -1),
                  '2p32_plus_1': ('u64', 2**32 + 1)}
        for label, (kind, value) in values.items():
            yield vocabulary(f'{role}_{label}', f'{role} is token {value}', put(f'{role}_token_id', scalar(kind, value)),
                             [f'tokenizer.ggml.{role}_token_id'], shown=label == 'first_outside')
    for role in ('padding', 'unknown'):  # nothing uses them, and some files have numbers outside
        yield Case(f'{role}_first_outside', f'{role} is token {N}', put(f'{role}_token_id', scalar('u32', N)), stage='accepted')
        yield vocabulary(f'{role}_minus_1', f'{role} is token -1', put(f'{role}_token_id', scalar('i32', -1)), [f'tokenizer.ggml.{role}_token_id'])


def odd_tokens():
    """Strange tokens: each has to load, encode and decode."""
    def token(at, text, kind=1):
        types = TYPES[:]
        types[at] = kind
        return changed(lambda f: f.set('tokenizer.ggml.tokens', array('string', tokens()[:at] + [text] + tokens()[at + 1:])).set(
            'tokenizer.ggml.token_type', array('i32', types)))

    last = 256
    for label, (text, kind) in {'empty': ('', 1), 'empty_control': ('', 3), 'duplicate': ('A', 1), 'not_utf8': (b'\xff\xfe', 1),
                                'control_not_utf8': (b'<|\xff|>', 3), 'outside_the_alphabet': ('日本', 1), 'byte_out_of_range': ('<0x1FF>', 6),
                                'byte_negative': ('<0x-1>', 6), 'nul': ('\0', 1), 'one_mib': ('x' * (1 << 20), 1), 'user_defined': ('the', 4),
                                'unused': ('x', 5), 'unknown': ('<unk>', 2), 'control_is_a_letter': ('e', 3)}.items():
        yield Case(f'token_{label}', f'a token: {label}', token(last, text, kind), stage='accepted')
    yield Case('token_byte_missing', 'the letter a is no token', token(97, 'zzz'), stage='accepted')
    yield vocabulary('token_control_513_bytes', 'a control token of 513 bytes', token(last, 'c' * 513, 3), ['tokenizer.ggml', 'control token 256'])
    yield Case('tokens_all_alike', 'all tokens have one text', put('tokens', array('string', ['a'] * N)), stage='vocabulary',
               expect=['tokenizer.ggml'])
    alike = changed(lambda f: f.set('tokenizer.ggml.tokens', array('string', ['a'] * N)).set('tokenizer.ggml.merges', array('string', [])))
    yield Case('tokens_all_alike_no_merges', 'all tokens have one text, and nothing merges', alike, stage='accepted')
    fewer = changed(lambda f: f.set('tokenizer.ggml.tokens', array('string', tokens()[:260])).set('tokenizer.ggml.merges', array('string', [])).set(
        'tokenizer.ggml.token_type', array('i32', TYPES[:260])))
    yield Case('tokens_fewer_than_rows', 'fewer tokens than the embedding has rows', fewer, stage='accepted')


def cases():
    for group in (lists, token_types, scores, merges, roles, odd_tokens):
        yield from group()
