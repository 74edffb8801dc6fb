"""Keys and tensors that make no model, and chat templates that can't be used."""
import struct

from cases import Case, changed
from gguf_file import TYPES, Tensor, array, scalar
from tiny_model import EMBD, FFN, model, tokens

WHOLE = {'block_count': 1, 'context_length': 64, 'embedding_length': 32, 'feed_forward_length': 64, 'vocab_size': 263,
         'attention.head_count': 2, 'attention.head_count_kv': 1, 'attention.key_length': 16, 'attention.value_length': 16,
         'rope.dimension_count': 16, 'rope.scaling.original_context_length': 32}
REQUIRED = ('block_count', 'context_length', 'embedding_length', 'feed_forward_length', 'attention.head_count',
            'attention.layer_norm_rms_epsilon')
FRACTIONS = {'attention.layer_norm_rms_epsilon': 1e-5, 'rope.freq_base': 1e4, 'rope.scaling.factor': 2.0}
TEXTS = ('general.architecture', 'general.name', 'llama.rope.scaling.type', 'tokenizer.ggml.model', 'tokenizer.ggml.pre', 'tokenizer.chat_template')


def sample_of(kind):
    """A value of a type, as harmless as it can be."""
    if kind == 'array':
        return array('u32', [1])
    return scalar(kind, {'string': 'x', 'bool': 1}.get(kind, 1))


def wrong_types():
    """Every known key as every type that it may not have."""
    whole = {'u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'u64', 'i64'}
    allowed = {f'llama.{key}': whole for key in WHOLE} | {f'llama.{key}': {'f32', 'f64'} for key in FRACTIONS}
    allowed |= {key: {'string'} for key in TEXTS}
    allowed |= {'general.file_type': whole, 'llama.expert_count': whole, 'llama.rope.scale_linear': set(TYPES) - {'string', 'array'}}
    allowed |= {f'tokenizer.ggml.{role}_token_id': whole for role in ('bos', 'eos', 'eot', 'eom', 'padding', 'unknown')}
    allowed |= {'tokenizer.ggml.add_bos_token': {'bool'}, 'tokenizer.ggml.tokens': set(), 'tokenizer.ggml.merges': set(),
                'tokenizer.ggml.token_type': set(), 'tokenizer.ggml.scores': set()}
    for key, good in allowed.items():
        vocabulary = key.startswith('tokenizer.ggml')
        for kind in TYPES:
            if kind in good:
                continue
            yield Case(f'type_{key}_is_{kind}', f'key {key} has the type {kind}',
                       changed(lambda f, k=key, t=kind: f.set(k, sample_of(t))), [key],
                       stage='vocabulary' if vocabulary else 'model', shown=kind == ('f32' if good == whole else 'string' if 'u32' in good else 'u32'))
    for key in ('tokens', 'merges', 'token_type', 'scores'):
        kind = 'f64' if key == 'scores' else 'f32'
        yield Case(f'type_{key}_elements', f'the elements of tokenizer.ggml.{key} are {kind}', stage='vocabulary',
                   data=changed(lambda f, k=key, t=kind: f.set(f'tokenizer.ggml.{k}', array(t, [1.0] * len(tokens())))),
                   expect=[f'tokenizer.ggml.{key}'])


def numbers():
    for key, good in WHOLE.items():
        values = {'0': ('u32', 0), 'minus_1': ('i32', -1), 'max_u32': ('u32', 2**32 - 1), 'max_i32': ('i32', 2**31 - 1), '2p31': ('u32', 2**31),
                  'max_u64': ('u64', 2**64 - 1), '2p63': ('u64', 2**63), 'min_i64': ('i64', -2**63), '2p32_plus_it': ('u64', 2**32 + good)}
        for label, (kind, value) in values.items():
            yield Case(f'{key}_{label}', f'key llama.{key} is {value}', stage='model', expect=[f'llama.{key}'],
                       data=changed(lambda f, k=key, t=kind, v=value: f.set(f'llama.{k}', scalar(t, v))), shown=label in ('0', 'max_u64'))
    for key in FRACTIONS:
        values = {'0': 0.0, 'minus_1': -1.0, 'max': 3.4028234e38, 'nan': float('nan'), 'inf': float('inf'), 'minus_inf': float('-inf'),
                  'denormal': 1e-45}
        for label, value in values.items():
            yield Case(f'{key}_{label}', f'key llama.{key} is {value}', stage='model', expect=[f'llama.{key}'], shown=label in ('0', 'nan'),
                       data=changed(lambda f, k=key, v=value: f.set(f'llama.{k}', scalar('f32', v))))
    for key in REQUIRED:
        yield Case(f'{key}_missing', f'key llama.{key} is missing', changed(lambda f, k=key: f.drop(f'llama.{k}')), [f'llama.{key}', 'missing'],
                   stage='model', place=False)


def disagreements():
    def whole(name, value):
        return changed(lambda f: f.set(f'llama.{name}', scalar('u32', value)))

    yield Case('heads_not_grouped', '3 heads in groups of 2', changed(lambda f: f.set('llama.attention.head_count', scalar('u32', 3)).set(
        'llama.attention.head_count_kv', scalar('u32', 2))), ['llama.attention.head_count'], stage='model')
    yield Case('kv_heads_more_than_heads', 'more KV heads than heads', whole('attention.head_count_kv', 4), ['llama.attention.head_count'],
               stage='model')
    yield Case('head_dim_odd', 'an odd number of dimensions per head', changed(lambda f: f.set('llama.attention.key_length', scalar('u32', 15)).set(
        'llama.attention.value_length', scalar('u32', 15))), ['llama.attention.key_length'], stage='model')
    yield Case('rotated_odd', 'an odd number of rotated dimensions', whole('rope.dimension_count', 15), ['llama.rope.dimension_count'], stage='model')
    yield Case('rotated_too_many', 'more rotated dimensions than there are', whole('rope.dimension_count', 18), ['llama.rope.dimension_count'],
               stage='model')
    yield Case('value_length_differs', 'keys and values of different lengths', whole('attention.value_length', 32), ['llama.attention.value_length'],
               stage='model')
    yield Case('block_count_too_many', 'more layers than there are tensors for', whole('block_count', 2), ['blk.1.'], stage='model', place=False)
    yield Case('vocab_size_differs', 'another vocabulary than the embedding has', whole('vocab_size', 262), ['llama.vocab_size'], stage='model')
    yield Case('embedding_length_differs', 'another width than the tensors have', whole('embedding_length', 64), ['blk.0.'], stage='model')
    yield Case('experts', 'a model of experts', changed(lambda f: f.add('llama.expert_count', scalar('u32', 8))), ['llama.expert_count'], stage='model')
    yield Case('rope_scaling_unknown', 'an unknown kind of rope scaling', stage='model', expect=['llama.rope.scaling.type', 'longrope'],
               data=changed(lambda f: f.set('llama.rope.scaling.type', scalar('string', 'longrope'))))
    for name in ('bert', 'mamba', '', 'LLAMA', 'llama\0', 'x' * 100_000):
        label = name[:8].replace('\0', '_nul') or 'empty'
        yield Case(f'architecture_{label}', 'an architecture that does not run', stage='model', expect=['general.architecture', 'llama', 'smollm3'],
                   data=changed(lambda f, n=name: f.set('general.architecture', scalar('string', n))))
    yield Case('architecture_missing', 'no architecture', changed(lambda f: f.drop('general.architecture')), ['general.architecture', 'missing'],
               stage='model', place=False)
    yield Case('architecture_not_utf8', 'an architecture that is not UTF-8', stage='model', expect=['general.architecture'],
               data=changed(lambda f: f.set('general.architecture', scalar('string', b'lla\xffma'))))


def tensors():
    for tensor in model().tensors:
        name, dims = tensor.name, tensor.dims

        def replaced(new_dims, block, old=name):
            return changed(lambda f: f.put(Tensor(old, new_dims, block)))

        yield Case(f'without_{name}', f'tensor {name} is missing', stage='model', expect=[name, 'missing'], place=False,
                   data=changed(lambda f, n=name: f.tensors.remove(f.tensor(n))))
        yield Case(f'shape_more_{name}', 'one row or one number too many', replaced(dims[:-1] + [dims[-1] + 1], 'F32'), [name], stage='model',
                   shown=False)
        yield Case(f'shape_3d_{name}', 'a third dimension', replaced(dims + [1, 1][:4 - len(dims)], 'F32'), [name], stage='model')
        yield Case(f'shape_flat_{name}', 'all in one row', replaced([dims[0] * (dims[1] if len(dims) > 1 else 2)], 'F32'), [name], stage='model',
                   shown=False)
        for block in ('I8', 'I32', 'F64'):
            yield Case(f'block_{block}_{name}', f'a block type that does not run: {block}', replaced(dims, block), [name, block], stage='model',
                       shown=block == 'I8')
    for extra in ('blk.1.attn_norm.weight', 'blk.0.ffn_gate_exps.weight', 'blk.-1.attn_q.weight', 'blk.0.attn_q.weight.lora', 'mm.0.weight'):
        yield Case(f'extra_{extra}', f'tensor {extra}, which no model of this kind has', stage='model', expect=[extra],
                   data=changed(lambda f, n=extra: f.tensors.append(Tensor(n, [EMBD]))))
    yield Case('rope_freqs_too_long', 'frequency divisors for more pairs than there are', stage='model', expect=['rope_freqs.weight'],
               data=changed(lambda f: f.tensors.append(Tensor('rope_freqs.weight', [9]))))
    yield Case('output_wrong_rows', 'an output of another vocabulary', stage='model', expect=['output.weight'],
               data=changed(lambda f: f.tensors.append(Tensor('output.weight', [EMBD, 10]))))
    yield Case('no_tensors', 'keys only', changed(lambda f: f.tensors.clear()), ['token_embd.weight', 'missing'], stage='model', place=False)


def odd_weights():
    """Values that no trained model has; they are numbers all the same, and nothing may stop the program."""
    for label, value in {'nan': b'\0\x7e', 'inf': b'\0\x7c', 'minus_inf': b'\0\xfc', 'largest': b'\xff\x7b'}.items():
        yield Case(f'weights_{label}', f'a matrix of {label}', stage='accepted',
                   data=changed(lambda f, v=value: f.put(Tensor('blk.0.ffn_up.weight', [EMBD, FFN], 'F16', v * (EMBD * FFN)))))
    for label, value in {'zero': 0.0, 'nan': float('nan')}.items():
        yield Case(f'rope_freqs_{label}', f'frequencies divided by {label}', stage='model', expect=['rope_freqs.weight'],
                   data=changed(lambda f, v=value: f.tensors.append(Tensor('rope_freqs.weight', [8], 'F32', struct.pack('<8f', *[v] * 8)))))


def templates():
    def template(text):
        return changed(lambda f: f.set('tokenizer.chat_template', scalar('string', text)))

    for label, text in {'open_block': '{% if x %}', 'open_expression': '{{ messages[0]', 'unknown_tag': '{% launch %}', 'not_utf8': b'{{ "\xff\xfe" }}',
                        'nested_1e4': '{{ ' + '(' * 10_000 + '1' + ')' * 10_000 + ' }}', 'blocks_1e4': '{% if 1 %}' * 10_000,
                        'one_mib': '{# x #}' + 'x' * (1 << 20), 'stray_end': '{% endfor %}'}.items():
        yield Case(f'template_{label}', f'a chat template: {label}', template(text), ['tokenizer.chat_template'], stage='template', place=False)


def cases():
    for group in (wrong_types, numbers, disagreements, tensors, odd_weights, templates):
        yield from group()
