#!/usr/bin/env python3
"""Makes the tokenizer fixture: a small vocabulary trained on the text below, and what the reference does with it.

needs: pip install gguf tokenizers==0.23.3; the reference script tools/tokenizer_oracle.py (../shared or $NOTSO_SHARED)
usage: make_fixture.py      writes into the folder it stands in:
  tiny.gguf            the vocabulary and its merges, no tensors (tokenizer.ggml.pre = gpt-2; tests put other names there)
  tiny_tokenizer.json  the same as a Hugging Face file with the Llama 3 pre-tokenizer
  cases.txt            per line: the text in hex, then for each name in COLUMNS the expected ids
"""
import importlib.util, os, random, sys, tempfile
from pathlib import Path
import gguf
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PRES = ('gpt-2', 'smollm', 'llama-bpe', 'qwen2')
COLUMNS = [(pre, special) for pre in PRES for special in (False, True)]
CONTROL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<think>', '</think>', '<|im', '<tool_call>']
USER_DEFINED = ['<<<', '<think>!']
VOCABULARY = 420
TEXT = '''
The small model reads the question and writes an answer, word by word, while the person waits and reads along.
It's a simple thing; they'll say that it can't be done, but we've done it and you're reading it. I'd say: THE END.
Here are numbers: 1, 12, 123, 1234, 3.14 and 2024-01-31. Here is code:
def answer(question, depth=0):
    if depth > 10:
        return None
    for word in question.split():
        print(word,  end=" ")
    return answer(question[1:], depth + 1)
Ein kleines Modell liest die Frage und schreibt über Äpfel, Öl und Straßen. Où est la bibliothèque? ¿Qué tal, señor?
Привет, как дела? Маленькая модель читает вопрос. 小さなモデルは質問を読みます。 小模型读问题。 😀😀 👍
=========== ---------- !!!!!!!! ........ aaaaaaaa bbbbbbbb
'''


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def train():
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = [c for c in pre_tokenizers.ByteLevel.alphabet() if c not in 'ĀÿĄ']  # some vocabularies lack bytes
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY - len(USER_DEFINED), special_tokens=CONTROL, initial_alphabet=alphabet, show_progress=False)
    tok.train_from_iterator([TEXT] * 3, trainer)
    import json
    model = json.loads(tok.to_str())['model']
    tokens = sorted(model['vocab'], key=model['vocab'].get) + USER_DEFINED
    return tokens, [m if isinstance(m, list) else m.split(' ') for m in model['merges']]


def write_gguf(path, pre, tokens, merges):
    w = gguf.GGUFWriter(path, 'llama')
    w.add_tokenizer_model('gpt2')
    w.add_tokenizer_pre(pre)
    w.add_token_list(tokens)
    w.add_token_types([3 if t in CONTROL else 4 if t in USER_DEFINED else 1 for t in tokens])
    w.add_token_merges([' '.join(m) for m in merges])
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_add_bos_token(False)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()


def write_json(path, oracle, tokens, merges):
    tok = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=[tuple(m) for m in merges], ignore_merges=True))
    tok.pre_tokenizer, tok.decoder = oracle.pre_tokenizer('llama-bpe'), decoders.ByteLevel()
    tok.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in CONTROL])
    tok.add_tokens([AddedToken(t, special=False, normalized=False) for t in USER_DEFINED])
    tok.save(str(path), pretty=False)


def texts():
    check = load(ROOT / 'tests/oracle/tokenizer_check.py', 'tokenizer_check')
    rng = random.Random(11)
    out = ['', 'a', ' ', 'Hello world', TEXT.strip()[:300]] + check.CONTRACTIONS + check.SPACES + check.NUMBERS + check.MARKS + check.EMOJI + check.CODE
    out += ['<|im_start|>user\nHi<|im_end|>\n', '<|im<|im_start|>', '<|im_sta', '<<<<<think>!', '<think></think>', '<think>!!', '<<<<', '<<<<<<', '  <|im_end|>  5', "x<tool_call>'s"]
    out += ['a' * n for n in (2, 47, 48, 49, 50, 51, 200)] + [' ' * 60 + 'x', '=' * 53, '\n' * 61, 'ab' * 40, '1' * 70, '\u0301' * 50]
    out += [t for t in (check.mixed(rng) for _ in range(120)) if len(t) < 60]
    return out


def main():
    shared = Path(os.environ.get('NOTSO_SHARED') or ROOT.parent / 'shared')
    oracle = load(shared / 'tools' / 'tokenizer_oracle.py', 'tokenizer_oracle')
    tokens, merges = train()
    assert len(tokens) == VOCABULARY, len(tokens)
    write_gguf(HERE / 'tiny.gguf', 'gpt-2', tokens, merges)
    write_json(HERE / 'tiny_tokenizer.json', oracle, tokens, merges)
    built = {}
    with tempfile.TemporaryDirectory() as folder:
        for pre, special in COLUMNS:
            path = f'{folder}/{pre}.gguf'
            write_gguf(path, pre, tokens, merges)
            built[pre, special] = oracle.build(path, special)
    with open(HERE / 'cases.txt', 'w') as f:
        f.write('# text in hex' + ''.join(f'\t{pre}:{"special" if special else "text"}' for pre, special in COLUMNS) + '\n')
        for text in texts():
            ids = [built[c].encode(text, add_special_tokens=False).ids for c in COLUMNS]
            f.write('\t'.join([text.encode().hex()] + [','.join(map(str, i)) for i in ids]) + '\n')


if __name__ == '__main__':
    sys.exit(main())
