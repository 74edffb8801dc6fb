"""What Jinja's documentation lists, as tables for jinja_expressions.py.

A row is (kind it takes, kind it gives, text); {s} {i} {n} {f} {b} {l} {w} {x} {d} {y} in a text stand for a string, a small integer,
any integer, a float, a bool, a list of integers, of strings, of anything, a dict and anything.
"""
FILTERS = [row.split(' ', 2) for row in '''
str str upper
str str lower
str str capitalize
str str title
str str trim
str str trim({s})
any str string
str str replace({s}, {s})
str str replace({s}, {s}, {i})
str str center({i})
str str center
str str indent
str str indent({i})
str str indent({i}, true)
str str indent(width={i}, first={b}, blank={b})
str str indent({s})
str str truncate({i})
str str truncate({i}, {b})
str str truncate({i}, {b}, {s})
str str truncate(length={i}, killwords={b}, end={s}, leeway={i})
str int wordcount
str str wordwrap({i})
str str wordwrap(width={i}, break_long_words={b}, wrapstring={s}, break_on_hyphens={b})
str str wordwrap
str str striptags
any str escape
any str e
any str forceescape
any str safe
str str urlencode
dict str urlencode
any str urlencode
any str tojson
any str tojson(indent={i})
any str tojson(ensure_ascii={b})
any str tojson(sort_keys={b}, indent=2)
any str tojson(separators=(',', ':'))
any str tojson(indent={s}, separators=(',', ': '))
any str pprint
any int int
any int int({i})
any int int(default={i}, base={i})
str int int(0, 16)
any float float
any float float({f})
num num abs
num num round
num num round({i})
num num round({i}, 'floor')
num num round(method='ceil', precision={i})
num str filesizeformat
num str filesizeformat({b})
list str join
list str join({s})
dicts str join({s}, attribute='name')
seq any first
list any last
any int length
any int count
any list list
str list list
list list sort
ints ints sort(reverse={b})
strs strs sort
strs strs sort(case_sensitive={b}, reverse={b})
dicts dicts sort(attribute='name')
dicts dicts sort(attribute='age,name')
dicts dicts sort(attribute='age', reverse={b})
list list unique(attribute=none)|list
strs list unique({b})|list
dicts list unique(attribute='name')|list
list list unique|list
list any min
list any max
strs str min(case_sensitive={b})
strs str max(case_sensitive=true)
dicts any min(attribute='age')
dicts any max(attribute='name')
ints int sum
ints int sum(start={n})
dicts any sum(attribute='age')
list list reverse|list
str str reverse
list list map('string')|list
list list map('upper')|list
strs list map('length')|list
strs list map('replace', {s}, {s})|list
dicts list map(attribute='name')|list
dicts list map(attribute='nope', default={y})|list
dicts list map(attribute='tags.0')|list
list list select|list
ints list select('odd')|list
ints list select('gt', {i})|list
ints list select('divisibleby', {i})|list
list list select('string')|list
list list select('in', {x})|list
list list reject|list
list list reject('none')|list
list list reject('equalto', {y})|list
dicts list selectattr('name')|list
dicts list selectattr('name', 'equalto', {s})|list
dicts list selectattr('age', 'gt', {i})|list
dicts list selectattr('role', 'eq', 'user')|list
dicts list selectattr('content', 'defined')|list
dicts list rejectattr('name', 'in', {w})|list
dicts list rejectattr('content')|list
dicts list groupby('role')|list
dicts list groupby('name', default={s})|list
dicts list groupby('age')|map('list')|list
dicts list groupby('name', case_sensitive={b})|list
dicts list groupby('age')|map(attribute='grouper')|list
list list batch({i})|list
list list batch({i}, {y})|map('list')|list
list list slice({i})|list
list list slice({i}, {y})|map('list')|list
dict list dictsort
dict list dictsort({b}, 'value')
dict list dictsort(by='key', reverse={b})
dict list items|list
any any default({y})
any any d({y}, true)
missing any default({y})
missing any default
missing list items|list
any any attr('x')
dict any attr({s})
str str format({y})
dict str xmlattr
dict str xmlattr({b})
dict list list
dict list dictsort|map('first')|list
'''.strip().split('\n')]
FILTERS += [['fmt1', 'str', 'format({n})'], ['fmt2', 'str', 'format({s}, {f})'], ['fmtd', 'str', 'format(a={y}, b={n})']]

METHODS = [row.split(' ', 2) for row in '''
str str upper()
str str lower()
str str title()
str str capitalize()
str str swapcase()
str str casefold()
str str strip()
str str strip({s})
str str lstrip({s})
str str rstrip({s})
str str lstrip()
str str rstrip('\\n')
str list split()
str list split({s})
str list split({s}, {i})
str list split(maxsplit={i})
str list rsplit({s}, {i})
str list rsplit(none, {i})
str list splitlines()
str list splitlines({b})
str list partition({s})
str list rpartition({s})
str str replace({s}, {s})
str str replace({s}, {s}, {i})
str str center({i})
str str center({i}, '*')
str str ljust({i}, '.')
str str rjust({i})
str str zfill({i})
str str join({w})
str str join({s})
str str join({x})
str str removeprefix({s})
str str removesuffix({s})
str str expandtabs({i})
str str expandtabs()
str str format({y}, {y})
str bool startswith({s})
str bool startswith(({s}, {s}))
str bool startswith({s}, {i})
str bool endswith({s})
str bool endswith({s}, {i}, {i})
str int find({s})
str int find({s}, {i}, {i})
str int rfind({s})
str int index({s})
str int rindex({s})
str int count({s})
str int count({s}, {i})
str bool isalpha()
str bool isalnum()
str bool isdigit()
str bool isdecimal()
str bool isnumeric()
str bool isspace()
str bool isupper()
str bool islower()
str bool istitle()
str bool isascii()
str bool isidentifier()
str bool isprintable()
list int index({y})
list int count({y})
list list copy()
dict any get({s})
dict any get('a')
dict any get({s}, {y})
dict list keys()|list
dict list values()|list
dict list items()|list
dict any keys()
dict any values()
dict any items()
dict dict copy()
int int bit_length()
float bool is_integer()
int int conjugate()
int any as_integer_ratio()
int int bit_count()
float str hex()
list any append({y})
dict any update(a=1)
list any pop()
dict any pop('a')
dict any setdefault('a', 1)
'''.strip().split('\n')]

TESTS = [row.split(' ', 1) for row in '''
any defined
any undefined
missing defined
missing undefined
any none
any boolean
any true
any false
any integer
any float
any number
any string
any mapping
any iterable
any sequence
any callable
any escaped
num odd
num even
num divisibleby {i}
num divisibleby({i})
any sameas true
any sameas false
missing sameas absent
any sameas none
any in {x}
str in {s}
any in({d})
str lower
str upper
any eq {y}
any ne {y}
any == {y}
num lt {n}
num <= {f}
num gt({f})
num greaterthan {n}
str lessthan {s}
num ge {n}
any equalto {y}
str filter
str test
'''.strip().split('\n')]
TESTS = [row for row in TESTS if not row[1][0] in '=<>!']

FORMATS = {'fmt1': ['%d', '%5d|', '%-5d|', '%05d', '%+d', '% d', '%x', '%#x', '%o', '%X', '%c', '%s', '%r', '%e', '%.2f', '%g', '%%%d', '%i', '%.3d', '%u', '%5.1f|', '%a'],
           'fmt2': ['%s %s', '%r|%.3f', '%10s|%-8.2f|', '%.2s%e', '%s%g', '%-10s|%+f', '%s %d', '%a %G', '%*s', '%s%s%s', '%s', '%5.3s|%08.3f'],
           'fmtd': ['%(a)s %(b)d', '%(b)05d', '%(a)r', '%(c)s', '%(b)s%(b)x']}
BRACES = ['{}', '{}{}', '{0}{1}{0}', '{:>10}', '{:<8}|', '{:^9}|', '{:*^12}', '{:05}', '{:,}', '{:_}', '{:.2f}', '{:.3}', '{:e}', '{:g}', '{:x}', '{:#b}', '{:o}', '{:%}', '{:+}', '{: }', '{:d}', '{:s}',
          '{!r}', '{!s:>6}', '{!a}', '{0[0]}', '{0.x}', '{1[a]}', '{{}}', '{{{}}}', '{:c}', '{:n}', '{:10.4f}|', '{:=+8}', '{:<{}}', '{:>{1}}', '{', '}', '{2}', '{a}', '{:q}', '{:010,.2f}', '{:.0f}', '{:,d}', '{:#x}', '{:+.1e}', '{:G}', '{:08b}']
LITERALS = [r"'\x41\u00e9\n'", r"'\101\t\\'", r'"\"q\"\'"', r"'\q\d'", "'a' 'b'", r"'\U0001f600'", r"'\r'", r"'\0'", r"'\''", "'\n'", r"'\
'"]
NUMBERS = ['0', '1', '2', '3', '-1', '-2', '7', '10', '1_000', '0x1F', '0b101', '0o17', '00', '12', '100', '9223372036854775807']
FLOATS = ['0.5', '1.0', '-2.5', '1e3', '2.5e-3', '1_0.5', '3.14', '0.1', '1E2', '1e16', '100.0', '1.5e300', '5e-324', '1.7976931348623157e308', '0.30000000000000004', '1e-7', '123456789012345680.0', '0.0001', '1e22']
