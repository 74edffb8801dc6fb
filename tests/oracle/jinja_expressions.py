"""Random Jinja expressions by kind, for jinja_differential.py: mostly such that they have a value, sometimes not.

Kinds: str int float bool none ints strs list dict dicts missing any, and for tables num (int, float or bool), seq (any sequence).
"""
import re

from jinja_tables import BRACES, FILTERS, FLOATS, FORMATS, LITERALS, METHODS, NUMBERS, TESTS
from jinja_values import NAMES, text

PLAIN = {'num': ['int', 'float', 'bool', 'int'], 'seq': ['ints', 'strs', 'list', 'dicts', 'str'], 'list': ['ints', 'strs', 'list', 'dicts', 'list'],
         'any': ['str', 'int', 'float', 'bool', 'none', 'ints', 'strs', 'list', 'dict', 'dicts', 'str', 'int', 'missing']}
HOLES = {'s': 'str', 'i': 'small', 'n': 'int', 'f': 'float', 'b': 'bool', 'l': 'ints', 'w': 'strs', 'x': 'list', 'd': 'dict', 'y': 'any'}
GIVES = {}
for _table, _mark in ((FILTERS, '|'), (METHODS, '.')):
    for _takes, _gives, _text in _table:
        GIVES.setdefault(_gives, []).append((_takes, _mark, _text))
ALL = [row for rows in GIVES.values() for row in rows]


def quoted(value):
    """A Jinja literal of a string."""
    return repr(value)


class Expressions:
    """@param rng  random.Random; @param wrong  how often an expression of another kind than asked is given."""

    def __init__(self, rng, wrong=0.03):
        self.rng, self.wrong = rng, wrong
        self.local = []  # (name, kind) set by the template so far

    def fill(self, pattern, depth):
        def hole(match):
            if match.group(1) == 's' and self.rng.random() < 0.6:
                return quoted(self.rng.choice(['a', ' ', ',', 'e', 'user', '', '-', '\n', 'th', 'A', '.', 'ab', 'name', '\t', 'x']))
            return self.make(HOLES[match.group(1)], depth)
        return re.sub(r'\{([sinfblwxdy])\}', hole, pattern)

    def make(self, kind, depth):
        """An expression of this kind that may stand anywhere."""
        if self.rng.random() < self.wrong:
            kind = 'any'
        if kind == 'small':
            return self.rng.choice(['0', '1', '2', '3', '4', '5', '8', '12', '20', '-1', '-3', 'm', self.rng.choice(NUMBERS[:9])])
        kind = self.rng.choice(PLAIN[kind]) if kind in PLAIN and kind != 'list' else kind
        if kind == 'list' and self.rng.random() < 0.5:
            kind = self.rng.choice(PLAIN['list'])
        if kind in FORMATS:
            return quoted(self.rng.choice(FORMATS[kind]))
        if depth <= 0 or self.rng.random() < 0.25:
            return self.leaf(kind)
        makers = [self.chained, self.chained, self.special, self.special, self.wrapped]
        return self.rng.choice(makers)(kind, depth)

    def leaf(self, kind):
        rng = self.rng
        fitting = [name for name, has in self.local if has == kind or kind == 'any']
        if fitting and rng.random() < 0.5:
            return rng.choice(fitting)
        if kind == 'list':
            return rng.choice(NAMES['mixed'] + ["[1, 'a', none]", "(1, 2.0, 'b')", '[]', '()', "['b', 'A', 'a', 'B']", '[[1, 2], [3]]', "[true, 1, 1.0, '1']", '[1.5, 2, -3]', 'range(4)', "[0, '', none, [], {}]"])
        names = NAMES.get(kind)
        if names and rng.random() < 0.6:
            return rng.choice(names)
        return {'str': lambda: rng.choice(LITERALS) if rng.random() < 0.15 else quoted(text(rng, 3)), 'int': lambda: rng.choice(NUMBERS),
                'float': lambda: rng.choice(FLOATS), 'bool': lambda: rng.choice(['true', 'false', 'True', 'False']), 'none': lambda: rng.choice(['none', 'None']),
                'ints': lambda: rng.choice(['[1, 2, 3]', '[3, 1, 2]', 'range(5)', 'range(1, 9, 3)', 'range(5, 0, -2)', '[]', '(4, 4)']),
                'strs': lambda: rng.choice(["['a', 'B', 'c']", "['x']", "('b', 'a')", "'b a c'.split()", "['aa', 'a', '']"]),
                'dict': lambda: rng.choice(["{'a': 1, 'b': 2}", '{}', "{1: 'x', 'y': [1]}", "dict(a=1, b='c')", "{'a': {'b': {'c': 3}}}", "{none: 1, true: 2, 1.5: 'f'}", "{'b': 1, 'A': 2, 'a': 3}", '{(1, 2): 3}']),
                'dicts': lambda: rng.choice(['messages', 'rows', "[{'name': 'n', 'age': 3}]"])}.get(kind, lambda: rng.choice(NAMES['missing']))()

    def chained(self, kind, depth):
        """A filter or method that gives this kind."""
        rows = GIVES.get(kind if kind not in ('ints', 'strs') or self.rng.random() < 0.5 else 'list')
        if kind == 'any' or rows is None:
            rows = ALL
        takes, mark, pattern = self.rng.choice(rows)
        base = self.make(takes, depth - 1)
        if mark == '.' or self.rng.random() < 0.5:
            base = self.primary(base)
        made = base + mark + self.fill(pattern, depth - 2)
        return made if self.rng.random() < 0.5 else f'({made})'

    def primary(self, base):
        return base if re.fullmatch(r"[a-z_]+|'[^'\\]*'|\[.*\]|\(.*\)", base) and base.count('(') < 2 and base.count('[') < 2 else f'({base})'

    def wrapped(self, kind, depth):
        rng, make = self.rng, self.make
        pick = rng.randrange(4)
        if pick == 0:
            return f'({make(kind, depth - 1)} if {make("bool", depth - 1)} else {make(kind, depth - 1)})'
        if pick == 1:
            return f'({make(kind, depth - 1)} {rng.choice(["or", "and"])} {make(kind, depth - 1)})'
        if pick == 2:
            return f'{{{quoted("k")}: {make(kind, depth - 1)}}}{rng.choice([".k", "[" + quoted("k") + "]"])}'
        return f'[{make(kind, depth - 1)}, {make("any", 0)}][{rng.choice(["0", "0", "-2", "1", "5", "none"])}]'

    def special(self, kind, depth):
        return getattr(self, 'make_' + kind, self.wrapped)(kind, depth)

    def make_str(self, _, depth):
        rng, make = self.rng, self.make
        pick = rng.randrange(9)
        if pick == 0:
            return f'({make("str", depth - 1)} + {make("str", depth - 1)})'
        if pick == 1:
            return f'({make("any", depth - 1)} ~ {make("any", depth - 1)}{" ~ " + make("str", 0) if rng.random() < .4 else ""})'
        if pick == 2:
            return f'({make("str", depth - 1)} * {make("small", 0)})'
        if pick == 3:
            return self.primary(make('str', depth - 1)) + self.slice()
        if pick == 4:
            return f'({quoted(rng.choice(FORMATS["fmt1"]))} % {make("any", 0) if rng.random() < .4 else make("int", 0)})'
        if pick == 5:
            return f'({quoted(rng.choice(FORMATS["fmt2"]))} % ({make("any", 0)}, {make("float", 0)}))'
        if pick == 6:
            return f'{quoted(rng.choice(BRACES))}.format({make("any", 0)}, {make("any", 0)})'
        if pick == 7:
            return f'{quoted(rng.choice(BRACES))}.format({make("int", 0) if rng.random() < .5 else make("float", 0)})'
        return f"strftime_now({quoted(rng.choice(['%Y-%m-%d', '%d %b %Y', '%H:%M:%S', '%A %B %j', '%y%%', '%I %p', '%-d', '%x %X', '%c', '%U %W %w', '%e', '%F %T', '%s', '%z|%Z', '%f', '%', '%Q', '']))})"

    def slice(self):
        rng = self.rng
        part = lambda: rng.choice(['', '', '0', '1', '2', '-1', '-2', '3', '100', '-100', 'none', 'm'])
        step = rng.choice(['', '', ':', ':1', ':2', ':-1', ':-2', ':none', ':0'])
        return f'[{part()}:{part()}{step}]'

    def make_int(self, _, depth):
        make = self.make
        op = self.rng.choice(['+', '-', '*', '//', '%', '+', '-', '**'])
        right = self.rng.choice(['2', '3', '-1', '0', '5', 'm']) if op == '**' else make('int', depth - 1)
        made = f'{make("int", depth - 1)} {op} {right}'
        return self.rng.choice([f'({made})', f'({made})', f'-{self.primary(make("int", depth - 1))}', f'({made} {self.rng.choice("+-*")} {make("int", 0)})', made])

    def make_float(self, _, depth):
        make = self.make
        made = f'{make("num", depth - 1)} {self.rng.choice(["+", "-", "*", "/", "//", "%", "/", "**"])} {make("float", depth - 1)}'
        return self.rng.choice([f'({made})', f'-{self.primary(make("float", depth - 1))}', f'({make("int", depth - 1)} / {make("int", depth - 1)})'])

    def make_bool(self, _, depth):
        rng, make = self.rng, self.make
        pick = rng.randrange(7)
        if pick == 0:
            kind = rng.choice(['int', 'num', 'str', 'any', 'list', 'ints', 'strs'])
            return f'({make(kind, depth - 1)} {rng.choice(["==", "!=", "<", "<=", ">", ">="])} {make(kind, depth - 1)})'
        if pick == 1:
            return f'({make("num", 0)} {rng.choice(["<", "<=", "=="])} {make("num", depth - 1)} {rng.choice(["<", ">=", "!="])} {make("num", 0)})'
        if pick == 2:
            return f'({make("any", depth - 1)} {rng.choice(["in", "not in"])} {make(rng.choice(["seq", "dict", "list"]), depth - 1)})'
        if pick == 3:
            return f'(not {make("any", depth - 1)})'
        if pick == 4:
            return f'({make("str", depth - 1)} in {make("str", depth - 1)})'
        takes, pattern = rng.choice(TESTS)
        return f'({make(takes, depth - 1)} is {rng.choice(["", "", "not "])}{self.fill(pattern, 0)})'

    def make_list(self, _, depth):
        rng, make = self.rng, self.make
        pick = rng.randrange(5)
        if pick == 0:
            return '[' + ', '.join(make('any', depth - 1) for _ in range(rng.randint(0, 4))) + ']'
        if pick == 1:
            return f'({make("list", depth - 1)} + {make("list", depth - 1)})'
        if pick == 2:
            return self.primary(make('list', depth - 1)) + self.slice()
        if pick == 3:
            return '(' + ', '.join(make('any', depth - 1) for _ in range(rng.randint(2, 3))) + ')'
        return f'({make("list", depth - 1)} * {make("small", 0)})'

    make_ints = make_strs = make_list

    def make_dict(self, _, depth):
        rng, make = self.rng, self.make
        if rng.random() < 0.3:
            return f'dict({make("dict", depth - 1)}, k={make("any", depth - 1)})'
        return '{' + ', '.join(f'{make(rng.choice(["str", "str", "any"]), 0)}: {make("any", depth - 1)}' for _ in range(rng.randint(1, 3))) + '}'

    def make_any(self, _, depth):
        rng = self.rng
        if rng.random() < 0.5:
            return rng.choice(['d.a', 'o.b', 'o.c', 'd.name', 'o.d', "d['key']", 'n.real', 'n.imag', 'f.real', 'n.numerator', 'yes.denominator', 'messages[0]', 'messages[-1].content', 'rows[0].tags', 'rows[0].age', 'messages[0].role', 'l[0]', 'w[1]', 'x[-1]',
                               'missing.a', "d['nope'].b", 'nil.x', 'n.x', 's.x', 's[0]', 's[99]', 'l.0', 'x.1', 'd[nil]', 'namespace(a=1).a', 'o.c[0]', 'self', 's[-1]', 'w.0.0', "o['a']", 'range(3)[1]', 'd[l]', 'l[s]', 'l[1.0]', 'l[true]'])
        return self.make(rng.choice(PLAIN['any']), depth - 1)
