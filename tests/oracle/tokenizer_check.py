#!/usr/bin/env python3
"""Compares `notso tokenize` with the reference tokenizer on many generated strings: every Unicode block, code, emoji,
long runs, control tokens whole and broken, contractions, white space, random mixes.

needs: the reference script tools/tokenizer_oracle.py (in ../shared or $NOTSO_SHARED) and a Python with gguf and tokenizers
usage: tokenizer_check.py NOTSO MODEL.gguf [--count 100000] [--seed 1] [--pre NAME] [--python PYTHON] [--tokenizer TOKENIZER.json]
--pre takes the model's vocabulary with another pre-tokenizer, in a temporary file.
Runs with control tokens parsed and as text; prints the first differences; exit code 1 when there is one, 77 when the
reference is not there.
"""
import argparse, json, os, random, subprocess, sys, tempfile, threading
from pathlib import Path

WORDS = ("the of and to in is you that it he was for on are as with his they I at be this have from or one had by word but not what all "
         "were we when your can said there use an each which she do how their if will up other about out many then them these so some "
         "her would make like him into time has look two more write go see number no way could people my than first water been call who "
         "oil its now find long down day did get come made may part").split()
CODE = ['def f(x):\n    return x ** 2\n', 'for (int i = 0; i < n; ++i) { a[i] += b[i]; }\n', '#include <vector>\n', '\tif x == y:\n\t\tpass\r\n',
        'SELECT * FROM t WHERE a >= 10;', '<div class="x">&nbsp;</div>', '{"key": [1, 2.5e-3, null]}', 'x->y::z<T&&...>', 'https://a.b/c?d=e&f=%20#g',
        'λ x → x', 'println!("{:?}", v);', '// ---- ////', '/* ** */', '$HOME/.config', '1_000_000', '0xDEADBEEF', 'a.b.c(d, e)\n\n\n', '    \n        \n']
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'RE", "'Ll", "'vE", "'\u017f", "'x", "''s", "'", "\u2019s", "' s", "'r", "'l", "'v", "'\u017fe"]
SPACES = [' ', '  ', '   ', '\t', '\n', '\r', '\r\n', '\n\n', ' \n', '\n ', '\u00a0', '\u3000', '\u2028', '\x0b', '\x0c', '\x85', '\u1680', '\u200b', '\ufeff', ' \t ']
EMOJI = ['😀', '👩‍👩‍👧‍👦', '🏳️‍🌈', '👍🏽', '🇩🇪', '❤️', '⌚', '1️⃣', '☃', '🫠', '\U0001fae8', '🀄']
MARKS = ['e\u0301', 'a\u0308', 'n\u0303\u0323', '\u0300' * 5, 'क्षि', 'ภาษาไทย', 'ﷺ', 'ﬁ', 'ß', 'İ', 'ı', 'Ǆ', 'ﬆ', 'ŉ', '\u0345', '한글', '\u1112\u1161\u11ab', 'שָׁלוֹם', 'مرحبا']
NUMBERS = ['0', '7', '42', '123', '1234', '12345', '3.14', '1,000,000', '½', 'Ⅷ', '²', '٣٤٥', '१२३४', '①', '〇', '𝟘𝟙', '\U00011de0', '\U00010d40', '\U0001fbf0', '1st', 'x86_64', '2024-01-31']
SPECIALS = ['<|im_start|>', '<|im_end|>', '<|endoftext|>', '<think>', '</think>', '<|begin_of_text|>', '<|eot_id|>', '<tool_call>', '<|im_start|', '|im_end|>', '<|im_', '<<|im_end|>>',
            '<|im_end|><|im_end|>', '< |im_end|>', '<|IM_END|>', '<|im_start|>user\n', '<|im_end|>\n', '<repo_name>', '<|reserved_5|>', '<|reserved_128005|>', '<code>', '<th', 'ink>', '<|', '|>', '<empty_output>']
POOLS = [WORDS, CODE, CONTRACTIONS, SPACES, EMOJI, MARKS, NUMBERS, SPECIALS]


def scalar(rng, low=0, high=0x110000):
    while True:
        code = rng.randrange(low, high)
        if not 0xD800 <= code < 0xE000:
            return chr(code)


def block_strings(rng):
    """Each block of 128 code points: alone, behind a letter, a space, an apostrophe, a digit, and mixed."""
    for start in range(0, 0x110000, 128):
        if 0xD800 <= start < 0xE000:
            continue
        if 0x40000 <= start < 0xE0000 and start % 0x4000:
            continue  # unassigned planes: a sample is enough
        chars = [chr(c) for c in range(start, start + 128)]
        yield ''.join(chars)
        for glue in ('a', ' ', "'", '1', '\n', '  '):
            yield glue.join(chars)
        rng.shuffle(chars)
        yield ''.join(c + rng.choice(['', ' ', 'x', '9', '!']) for c in chars)


def long_runs(rng):
    for unit in ['a', ' ', '\n', '\t', '9', '!', '\u0301', "'", 'ab', ' \n', '\r\n', '😀', '中', '=', '-', 'A', '\u00a0', "'s", ' a', '1 ', '<', '<|im_end|>', 'é', '. ', '\x00', '\u017f']:
        for n in (2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 47, 48, 49, 50, 64, 100, 127, 128, 129, 255, 500, 1000, 3000):
            yield unit * n
            yield 'x' + unit * n + rng.choice(['y', ' y', '\n', '5', '!', ''])


def mixed(rng):
    kind = rng.random()
    if kind < 0.45:  # text-like
        return ''.join(rng.choice(rng.choice(POOLS)) + rng.choice(['', '', ' ', ' ', '\n']) for _ in range(rng.randrange(1, 14)))
    if kind < 0.6:  # any code points
        return ''.join(scalar(rng) for _ in range(rng.randrange(1, 20)))
    if kind < 0.75:  # one script and punctuation
        low = rng.randrange(0, 0x3000)
        return ''.join(rng.choice([scalar(rng, low, low + 100), rng.choice(" .,-'0aA\n")]) for _ in range(rng.randrange(1, 40)))
    if kind < 0.9:  # ASCII noise
        return ''.join(chr(rng.randrange(0, 128)) for _ in range(rng.randrange(1, 60)))
    if kind < 0.97:  # letters without a space: long merges
        return ''.join(rng.choice('etaoinshrdluETA') for _ in range(rng.randrange(1, 200)))
    return ''.join(rng.choice(SPECIALS + SPACES) for _ in range(rng.randrange(1, 10)))


def single_points(rng):
    """Every assigned-looking code point between two letters, and behind an apostrophe and a space."""
    for start in range(0, 0x32000, 4):
        yield ''.join(f" '{chr(c)}b{chr(c)}" for c in range(start, start + 4) if not 0xD800 <= c < 0xE000)


def strings(seed, count):
    rng = random.Random(seed)
    fixed = [''] + [x for pool in POOLS for x in pool] + [a + b for pool in POOLS for a in pool for b in SPACES + CONTRACTIONS + SPECIALS]
    fixed += list(block_strings(rng)) + list(long_runs(rng)) + list(single_points(rng))
    if count < len(fixed):
        fixed = rng.sample(fixed, count * 3 // 4)
    yield from fixed
    for _ in range(count - len(fixed)):
        yield mixed(rng)


def run(command, lines, label):
    with tempfile.TemporaryFile('w+') as source:
        source.write(lines)
        source.seek(0)
        done = subprocess.run(command, stdin=source, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f'{label} ended with code {done.returncode}: {" ".join(map(str, command))}')
    return done.stdout.splitlines()


def compare(a, oracle, texts, special):
    lines = ''.join(json.dumps(t) + '\n' for t in texts)
    flag = ['--special'] if special else []
    own = [a.notso, 'tokenize', '-m', a.model] + flag + (['--tokenizer', a.tokenizer] if a.tokenizer else [])
    results = {}
    jobs = [threading.Thread(target=lambda k=k, c=c: results.__setitem__(k, run(c, lines, k)))
            for k, c in (('notso', own), ('reference', [a.python, oracle, a.model] + flag))]
    for job in jobs: job.start()
    for job in jobs: job.join()
    if len(results) != 2:
        return 1
    ours, theirs = results['notso'], results['reference']
    bad = [i for i in range(len(texts)) if i >= len(ours) or i >= len(theirs) or json.loads(ours[i]) != json.loads(theirs[i])]
    for i in bad[:10]:
        print(f'differs: {json.dumps(texts[i])[:300]}\n  notso     {ours[i][:300] if i < len(ours) else "-"}\n  reference {theirs[i][:300] if i < len(theirs) else "-"}')
    print(f'special {"on" if special else "off"}: {len(texts) - len(bad)} of {len(texts)} strings equal')
    return len(bad)


def with_pre(model, pre, path):
    """Writes a file with the model's vocabulary, no tensors, and another pre-tokenizer."""
    import gguf
    fields = gguf.GGUFReader(model).fields
    writer = gguf.GGUFWriter(path, fields['general.architecture'].contents())
    writer.add_tokenizer_model('gpt2')
    writer.add_tokenizer_pre(pre)
    for name, add in (('tokens', writer.add_token_list), ('token_type', writer.add_token_types), ('merges', writer.add_token_merges),
                      ('bos_token_id', writer.add_bos_token_id), ('eos_token_id', writer.add_eos_token_id)):
        add(fields[f'tokenizer.ggml.{name}'].contents())
    writer.write_header_to_file(); writer.write_kv_data_to_file(); writer.write_tensors_to_file(); writer.close()
    return path


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('notso'); p.add_argument('model')
    p.add_argument('--count', type=int, default=100_000); p.add_argument('--seed', type=int, default=1)
    p.add_argument('--python', default=sys.executable, help='an interpreter that has gguf and tokenizers')
    p.add_argument('--tokenizer', help="an HF tokenizer.json that replaces the model's own vocabulary in notso")
    p.add_argument('--pre', help='another pre-tokenizer than the model names: gpt-2, smollm, llama-bpe, smaug-bpe, qwen2')
    a = p.parse_args()
    shared = Path(os.environ.get('NOTSO_SHARED') or Path(__file__).resolve().parents[2].parent / 'shared')
    oracle = shared / 'tools' / 'tokenizer_oracle.py'
    if not oracle.exists():
        print(f'skipped: no {oracle}')
        sys.exit(77)
    texts = list(strings(a.seed, a.count))
    with tempfile.TemporaryDirectory() as folder:
        if a.pre:
            a.model = with_pre(a.model, a.pre, f'{folder}/{a.pre}.gguf')
        sys.exit(1 if sum(compare(a, oracle, texts, special) for special in (False, True)) else 0)


if __name__ == '__main__':
    main()
