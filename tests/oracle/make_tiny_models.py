#!/usr/bin/env python3
"""Writes tiny random models and their logits by the numpy oracle: tests/golden/models/NAME.{gguf,logits.f32}.

Between them the models have every block type, grouped heads, tied and separate output, partial rotation, frequency
divisors, YaRN and linear scaling, biases, normed heads, both ways to pair rows, and layers with and without rotation.
q and k are large, so that attention is peaky and a wrong rotation shows; the script measures by how much the logits
change with each rule broken, and refuses to write models that would not notice.
needs: pip install gguf numpy, and tools/reference.py of the shared folder (NOTSO_SHARED)
usage: make_tiny_models.py OUT_DIR
"""
import os
import pathlib
import sys
import numpy as np
from gguf import GGMLQuantizationType as T, GGUFWriter, RopeScalingType, quants

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(os.environ.get('NOTSO_SHARED', ROOT.parent / 'shared')) / 'tools'))
import reference  # noqa: E402

N_VOCAB, N_TOKENS = 264, 24
TOKENS = [(i * 37 + 11) % N_VOCAB for i in range(N_TOKENS)]
MODELS = {
    'tiny_smollm3': dict(arch='smollm3', layers=4, hidden=32, ffn=256, heads=4, kv=2, head_dim=16, rot=16, embd=T.F16,
                         q=T.Q8_0, k=T.Q8_0, v=T.F16, o=T.Q4_1, gate=T.Q4_0, up=T.Q4_1, down=(T.Q4_K, T.Q6_K)),
    'tiny_llama': dict(arch='llama', layers=2, hidden=32, ffn=64, heads=3, kv=3, head_dim=32, rot=16, embd=T.Q8_0, freqs=True,
                       output=T.Q4_0, q=T.BF16, k=T.F32, v=T.Q4_0, o=T.BF16, gate=T.F16, up=T.Q8_0, down=(T.F32, T.Q4_1)),
    # Sizes that fill no vector: they take the plain kernels.
    'tiny_odd': dict(arch='llama', layers=1, hidden=24, ffn=40, heads=4, kv=2, head_dim=6, rot=6, embd=T.F16,
                     q=T.F32, k=T.F16, v=T.BF16, o=T.F16, gate=T.F16, up=T.F16, down=(T.F16, T.F16)),
    # Biases of several types; a context that YaRN stretches.
    'tiny_qwen2': dict(arch='qwen2', layers=2, hidden=32, ffn=64, heads=4, kv=2, head_dim=16, rot=16, embd=T.Q8_0, output=T.F16,
                       q=T.F16, k=T.Q8_0, v=T.Q4_0, o=T.F16, gate=T.Q8_0, up=T.F16, down=(T.Q4_1, T.Q8_0),
                       biases=dict(attn_q=T.F32, attn_k=T.F16, attn_v=T.BF16), scaling=('yarn', 4.0, 64)),
    # Heads that are wider than hidden size / heads, normed before they are rotated.
    'tiny_qwen3': dict(arch='qwen3', layers=2, hidden=32, ffn=64, heads=4, kv=2, head_dim=32, rot=32, embd=T.Q8_0,
                       q=T.Q8_0, k=T.F16, v=T.Q4_1, o=T.Q8_0, gate=T.F16, up=T.Q4_0, down=(T.F16, T.Q8_0), qk_norm=True),
    # A Llama with all the biases that its configuration knows: those of q and k are stored as their rows are.
    'tiny_biases': dict(arch='llama', layers=2, hidden=32, ffn=64, heads=2, kv=2, head_dim=16, rot=16, embd=T.F16,
                        q=T.F16, k=T.F16, v=T.F16, o=T.F16, gate=T.F16, up=T.F16, down=(T.F16, T.F16),
                        biases={part: T.F32 for part in ('attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down')},
                        scaling=('linear', 2.0, 256)),
}


def byte_tokens():
    """The 256 characters that byte-level BPE writes bytes with, in order of the bytes."""
    printable = set(range(33, 127)) | set(range(161, 173)) | set(range(174, 256))
    spare = iter(range(256, 512))
    return [chr(b) if b in printable else chr(next(spare)) for b in range(256)]


def random_k_blocks(rng, kind, shape, std):
    """Random Q4_K or Q6_K blocks with about the given standard deviation (the package only decodes these)."""
    rows, cols = shape
    size, at = {T.Q4_K: (144, 0), T.Q6_K: (210, 208)}[kind]
    blocks = rng.integers(0, 256, size=(rows * cols // 256, size), dtype=np.uint8)

    def scale(d):
        blocks[:, at:at + 2] = np.array([d], np.float16).view(np.uint8)
        if kind == T.Q4_K:
            blocks[:, 2:4] = np.array([7.5 * d], np.float16).view(np.uint8)

    scale(1.0)
    scale(std / float(quants.dequantize(blocks, kind).std()))
    return blocks.reshape(rows, -1)


def write_model(path, m):
    rng = np.random.default_rng(3)
    w = GGUFWriter(str(path), m['arch'])
    w.add_name(path.stem)
    w.add_block_count(m['layers'])
    w.add_context_length(512)
    w.add_embedding_length(m['hidden'])
    w.add_feed_forward_length(m['ffn'])
    w.add_head_count(m['heads'])
    w.add_head_count_kv(m['kv'])
    w.add_key_length(m['head_dim'])
    w.add_value_length(m['head_dim'])
    w.add_rope_dimension_count(m['rot'])
    w.add_rope_freq_base(1000.0)
    if 'scaling' in m:
        kind, factor, original = m['scaling']
        w.add_rope_scaling_type(RopeScalingType(kind))
        w.add_rope_scaling_factor(factor)
        w.add_rope_scaling_orig_ctx_len(original)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_vocab_size(N_VOCAB)
    special = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<think>', '</think>']
    merged = ['th', 'he', 'the']
    tokens = byte_tokens() + special + merged
    w.add_tokenizer_model('gpt2')
    w.add_tokenizer_pre('smollm')
    w.add_token_list(tokens)
    w.add_token_types([1] * 256 + [3] * len(special) + [1] * len(merged))
    w.add_token_merges(['t h', 'h e', 'th e'])
    w.add_bos_token_id(257)
    w.add_eos_token_id(258)
    w.add_add_bos_token(False)

    def matrix(name, rows, cols, kind, std=0.1):
        if kind in (T.Q4_K, T.Q6_K):
            data = random_k_blocks(rng, kind, (rows, cols), std)
        else:
            data = quants.quantize((rng.standard_normal((rows, cols)) * std).astype(np.float32), kind)
        w.add_tensor(name, data, raw_dtype=kind)

    def norm(name, size=m['hidden'], middle=1.0):
        w.add_tensor(name, (middle + 0.1 * rng.standard_normal(size)).astype(np.float32))

    def bias(name, size, kind):
        values = (0.5 * rng.standard_normal((1, size))).astype(np.float32)
        w.add_tensor(name, quants.quantize(values, kind)[0], raw_dtype=kind)

    q_rows, kv_rows = m['heads'] * m['head_dim'], m['kv'] * m['head_dim']
    matrix('token_embd.weight', N_VOCAB, m['hidden'], m['embd'])
    if 'output' in m:
        matrix('output.weight', N_VOCAB, m['hidden'], m['output'])
    if 'freqs' in m:
        w.add_tensor('rope_freqs.weight', np.linspace(1, 4, m['rot'] // 2, dtype=np.float32))
    norm('output_norm.weight')
    for i in range(m['layers']):
        p = f'blk.{i}.'
        norm(p + 'attn_norm.weight')
        norm(p + 'ffn_norm.weight')
        matrix(p + 'attn_q.weight', q_rows, m['hidden'], m['q'], 0.4)
        matrix(p + 'attn_k.weight', kv_rows, m['hidden'], m['k'], 0.4)
        matrix(p + 'attn_v.weight', kv_rows, m['hidden'], m['v'])
        matrix(p + 'attn_output.weight', m['hidden'], q_rows, m['o'])
        matrix(p + 'ffn_gate.weight', m['ffn'], m['hidden'], m['gate'])
        matrix(p + 'ffn_up.weight', m['ffn'], m['hidden'], m['up'])
        matrix(p + 'ffn_down.weight', m['hidden'], m['ffn'], m['down'][i % 2])
        sizes = dict(attn_q=q_rows, attn_k=kv_rows, attn_v=kv_rows, ffn_gate=m['ffn'], ffn_up=m['ffn'])
        for part, kind in m.get('biases', {}).items():
            bias(f'{p}{part}.bias', sizes.get(part, m['hidden']), kind)
        if 'qk_norm' in m:  # 2: attention of normed heads is flat without
            norm(p + 'attn_q_norm.weight', m['head_dim'], 2.0)
            norm(p + 'attn_k_norm.weight', m['head_dim'], 1.5)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


class EveryLayerRotates(reference.Weights):
    """The same weights under the name of an architecture without NoPE layers."""

    def meta(self, key, default=None):
        if key == 'general.architecture':
            return 'llama'
        return super().meta(key.replace('llama.', 'smollm3.'), default)


def without(what):
    """The same weights without the tensors, or the values of the keys, whose names end so."""

    class Without(reference.Weights):
        def has(self, name):
            return not name.endswith(what) and super().has(name)

        def meta(self, key, default=None):
            return default if key.endswith(what) else super().meta(key, default)

    return Without


def rotate_other_layers():
    """A rotation that skips layers 0, 4, 8, … instead of 3, 7, 11, …; for EveryLayerRotates."""
    calls, right = [0], reference.rotate

    def rotate(x, cos, sin, interleaved):
        calls[0] += 1
        return x if (calls[0] - 1) // 2 % 4 == 0 else right(x, cos, sin, interleaved)

    return rotate


def wrong_rules(model):
    """What could go wrong with a model, and how the oracle computes it then."""
    right = reference.rotate
    wrongs = {'the other pairs': dict(rotate=lambda x, c, s, interleaved: right(x, c, s, not interleaved)),
              'no rotation at all': dict(rotate=lambda x, c, s, _: x)}
    if model['arch'] == 'smollm3':
        wrongs['no NoPE layers'] = dict(weights=EveryLayerRotates)
        wrongs['NoPE one layer off'] = dict(weights=EveryLayerRotates, rotate=rotate_other_layers())
    for part in model.get('biases', ()):
        wrongs[f'no {part}.bias'] = dict(weights=without(f'{part}.bias'))
    for name, feature, what in (('no scaling', 'scaling', '.rope.scaling.type'), ('no divisors', 'freqs', 'rope_freqs.weight'),
                                ('no norms of heads', 'qk_norm', 'attn_q_norm.weight')):
        if feature in model:
            wrongs[name] = dict(weights=without(what))
    return wrongs


def forward(path, weights=reference.Weights, rotate=reference.rotate):
    saved, reference.rotate = reference.rotate, rotate
    logits = reference.forward(weights(str(path), np.float64), TOKENS)
    reference.rotate = saved
    return logits


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, model in MODELS.items():
        path = out / f'{name}.gguf'
        write_model(path, model)
        logits = forward(path)
        logits.astype('<f4').tofile(out / f'{name}.logits.f32')
        print(name, path.stat().st_size, 'bytes')
        for what, wrong in wrong_rules(model).items():
            effect = np.abs(forward(path, **wrong) - logits).max() / logits.std()
            print(f'  {what}: the logits change by {effect:.3f} of their spread')
            if not effect > 0.05:
                sys.exit(f'{name} would not notice: {what}')


if __name__ == '__main__':
    main()
