#!/usr/bin/env python3
"""Compares the calculator with Python's fractions and decimal on generated expressions.

usage: calculator_check.py NOTSO [--count N] [--seed S]
Exact results must be equal as fractions; rounded ones must be the true value to the last digit shown.
"""
import argparse
import decimal
import json
import math
import random
import re
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

decimal.getcontext().prec = 90
decimal.getcontext().Emax = decimal.MAX_EMAX
decimal.getcontext().Emin = decimal.MIN_EMIN
sys.set_int_max_str_digits(0)
MOST = 10 ** 10_000
SHOWN = 15


class Refused(Exception):
    """There is no value, or it is over the limits."""


def to_decimal(value):
    return value if isinstance(value, Decimal) else Decimal(value.numerator) / Decimal(value.denominator)


def fits(value):
    if isinstance(value, Fraction) and (abs(value.numerator) >= MOST or value.denominator >= MOST):
        if value.denominator == 1:
            raise Refused
        value = to_decimal(value)
    if isinstance(value, Decimal) and value and not -10_000 < value.adjusted() < 10_000:
        raise Refused
    return value


def power(base, exponent):
    if exponent == 0:
        return Fraction(1)
    if base == 0:
        if exponent < 0:
            raise Refused
        return base
    if isinstance(base, Fraction) and exponent.denominator == 1:
        size = max(abs(base.numerator), base.denominator)
        if size > 1 and math.log10(size) * abs(exponent) > 10_001:
            if base.denominator == 1:
                raise Refused
            return to_decimal(base) ** int(exponent)
        return base ** int(exponent)
    if exponent.denominator == 1:
        return base ** int(exponent)
    raise AssertionError("not generated")


def root(value, n):
    if value < 0:
        raise Refused
    if isinstance(value, Fraction):
        top, bottom = (math.isqrt(part) for part in (value.numerator, value.denominator))
        if n == 2 and top * top == value.numerator and bottom * bottom == value.denominator:
            return Fraction(top, bottom)
    return to_decimal(value).sqrt()


def half_away(value, places=0):
    scaled = value * Fraction(10) ** places
    away = math.floor(abs(scaled) + Fraction(1, 2))
    return Fraction(away if scaled >= 0 else -away) / Fraction(10) ** places


class Generator:
    """Expressions with their values; a value that is not rational is a Decimal."""

    def __init__(self, rng):
        self.rng = rng

    def number(self):
        r = self.rng
        kind = r.randrange(7)
        if kind < 3:
            n = r.choice([r.randrange(10), r.randrange(1000), r.randrange(10 ** 12), r.randrange(10 ** 40)])
            text = f"{n:,}" if n >= 1000 and r.random() < 0.2 else str(n)
            return (f"({text})" if "," in text else text), Fraction(n)
        if kind < 5:
            text = f"{r.randrange(10000)}.{r.randrange(10 ** r.randrange(1, 9)):03}"
            return text, Fraction(text)
        if kind == 5:
            text = f"{r.randrange(1, 99)}e{r.randrange(-30, 30)}"
            return text, Fraction(text)
        return f"{r.randrange(1, 500)}%", None

    def leaf(self):
        text, value = self.number()
        return (text, value) if value is not None else (f"({text})", Fraction(int(text[:-1]), 100))

    def make(self, depth):
        if depth == 0 or self.rng.random() < 0.1:
            return self.leaf()
        return self.rng.choice([self.binary] * 6 + [self.unary, self.function, self.function, self.to_power])(depth)

    def unary(self, depth):
        text, value = self.make(depth - 1)
        return f"-({text})", -value

    def binary(self, depth):
        left_text, left = self.make(depth - 1)
        right_text, right = self.make(depth - 1)
        operator = self.rng.choice("+-*/%×÷−")
        text = f"({left_text}) {operator} ({right_text})"
        if isinstance(left, Decimal) or isinstance(right, Decimal):
            if operator == "%":
                raise Refused
            left, right = to_decimal(left), to_decimal(right)
        if operator in "/÷%" and right == 0:
            raise Refused
        result = {"+": lambda: left + right, "-": lambda: left - right, "−": lambda: left - right,
                  "*": lambda: left * right, "×": lambda: left * right, "/": lambda: left / right,
                  "÷": lambda: left / right, "%": lambda: left - right * math.floor(left / right)}[operator]()
        if isinstance(result, Decimal) and operator in "+-−" and abs(result) < max(abs(left), abs(right)) * Decimal("1e-20"):
            raise Refused  # what is left of a difference is rounding, here as there
        return text, fits(result)

    def to_power(self, depth):
        text, base = self.make(depth - 1)
        n = self.rng.choice([self.rng.randrange(-6, 7), self.rng.randrange(-300, 300)])
        return f"({text})^{n}" if n >= 0 or self.rng.random() < 0.5 else f"({text})^({n})", fits(power(base, Fraction(n)))

    def function(self, depth):
        text, value = self.make(depth - 1)
        rational = isinstance(value, Fraction)
        name = self.rng.choice(["sqrt", "abs", "floor", "ceil", "round", "round2", "max", "gcd", "ln", "exp", "fact", "log10"])
        if name == "sqrt":
            return f"sqrt({text})", fits(root(value, 2))
        if name == "abs":
            return f"abs({text})", abs(value)
        if name in ("floor", "ceil") and rational:
            return f"{name}({text})", Fraction(math.floor(value) if name == "floor" else math.ceil(value))
        if name == "round" and rational:
            return f"round({text})", half_away(value)
        if name == "round2" and rational:
            return f"round({text}, 2)", fits(half_away(value, 2))
        if name == "max":
            other_text, other = self.make(depth - 1)
            return f"max({text}, {other_text})", value if to_decimal(value) >= to_decimal(other) else other
        if name == "gcd":
            a, b = self.rng.randrange(10 ** 20), self.rng.randrange(1, 10 ** 15)
            return f"gcd({a}, {b}) + lcm({a}, {b})", Fraction(math.gcd(a, b) + math.lcm(a, b))
        if name == "ln" and value > 0 and value != 1:
            return f"ln({text})", fits(to_decimal(value).ln())
        if name == "exp" and value != 0 and abs(value) < 20_000:
            return f"exp({text})", fits(to_decimal(value).exp())
        if name == "fact":
            n = self.rng.randrange(400)
            return f"{n}!", Fraction(math.factorial(n))
        if name == "log10" and rational and value > 0:
            size = to_decimal(value).log10()
            near = round(size)
            return f"log({text})", Fraction(near) if Fraction(10) ** near == value else size
        return text, value


def shown_rounded(text, value):
    """True when `text` is `value` rounded to at most SHOWN significant digits, up to one unit of the last place that a
    60-digit computation may get wrong when the true value lies on the boundary."""
    given, exact = Decimal(text), to_decimal(value)
    if exact == 0:
        return given == 0
    unit = Decimal(1).scaleb(exact.adjusted() - SHOWN + 1)
    return abs(given - exact) <= unit * Decimal("0.5000000001")


def agrees(text, value):
    exact_text, _, about = text.partition("≈")
    if about:
        if exact_text.strip() and Fraction(exact_text.strip()) != value:
            return False
        if isinstance(value, Fraction) and not exact_text.strip() and len(f"{value}") < 100:
            return False  # could have been written exactly
        return shown_rounded(about.strip(), value)
    return isinstance(value, Fraction) and Fraction(text) == value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("notso")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    generator = Generator(random.Random(args.seed))
    cases, n_refused = [], 0
    while len(cases) < args.count:
        try:
            text, value = generator.make(generator.rng.randrange(1, 6))
        except Refused:
            n_refused += 1
            continue
        cases.append((text, value))
    lines = "".join(json.dumps({"expression": text}) + "\n" for text, _ in cases)
    done = subprocess.run([args.notso, "tool", "calculator"], input=lines.encode(), capture_output=True, check=True)
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert len(answers) == len(cases), (len(answers), len(cases))
    bad = 0
    for (text, value), answer in zip(cases, answers):
        if answer["is_error"] or not agrees(answer["text"], value):
            bad += 1
            if bad <= 10:
                print(f"differs: {text[:300]}\n  notso: {answer['text'][:200]}\n  python: {str(value)[:200]}")
    n_exact = sum(isinstance(value, Fraction) for _, value in cases)
    assert re.search(r"≈", done.stdout.decode()), "no rounded value at all"
    print(f"{len(cases)} expressions ({n_exact} exact), {bad} different; {n_refused} more have no value")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
