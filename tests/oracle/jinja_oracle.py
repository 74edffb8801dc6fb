"""Python's side of jinja_differential.py: Jinja set up for chat templates as Hugging Face does, with bounds so that no
case takes forever, and with notes of what our engine does not claim to do (docs/templates.md)."""
import datetime
import json
import math
import re
import signal

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2025, 7, 8, 12, 0, 0)


MAX_BYTES = 4 * 1024 * 1024  # of our output


class Skipped(Exception):
    """The case asks for more than a comparison should compute."""


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


class Unfolded(CodeGenerator):
    def _output_child_to_const(self, node, frame, finalize):
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)


class Environment(ImmutableSandboxedEnvironment):
    """Sees every operator: notes integers beyond 64 bits and complex numbers, refuses what would not end."""

    intercepted_binops = frozenset(['+', '-', '*', '//', '%', '**'])
    intercepted_unops = frozenset(['-'])

    def __init__(self, folds=True):
        """@param folds  False: nothing is computed while the template is compiled, so that errors and names that Python's
        optimizer hides or brings forward come where the template has them."""
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols], optimized=folds)
        if not folds:
            self.code_generator_class = Unfolded
        self.filters['tojson'] = tojson
        self.globals.update(raise_exception=raise_exception, strftime_now=lambda f: NOW.strftime(f))
        self.big = False
        for name in ('format', 'filesizeformat', 'sum', 'int', 'abs', 'round'):
            self.filters[name] = self.watched(self.filters[name])

    def note(self, value):
        self.big = self.big or isinstance(value, complex) or (isinstance(value, int) and not -2**63 <= value < 2**63)
        return value

    def note_whole(self, values):
        """Numbers that a format may want as integers."""
        for value in values:
            self.note(int(value) if isinstance(value, float) and math.isfinite(value) else value)

    def watched(self, function):
        def call(*args, **kwargs):
            if function in (jinja2.filters.do_format, jinja2.filters.do_filesizeformat):
                self.note_whole([*args, *kwargs.values()])
            return self.note(function(*args, **kwargs))
        call.__dict__.update(getattr(function, '__dict__', {}))
        return call

    def call_binop(self, context, operator, left, right):
        if operator == '**' and isinstance(right, int) and abs(right) > 1000:
            raise Skipped
        if operator == '*' and any(isinstance(side, int) and abs(side) > 10**5 and not isinstance(other, (int, float)) for side, other in ((left, right), (right, left))):
            raise Skipped
        if operator == '%' and isinstance(left, str):
            self.note_whole(right if isinstance(right, tuple) else (right,))
        return self.note(super().call_binop(context, operator, left, right))

    def call_unop(self, context, operator, arg):
        return self.note(super().call_unop(context, operator, arg))


class Alarm:
    def __enter__(self):
        signal.signal(signal.SIGALRM, self.ring)
        signal.setitimer(signal.ITIMER_REAL, 3)

    def __exit__(self, *_):
        signal.setitimer(signal.ITIMER_REAL, 0)

    @staticmethod
    def ring(*_):
        raise Skipped


def render(environment, source, values):
    """('text', text), ('error', message) or ('skipped', why); the environment's `big` says whether integers left 64 bits."""
    # A literal that is too long may stand where it is never computed.
    environment.big = re.search(r'[0-9]{19}', source) is not None
    try:
        with Alarm():
            text = environment.from_string(source).render(**values)
        if len(text.encode()) > MAX_BYTES:
            raise Skipped
    except (Skipped, MemoryError):
        return 'skipped', 'too much'
    except UnicodeEncodeError:
        return 'skipped', 'no UTF-8'
    except Exception as error:  # noqa: BLE001: whatever a template may raise is an error
        if isinstance(error, NameError) and str(error) == "name 'inf' is not defined":
            return 'skipped', 'a literal over the doubles, which Python compiles to a name'
        return 'error', f'{type(error).__name__}: {error}'
    return ('skipped', 'an address') if ' at 0x' in text.lower() else ('text', text)
