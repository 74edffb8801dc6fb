#!/usr/bin/env python3
"""Checks the list that ties what the chat page promises to the browser tests that prove it: rows_check.py [LIST [TABLE]].

Every test of the list must be in its file, and every row needs one. Where the table of promises lies beside the project
(../shared/product.md), each of its rows must be in the list. Exit 1 names what is missing.
"""
import json
import re
import sys
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
SMALL = "small things people expect"  # a row of many things, each of which needs a test


@cache
def tests_in(name):
    """Names as they are written there: `${…}` of a template stays."""
    path = HERE / name
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return {found[1] for found in re.findall(r'\btest\((["`])(.*?)\1,', text)}


def missing_tests(rows):
    for row, promises in rows.items():
        if not promises:
            yield f"{row}: no test"
        for what, tests in promises.items():
            if not tests:
                yield f"{row}, {what}: no test"
            for name, test in tests:
                if test not in tests_in(name):
                    yield f'{row}, {what}: {name} has no test "{test}"'


def table_rows(text):
    """Both columns of the table of the chat page's parts."""
    lines = text.split("\n")
    head = next((i for i, line in enumerate(lines) if re.match(r"\|\s*part\s*\|\s*behaviour\s*\|", line)), len(lines))
    for line in lines[head + 2:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.split("|")[1:3]]


def missing_rows(rows, table):
    parts = dict(table_rows(table))
    if not parts:
        yield "the table of the chat page's parts was not found"
    for part, behaviour in parts.items():
        if part not in rows:
            yield f"{part}: not in the list"
        elif part == SMALL:
            things = re.split(r"[;,]", re.sub(r"\([^)]*\)", "", behaviour))
            for thing in filter(None, (re.sub('[“”"]', "", each).strip() for each in things)):
                if thing not in rows[part]:
                    yield f'{part}: "{thing}" is not in the list'


def main():
    paths = [Path(argument) for argument in sys.argv[1:]]
    rows = json.loads((paths[0] if paths else HERE / "rows.json").read_text(encoding="utf-8"))
    table = paths[1] if len(paths) > 1 else HERE.parents[2] / "shared/product.md"
    missing = list(missing_tests(rows))
    if table.is_file():
        missing += missing_rows(rows, table.read_text(encoding="utf-8"))
    print("\n".join(missing) or f"{len(rows)} rows, each with its tests")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
