"""Random values for jinja_differential.py: the variables that every template may use, by name and kind.

A name's kind is fixed (s, t, u are strings; n, m, k integers…), so that most expressions make sense; the values differ
from seed to seed. All of them survive JSON.
"""
NAMES = {'str': ['s', 't', 'u'], 'int': ['n', 'm', 'k'], 'float': ['f', 'g'], 'bool': ['yes', 'no'], 'none': ['nil'],
         'ints': ['l', 'e'], 'strs': ['w', 'v'], 'mixed': ['x', 'z'], 'dict': ['d', 'o'], 'dicts': ['messages', 'rows'],
         'missing': ['missing', 'absent']}

WORDS = ['a', 'b', 'The', 'quick', 'brown', 'fox', 'user', 'assistant', 'system', 'x1', '42', '-7', '3.5', 'None', 'true', 'ÄÖ', 'straße', 'ﬁn', 'İ', 'ΣΑΣ',
         'ǆ', '日本', '👩‍👩‍👧', '<b>', '&amp;', '</think>', '<|im_end|>', "it's", '"q"', 'http://a.example/b?c=d', 'x@example.org', '{}', '%s', '{{', 'a_b', 'A-B', '١٢', '½',
         'e\u0301', 'zero\u200bwidth', '\\n', '#', '1e3', '0x1f', '007']
SPACES = [' ', ' ', ' ', ' ', '\n', '\n\n', '  ', '\t', '\r\n', '\u00a0', '\u2003', ', ', '-', '', '.', '\x0b', '\x1c', '\u2028', '\x85', '/']


def text(rng, most=5):
    if rng.random() < 0.08:
        return rng.choice(['', ' ', '\n', '\x00', '\x7f', '\U0001f600', '\u0130', 'ß', '\u00ad', '\ufeff', '\'"', '\\', '   a', 'a   '])
    return ''.join(rng.choice(WORDS) + rng.choice(SPACES) for _ in range(rng.randint(1, most)))[:rng.choice([4, 8, 16, 60])]


def integer(rng):
    if rng.random() < 0.04:
        return rng.choice([2**31, -2**31, 2**53 + 1, 10**15, 2**63 - 1, -2**63, 10**18])
    return rng.choice([0, 1, 2, 3, -1, -2, 5, 7, 10, rng.randint(-20, 20), rng.randint(-1000, 2000)])


def real(rng):
    """At most 12 digits and small exponents, which every JSON reader gets exactly; templates' own literals have the others."""
    if rng.random() < 0.1:
        return rng.choice([1e16, 1e15, 1e-5, 1e-4, -0.0, 1e20, 2.0**40, 1e-10])
    return rng.choice([0.0, 1.0, 0.5, -1.5, 2.5, 3.14159, round(rng.random(), 6), round(rng.uniform(-100, 100), 2), round(rng.uniform(-1e6, 1e6), 3), float(rng.randint(-9, 9))])


def scalar(rng):
    return rng.choice([text, text, integer, integer, real, lambda r: r.random() < 0.5, lambda r: None])(rng)


def mixed(rng, depth=2):
    return [value(rng, depth - 1) for _ in range(rng.randint(0, 4))]


def mapping(rng, depth=2):
    keys = ['a', 'b', 'key', 'name', 'items', 'B', 'ä', 'x y', '1', text(rng, 1), '']
    return {rng.choice(keys): value(rng, depth - 1) for _ in range(rng.randint(0, 4))}


def value(rng, depth):
    if depth <= 0 or rng.random() < 0.6:
        return scalar(rng)
    return rng.choice([mixed, mapping])(rng, depth)


def message(rng):
    made = {'role': rng.choice(['user', 'assistant', 'system', 'tool']), 'content': text(rng)}
    if rng.random() < 0.2:
        made['content'] = rng.choice([None, [{'type': 'text', 'text': text(rng)}], ''])
    if rng.random() < 0.2:
        made['tool_calls'] = [{'type': 'function', 'function': {'name': 'f', 'arguments': mapping(rng)}}]
    return made


def row(rng):
    made = {'name': rng.choice(['bob', 'Ann', 'ann', 'Zoe', 'émile']), 'age': rng.choice([1, 5, 5, 30, 2.5]), 'tags': [text(rng, 1) for _ in range(rng.randint(0, 2))]}
    if rng.random() < 0.1:
        del made[rng.choice(list(made))]
    return made


def variables(rng):
    made = {}
    for name in NAMES['str']:
        made[name] = text(rng)
    for name in NAMES['int']:
        made[name] = integer(rng)
    for name in NAMES['float']:
        made[name] = real(rng)
    made['yes'], made['no'], made['nil'] = True, False, None
    made['l'], made['e'] = [integer(rng) for _ in range(rng.randint(0, 6))], [] if rng.random() < 0.3 else [rng.randint(0, 3) for _ in range(5)]
    made['w'], made['v'] = [text(rng, 2) for _ in range(rng.randint(0, 5))], [rng.choice(WORDS) for _ in range(rng.randint(1, 6))]
    made['x'], made['z'] = mixed(rng), mixed(rng, 3)
    made['d'], made['o'] = mapping(rng), {'a': integer(rng), 'b': text(rng), 'c': mixed(rng, 1), 'd': mapping(rng, 1)}
    made['messages'], made['rows'] = [message(rng) for _ in range(rng.randint(0, 4))], [row(rng) for _ in range(rng.randint(1, 5))]
    return made
