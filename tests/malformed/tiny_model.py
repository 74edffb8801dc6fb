"""A valid model of a few kilobytes with a real byte-level vocabulary: what the malformed ones start from."""
import random
import struct

from gguf_file import BLOCKS, File, Tensor, array, scalar

EMBD, FFN, HEADS, KV_HEADS, HEAD_DIM = 32, 64, 2, 1, 16
CONTROL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
MERGES = ['t h', 'h e', 'th e', 'Ġ the']
MERGED = ['th', 'he', 'the', 'Ġthe']
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"


def byte_tokens():
    """The 256 characters that byte-level BPE writes bytes with, in order of the bytes."""
    printable = set(range(33, 127)) | set(range(161, 173)) | set(range(174, 256))
    spare = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]


def tokens():
    return byte_tokens() + CONTROL + MERGED


def small_weights(rng, dims, block):
    """Random blocks with small scales, so that logits stay finite."""
    _, per_block, size = BLOCKS[block]
    count = 1
    for dim in dims:
        count *= dim
    if block == 'F32':
        return struct.pack(f'<{count}f', *(rng.uniform(0.5, 1.5) for _ in range(count)))
    if block == 'F16':
        return struct.pack(f'<{count}e', *(rng.uniform(-0.2, 0.2) for _ in range(count)))
    scale = struct.pack('<e', 0.001)
    out = []
    for _ in range(count // per_block):
        out.append(scale + rng.randbytes(size - 2))
    return b''.join(out)


def add_keys(file, arch, layers):
    vocabulary = tokens()
    for name, value in {
            'general.architecture': scalar('string', arch), 'general.name': scalar('string', 'tiny'),
            'general.file_type': scalar('u32', 7), 'general.alignment': scalar('u32', 32),
            f'{arch}.block_count': scalar('u32', layers), f'{arch}.context_length': scalar('u32', 64),
            f'{arch}.embedding_length': scalar('u32', EMBD), f'{arch}.feed_forward_length': scalar('u32', FFN),
            f'{arch}.vocab_size': scalar('u32', len(vocabulary)),
            f'{arch}.attention.head_count': scalar('u32', HEADS), f'{arch}.attention.head_count_kv': scalar('u32', KV_HEADS),
            f'{arch}.attention.key_length': scalar('u32', HEAD_DIM), f'{arch}.attention.value_length': scalar('u32', HEAD_DIM),
            f'{arch}.attention.layer_norm_rms_epsilon': scalar('f32', 1e-5),
            f'{arch}.rope.dimension_count': scalar('u32', HEAD_DIM), f'{arch}.rope.freq_base': scalar('f32', 10000.0),
            f'{arch}.rope.scaling.type': scalar('string', 'linear'), f'{arch}.rope.scaling.factor': scalar('f32', 2.0),
            f'{arch}.rope.scaling.original_context_length': scalar('u32', 32),
            'tokenizer.ggml.model': scalar('string', 'gpt2'), 'tokenizer.ggml.pre': scalar('string', 'smollm'),
            'tokenizer.ggml.tokens': array('string', vocabulary),
            'tokenizer.ggml.token_type': array('i32', [1] * 256 + [3] * len(CONTROL) + [1] * len(MERGED)),
            'tokenizer.ggml.merges': array('string', MERGES),
            'tokenizer.ggml.bos_token_id': scalar('u32', 257), 'tokenizer.ggml.eos_token_id': scalar('u32', 258),
            'tokenizer.ggml.padding_token_id': scalar('u32', 256), 'tokenizer.ggml.add_bos_token': scalar('bool', 0),
            'tokenizer.chat_template': scalar('string', TEMPLATE)}.items():
        file.add(name, value)


def model(arch='llama', layers=1):
    """A whole, valid model; the weights are always the same."""
    rng = random.Random(7)
    file = File()
    add_keys(file, arch, layers)

    def put(name, dims, block):
        file.put(Tensor(name, dims, block, small_weights(rng, dims, block)))

    put('token_embd.weight', (EMBD, len(tokens())), 'Q8_0')
    put('output_norm.weight', (EMBD,), 'F32')
    for i in range(layers):
        put(f'blk.{i}.attn_norm.weight', (EMBD,), 'F32')
        put(f'blk.{i}.attn_q.weight', (EMBD, HEADS * HEAD_DIM), 'Q8_0')
        put(f'blk.{i}.attn_k.weight', (EMBD, KV_HEADS * HEAD_DIM), 'F16')
        put(f'blk.{i}.attn_v.weight', (EMBD, KV_HEADS * HEAD_DIM), 'Q4_0')
        put(f'blk.{i}.attn_output.weight', (HEADS * HEAD_DIM, EMBD), 'Q4_0')
        put(f'blk.{i}.ffn_norm.weight', (EMBD,), 'F32')
        put(f'blk.{i}.ffn_gate.weight', (EMBD, FFN), 'Q4_0')
        put(f'blk.{i}.ffn_up.weight', (EMBD, FFN), 'F16')
        put(f'blk.{i}.ffn_down.weight', (FFN, EMBD), 'Q8_0')
    return file
