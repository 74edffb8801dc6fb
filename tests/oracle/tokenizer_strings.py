"""The strings of tokenizer_check.py: every Unicode block, single code points, code, emoji, long runs, control tokens
whole and broken, contractions, white space and line ends, digits of all scripts, combining marks, random bytes, and
random mixes of all of these. The same seed gives the same strings."""
import random
import sys
import unicodedata

WORDS = ("the of and to in is you that it he was for on are as with his they I at be this have from or one had by word but not what all "
         "were we when your can said there use an each which she do how their if will up other about out many then them these so some "
         "her would make like him into time has look two more write go see number no way could people my than first water been call who "
         "oil its now find long down day did get come made may part").split()
CODE = ['def f(x):\n    return x ** 2\n', 'for (int i = 0; i < n; ++i) { a[i] += b[i]; }\n', '#include <vector>\n', '\tif x == y:\n\t\tpass\r\n',
        'SELECT * FROM t WHERE a >= 10;', '<div class="x">&nbsp;</div>', '{"key": [1, 2.5e-3, null]}', 'x->y::z<T&&...>', 'https://a.b/c?d=e&f=%20#g',
        'λ x → x', 'println!("{:?}", v);', '// ---- ////', '/* ** */', '$HOME/.config', '1_000_000', '0xDEADBEEF', 'a.b.c(d, e)\n\n\n', '    \n        \n']
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'RE", "'Ll", "'vE", "'\u017f", "'x", "''s", "'", "\u2019s", "' s", "'r", "'l", "'v", "'\u017fe"]
SPACES = [' ', '  ', '   ', '\t', '\n', '\r', '\r\n', '\n\n', ' \n', '\n ', '\u00a0', '\u3000', '\u2028', '\x0b', '\x0c', '\x85', '\u1680', '\u200b', '\ufeff', ' \t ']
LINE_ENDS = ['\r\n', '\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\t\r\n ', '\r\n\r\n', '\x0b\n', '\u2029', '\x85\n', 'x\r\n', '. \r', '!\r\n', "'\n", '1\r\n']
EMOJI = ['😀', '👩‍👩‍👧‍👦', '🏳️‍🌈', '👍🏽', '🇩🇪', '❤️', '⌚', '1️⃣', '☃', '🫠', '\U0001fae8', '🀄']
MARKS = ['e\u0301', 'a\u0308', 'n\u0303\u0323', '\u0300' * 5, 'क्षि', 'ภาษาไทย', 'ﷺ', 'ﬁ', 'ß', 'İ', 'ı', 'Ǆ', 'ﬆ', 'ŉ', '\u0345', '한글', '\u1112\u1161\u11ab', 'שָׁלוֹם', 'مرحبا']
NUMBERS = ['0', '7', '42', '123', '1234', '12345', '3.14', '1,000,000', '½', 'Ⅷ', '²', '٣٤٥', '१२३४', '①', '〇', '𝟘𝟙', '\U00011de0', '\U00010d40', '\U0001fbf0', '1st', 'x86_64', '2024-01-31']
SPECIALS = ['<|im_start|>', '<|im_end|>', '<|endoftext|>', '<think>', '</think>', '<|begin_of_text|>', '<|eot_id|>', '<tool_call>', '<|im_start|', '|im_end|>', '<|im_', '<<|im_end|>>',
            '<|im_end|><|im_end|>', '< |im_end|>', '<|IM_END|>', '<|im_start|>user\n', '<|im_end|>\n', '<repo_name>', '<|reserved_5|>', '<|reserved_128005|>', '<code>', '<th', 'ink>', '<|', '|>', '<empty_output>',
            '<|start_header_id|>', '<|reserved_special_token_17|>', '<|file_sep|>', '<|fim_prefix|>']
POOLS = [WORDS, CODE, CONTRACTIONS, SPACES, LINE_ENDS, EMOJI, MARKS, NUMBERS, SPECIALS]

CATEGORIES = {}
for code in range(sys.maxunicode + 1):
    CATEGORIES.setdefault(unicodedata.category(chr(code)), []).append(chr(code))
DIGITS = CATEGORIES['Nd'] + CATEGORIES['Nl'] + CATEGORIES['No']
COMBINING = CATEGORIES['Mn'] + CATEGORIES['Mc'] + CATEGORIES['Me']
LETTERS = CATEGORIES['Ll'] + CATEGORIES['Lu'] + CATEGORIES['Lt'] + CATEGORIES['Lm'] + CATEGORIES['Lo'][:4000]


def byte_alphabet():
    """The 256 characters that byte-level BPE writes bytes with, in order of the bytes."""
    printable = set(range(33, 127)) | set(range(161, 173)) | set(range(174, 256))
    spare = iter(range(256, 512))
    return [chr(b) if b in printable else chr(next(spare)) for b in range(256)]


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


def single_points(_):
    """Every assigned-looking code point between two letters, and behind an apostrophe and a space."""
    for start in range(0, 0x32000, 4):
        yield ''.join(f" '{chr(c)}b{chr(c)}" for c in range(start, start + 4) if not 0xD800 <= c < 0xE000)


def text_like(rng):
    return ''.join(rng.choice(rng.choice(POOLS)) + rng.choice(['', '', ' ', ' ', '\n']) for _ in range(rng.randrange(1, 14)))


def any_points(rng):
    return ''.join(scalar(rng) for _ in range(rng.randrange(1, 20)))


def one_script(rng):
    low = rng.randrange(0, 0x3000)
    return ''.join(rng.choice([scalar(rng, low, low + 100), rng.choice(" .,-'0aA\n")]) for _ in range(rng.randrange(1, 40)))


def ascii_noise(rng):
    return ''.join(chr(rng.randrange(0, 128)) for _ in range(rng.randrange(1, 60)))


def long_words(rng):
    return ''.join(rng.choice('etaoinshrdluETA') for _ in range(rng.randrange(1, 200)))


def broken_specials(rng):
    return ''.join(rng.choice(SPECIALS + SPACES) for _ in range(rng.randrange(1, 10)))


def digits(rng):
    """Numbers in one script or several, with what stands around numbers."""
    pool = [rng.choice(DIGITS) for _ in range(rng.randrange(1, 4))] + ['1', '9']
    return ''.join(rng.choice(pool) if rng.random() < 0.8 else rng.choice(" .,-a'\n%") for _ in range(rng.randrange(1, 24)))


def marks(rng):
    """Letters with stacks of combining marks, also where no letter is."""
    return ''.join(rng.choice([rng.choice(LETTERS), ' ', "'", '1', '']) + ''.join(rng.choice(COMBINING) for _ in range(rng.choice([0, 1, 1, 2, 5])))
                   for _ in range(rng.randrange(1, 16)))


def line_ends(rng):
    return ''.join(rng.choice([rng.choice(LINE_ENDS), rng.choice(SPACES), rng.choice(WORDS), rng.choice('.!,1')]) for _ in range(rng.randrange(1, 20)))


def random_bytes(rng):
    """Bytes that a careless program took for UTF-8, Latin-1 or UTF-16."""
    raw = rng.randbytes(rng.randrange(1, 60))
    how = rng.choice(['utf-8', 'latin-1', 'utf-16-le'])
    return raw.decode(how, 'replace')


KINDS = {text_like: 38, any_points: 12, one_script: 12, ascii_noise: 12, long_words: 5, broken_specials: 4, digits: 5, marks: 5,
         line_ends: 4, random_bytes: 3}


def strings(seed, count):
    """`count` strings; the fixed ones first (a sample of them where there is no room for all)."""
    rng = random.Random(seed)
    fixed = [''] + [x for pool in POOLS for x in pool] + [a + b for pool in POOLS for a in pool for b in SPACES + CONTRACTIONS + SPECIALS]
    fixed += list(block_strings(rng)) + list(long_runs(rng)) + list(single_points(rng)) + ['x' + d + d + ' ' + d for d in DIGITS]
    if count < len(fixed):
        fixed = rng.sample(fixed, count * 3 // 4)
    yield from fixed
    for make in rng.choices(list(KINDS), weights=list(KINDS.values()), k=count - len(fixed)):
        yield make(rng)
