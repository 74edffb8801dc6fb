"""Random Jinja templates for jinja_differential.py: statements around the expressions of jinja_expressions.py."""
from jinja_expressions import Expressions, quoted
from jinja_values import text

TARGETS = {'ints': 'int', 'strs': 'str', 'list': 'any', 'dicts': 'dict', 'str': 'str'}
LOOP = ['index', 'index0', 'revindex', 'revindex0', 'first', 'last', 'length', 'depth', 'depth0', 'previtem', 'nextitem', "cycle('a', 'b', 'c')", 'changed(i{})', 'nope']
PLAIN = ['text', ' ', '\n', '\n\n', '  \n', '  ', '\t', 'a b', '<|im_start|>', '\nline\n', ' end ', 'é', '{ x }', '%}', '}}', '#', '-', '\r\n', '"', "'", '\\n']


class Templates:
    def __init__(self, rng):
        self.rng = rng
        self.expressions = Expressions(rng)
        self.budget = rng.choice([2, 4, 8, 14])
        self.macros, self.names, self.loops = [], 0, 0

    def name(self, stem):
        self.names += 1
        return f'{stem}{self.names}'

    def expr(self, kind='any', depth=None):
        return self.expressions.make(kind, self.rng.choice([0, 1, 2, 3]) if depth is None else depth)

    def open(self, word='%'):
        return '{' + word + self.rng.choice(['', '', '', '', '-', '-', '+' if word == '%' else '']) + self.rng.choice([' ', ' ', '', '\n  '])

    def close(self, word='%'):
        return self.rng.choice([' ', ' ', '', '\n']) + self.rng.choice(['', '', '', '-', '-', '+' if word == '%' else '']) + ('%' if word == '%' else word) + '}'

    def tag(self, inner):
        return self.open() + inner + self.close()

    def plain(self):
        return ''.join(self.rng.choice(PLAIN) for _ in range(self.rng.randint(0, 2)))

    def printed(self):
        kind = self.rng.choice(['any', 'any', 'str', 'int', 'float', 'bool', 'list', 'dict', 'ints'])
        inner = self.expr(kind)
        if self.rng.random() < 0.06:
            inner += f', {self.expr("any", 1)}'
        return '{{' + self.rng.choice(['', '', '-']) + ' ' + inner + ' ' + self.rng.choice(['', '', '-']) + '}}'

    def body(self, depth):
        parts = [self.plain()]
        for _ in range(self.rng.randint(1, 3)):
            parts += [self.statement(depth), self.plain()]
        return ''.join(parts)

    def scoped(self, depth, *names):
        known = len(self.expressions.local)
        self.expressions.local += names
        made = self.body(depth)
        del self.expressions.local[known:]
        return made

    def statement(self, depth):
        self.budget -= 1
        if depth <= 0 or self.budget <= 0:
            return self.printed()
        kinds = [self.printed] * 5 + [lambda: self.if_(depth), lambda: self.for_(depth), lambda: self.for_(depth), self.set_, lambda: self.set_block(depth), lambda: self.macro(depth),
                                      lambda: self.call_block(depth), lambda: self.filter_block(depth), lambda: self.with_(depth), self.namespace, lambda: self.recursive(depth), self.comment, self.raw,
                                      self.call_macro, self.if_chain, self.chat, self.odd]
        return self.rng.choice(kinds)()

    def if_(self, depth):
        made = self.tag(f'if {self.expr("bool")}') + self.body(depth - 1)
        if self.rng.random() < 0.3:
            made += self.tag(f'elif {self.expr("any")}') + self.body(depth - 1)
        if self.rng.random() < 0.4:
            made += self.tag('else') + self.body(depth - 1)
        return made + self.tag('endif')

    def if_chain(self):
        return '{{ ' + f'{self.expr("any", 1)} if {self.expr("any", 1)}' + self.rng.choice(['', f' else {self.expr("any", 1)}']) + ' }}'

    def for_(self, depth):
        rng = self.rng
        kind = rng.choice(list(TARGETS))
        name = self.name('i')
        target, source = name, self.expr(kind, 1)
        if rng.random() < 0.2:
            target, source, kind = f'{name}, {name}b', rng.choice(['d.items()', 'o|items', 'd|dictsort', "[(1, 2), ('a', none)]", 'rows|groupby("age")', 'o.items()', '[[1, [2]]]', 'l|batch(2)']), 'list'
        head = f'for {target} in {source}'
        known = [(name, TARGETS[kind])]
        if rng.random() < 0.2:
            self.expressions.local += known
            head += f' if {self.expr("bool", 1)}'
            del self.expressions.local[-1:]
        self.loops += 1
        inner = self.scoped(depth - 1, *known)
        for _ in range(rng.choice([0, 1, 1, 2])):
            inner += '{{ loop.' + rng.choice(LOOP).format(name[1:]) + ' }}' + rng.choice(['', ' ', ','])
        if rng.random() < 0.15:
            inner += self.tag(f'if {self.scoped_expr(known)}') + self.tag(rng.choice(['break', 'continue'])) + self.tag('endif') + 'x'
        self.loops -= 1
        if rng.random() < 0.25:
            inner += self.tag('else') + self.body(depth - 1)
        return self.tag(head) + inner + self.tag('endfor')

    def scoped_expr(self, known):
        self.expressions.local += known
        made = self.expr('bool', 1)
        del self.expressions.local[-len(known):]
        return made

    def set_(self):
        kind = self.rng.choice(['str', 'int', 'float', 'list', 'dict', 'any', 'bool', 'strs'])
        if self.rng.random() < 0.15:
            first, second = self.name('p'), self.name('q')
            value = self.rng.choice([f'{self.expr("int", 1)}, {self.expr("str", 1)}', '[1, 2]', "'ab'", self.expr('list', 1), 'd.items()|first', 's.partition(" ")'])
            made = self.tag(f'set {first}, {second}{self.rng.choice(["", "", ", r"])} = {value}')
            self.expressions.local += [(first, 'int'), (second, 'str')]
            return made
        name = self.name('y')
        made = self.tag(f'set {name} = {self.expr(kind)}')
        self.expressions.local.append((name, kind))
        return made

    def set_block(self, depth):
        name = self.name('y')
        chain = self.rng.choice(['', '', ' | upper', ' | trim | length', f' | replace({quoted(text(self.rng, 1))}, "-")'])
        made = self.tag(f'set {name}{chain}') + self.scoped(depth - 1) + self.tag('endset')
        self.expressions.local.append((name, 'str'))
        return made + '{{ ' + name + ' }}'

    def macro(self, depth):
        rng, name = self.rng, self.name('mac')
        params = rng.choice(['', 'a', 'a, b', "a, b='dflt'", 'a=1, b=a', 'a, b=n, c=none', 'a=s'])
        known = [(p.split('=')[0].strip(), 'any') for p in params.split(',') if p.strip()]
        inner = self.scoped(depth - 1, *known)
        inner += rng.choice(['', '', '{{ varargs }}', '{{ kwargs }}', '{{ caller() if caller else "no caller" }}', "{{ caller('x') }}", '{{ varargs|length }}{{ kwargs|dictsort }}', '{{ caller is defined }}'])
        self.macros.append((name, params))
        return self.tag(f'macro {name}({params})') + inner + self.tag('endmacro') + self.call_macro()

    def arguments(self, params):
        """Mostly what the macro takes; sometimes too many, too few, or names that it has not."""
        names = [p.split('=')[0].strip() for p in params.split(',') if p.strip()]
        strange = self.rng.random() < 0.08
        made = [self.expr('any', 1) for _ in range(self.rng.randint(0, 4 if strange else len(names)))]
        rest = ['a', 'b', 'c', 'zz'] if strange else names[len(made):]
        made += [f'{name}={self.expr("any", 1)}' for name in self.rng.sample(rest, self.rng.randint(0, min(2, len(rest))))]
        if self.rng.random() < 0.05:
            made.append(self.rng.choice(['*l', '*[1, 2]', "**{'b': 2}", '*w, **{}', '**d']))
        return ', '.join(made)

    def call_macro(self):
        if not self.macros:
            return self.printed()
        name, params = self.rng.choice(self.macros)
        called = f'({self.arguments(params)})'
        return '{{ ' + name + self.rng.choice([called] * 12 + [called + '|upper', '.name', '.arguments', '.catch_kwargs', '.catch_varargs', '.caller']) + ' }}'

    def call_block(self, depth):
        rng = self.rng
        if not self.macros:
            self.macros.append((self.name('mac'), 'a'))
            lead = '{% macro ' + self.macros[-1][0] + "(a='z') %}<{{ caller(" + rng.choice(['', "a", "1, 2", "q=3"]) + ') }}>{{ a }}{% endmacro %}'
        else:
            lead = ''
        params = rng.choice(['', '', '(q)', "(q, r=2)", '()'])
        known = [('q', 'any')] if 'q' in params else []
        name, takes = rng.choice(self.macros)
        return lead + self.tag(f'call{params} {name}({self.arguments(takes)})') + self.scoped(depth - 1, *known) + self.tag('endcall')

    def filter_block(self, depth):
        chain = self.rng.choice(['upper', 'trim', 'replace("a", "b")', 'upper|replace("A", "_")', 'indent(2)', 'length', 'indent(1, true)|trim', 'title', 'wordcount', 'center(20)', 'escape', 'default("x")', 'list'])
        return self.tag(f'filter {chain}') + self.scoped(depth - 1) + self.tag('endfilter')

    def with_(self, depth):
        name = self.name('wi')
        head = f'with {name} = {self.expr("any", 1)}' + self.rng.choice(['', f', {name}b = {name}', ''])
        return self.tag(self.rng.choice([head, head, 'with'])) + self.scoped(depth - 1, (name, 'any')) + self.tag('endwith')

    def namespace(self):
        name = self.name('ns')
        made = self.tag(f'set {name} = namespace({self.rng.choice(["a=0", "a=0, b=[]", "{}", "", "d, a=1"]).replace("{}", "{" + quoted("a") + ": 1}")})')
        made += self.tag(f'for j in {self.expr("seq", 1)}') + self.tag(f'set {name}.a = {self.rng.choice([f"{name}.a + 1", "j", "loop.index", f"{name}.a ~ j"])}') + self.tag('endfor')
        self.expressions.local.append((f'{name}.a', 'any'))
        return made + '{{ ' + self.rng.choice([f'{name}.a', f'{name}.b', f"{name}['a']", name, f'{name}.a is defined', f'{name} is mapping']) + ' }}'

    def recursive(self, depth):
        source = self.rng.choice(["[{'v': 1, 'c': [{'v': 2}, {'v': 3, 'c': [{'v': 4}]}]}]", '[[1, [2, 3]], [4]]', 'z', '[z]'])
        inner = self.rng.choice(["{{ r.v }}{{ loop.depth }}{% if r.c %}({{ loop(r.c) }}){% endif %}", '{{ r if r is not iterable or r is string else loop(r) }}{{ loop.index }}/{{ loop.length }}',
                                 '{{ loop.depth0 }}{% if r is sequence and r is not string %}[{{ loop(r)|trim }}]{% else %}{{ r }}{% endif %}'])
        return self.tag(f'for r in {source} recursive') + inner + self.tag('endfor')

    def comment(self):
        return self.open('#') + self.rng.choice(['c', ' {{ x }} ', '', '\n', '{% if %}']) + self.close('#')

    def raw(self):
        return self.open() + 'raw ' + self.rng.choice(['', '-']) + '%}' + self.rng.choice(['{{ x }}', '{% if %}', ' a ', '\n', '{#']) + self.tag('endraw')

    def chat(self):
        """What chat templates do all day."""
        return self.rng.choice([
            "{%- for message in messages %}{{- '<|im_start|>' + message['role'] + '\\n' + (message.content if message.content is string else message.content|tojson) + '<|im_end|>' + '\\n' }}{%- endfor %}",
            "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ 'sys' }}{% endif %}{{ message.role }}: {{ message['content'] | trim }}\n{% endfor %}",
            "{%- if messages and messages[0].role == 'system' %}{%- set system = messages[0].content %}{%- set rest = messages[1:] %}{%- else %}{%- set system = 'none' %}{%- set rest = messages %}{%- endif %}{{ system }}{{ rest|length }}",
            "{% if not ['user', 'tool'] == messages|map(attribute='role')|list %}{{ messages|map(attribute='role')|join(',') }}{% endif %}",
            "{%- set ns = namespace(last=-1, multi=true) %}{%- for message in messages[::-1] %}{%- set index = (messages|length - 1) - loop.index0 %}{%- if ns.multi and message.role == 'user' and message.content is string and not(message.content.startswith('<t') and message.content.endswith('>')) %}{%- set ns.multi = false %}{%- set ns.last = index %}{%- endif %}{%- endfor %}{{ ns.last }}",
            "{% for m in messages %}{% if '</think>' in (m.content or '') and m.content is string %}{{ m.content.split('</think>')[-1].lstrip('\\n') }}{{ m.content.split('</think>')[0].rstrip('\\n').split('<think>')[-1] }}{% endif %}{% for c in m.tool_calls or [] %}{{ c.function.arguments | tojson(indent=4) }}{{ c.function|items|list }}{% endfor %}{% endfor %}",
            "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{{ m.role }}{% endfor %}"])

    def odd(self):
        return self.rng.choice([
            "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.current }}{{ c.next() }}{% break %}", "{% set c = cycler('a', 2) %}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.reset() }}{{ c.next() }}", "{% set j = joiner('|') %}{{ j() }}a{{ j() }}b{{ j() }}",
            '{% block b %}B{{ s }}{% endblock %}{{ self.b() }}', "{% print s, n %}", '{% include "x" %}', '{% include "x" ignore missing %}', '{% for i in l %}{% else %}none{% endfor %}', '{% if s %}{% endif %}{% elif %}',
            '{% autoescape true %}{{ s }}{{ "<"|safe }}{{ s ~ "<b>"|safe }}{{ [s] }}{% endautoescape %}', '{{ (s|attr("upper"))() }}', '{% set loop = 1 %}{{ loop }}', '{{ range(3) }}{{ range(1, 5, 2) }}', '{{ d.items() }}{{ d.keys() }}{{ d.values() }}', "{{ dict(a=1, **{'b': 2}) }}", '{{ [1, 2,] }}{{ (1,) }}{{ () }}{{ {"a": 1,} }}', '{{ 1 if }}', '{{ .5 }}', '{{ 1. }}', r"{{ '\N{DASH}' }}", r"{{ '\x4' }}", '{{ none.x }}', '{{ -n ** 2 }}{{ 2 ** -1 }}{{ -2|abs }}',
            '{{ n.__class__ }}{{ s.__len__() }}', '{{ loop is defined }}', "{{ {'a': 1}.a }}{{ {'items': 1}['items'] }}", '{{ namespace(a=1) }}', '{% macro q() %}{{ caller }}{% endmacro %}{{ q() }}', '{{ not n is divisibleby 2 }}', '{{ 1 is odd is even }}', '{{ s is string and n is number }}', '{{ joiner }}'[:0], "{{ 'a' 'b' ~ 1 + 2 }}", '{{ [1,2,3].0 }}{{ x.0 }}', '{{ "%s" % x }}{{ "%s %s" % (1,) }}', '{{ messages|selectattr("role", "equalto", "user")|list|length }}', '{{ lipsum is callable }}'])

    def template(self):
        # Names of the caller are set at the start only: Python forgets them in blocks before a later set.
        made = self.tag(f'set {self.rng.choice(["s", "u"])} = {self.expr("str", 2)}') if self.rng.random() < 0.1 else ''
        made += self.body(3)
        if self.rng.random() < 0.05:
            made = self.damaged(made)
        return made

    def damaged(self, source):
        """A slip of the pen: Python says whether it still is a template."""
        at = self.rng.randrange(len(source) + 1)
        return self.rng.choice([source[:at] + source[at + 1:], source[:at] + self.rng.choice(['%}', '{{', '-', ')', "'", '|', ' not ', '{%', '}', ',', '.', '1', ' if ']) + source[at:], source[:at],
                                source[:at] + source[at:at + 4] + source[at:]])
