#!/usr/bin/env python3
"""Style rules that a script can check on the tracked files: tests/style_check.py [ROOT]. Exit 1 lists every breach.

Files up to 400 lines (generated tables excepted), functions up to 60, includes by full path, no tabs in sources, no
leftovers, no paths of some developer's machine, planted faults that still fit the code. Function bounds are read off the layout that clang-format enforces.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
SOURCE = {".cpp", ".hpp", ".c", ".h", ".py", ".sh", ".js", ".mjs", ".css", ".html", ".cmake"}
CPP = {".cpp", ".hpp"}
NOT_A_FUNCTION = re.compile(r"^\s*(namespace|struct|class|enum|union|extern|template|using|static const|constexpr|const|if|for|while|switch|do|else|try|case|default|public|private|return)\b")
# Written in pieces, so that this file does not find itself.
LEFTOVERS = [("TO" + "DO", "a leftover"), ("FIX" + "ME", "a leftover"), ("/wo" + "rk/", "a path of one machine"),
             ("/ro" + "ot/", "a path of one machine")]


def tracked_files(root):
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=True).stdout
    return [root / name for name in listed.decode().split("\0") if name and (root / name).is_file()]


def long_functions(lines):
    """(first line, length) of functions over the limit: top-level ones and members of top-level classes."""
    start, indent, in_class = None, "", False
    for number, line in enumerate(lines, 1):
        if re.match(r"(class|struct)\b.*\{$", line):
            in_class = True
        elif line.startswith("}") and start is None:
            in_class = False
        depth = "    " if in_class else ""
        first = line[len(depth):len(depth) + 1]
        opens = line.startswith(depth) and line.endswith("{") and first not in ("", " ", "}", "/", "#", ":")
        if start is None and opens and not NOT_A_FUNCTION.match(line):
            start, indent = number, depth
        elif start is not None and re.fullmatch(indent + r"\}(;|\s*//.*)?", line):
            if number - start + 1 > MAX_FUNCTION_LINES:
                yield start, number - start + 1
            start = None


def breaches(path, root):
    name = path.relative_to(root)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    lines = text.splitlines()
    generated = "generated" in name.parts  # tables live in folders of their own
    if path.suffix in SOURCE and len(lines) > MAX_FILE_LINES and not generated:
        yield f"{name}: {len(lines)} lines, more than {MAX_FILE_LINES}"
    for word, what in LEFTOVERS:
        for number, line in enumerate(lines, 1):
            if word in line and path.suffix != ".json" and name.parts[:2] != ("tests", "fresh"):
                yield f"{name}:{number}: {what}: {word}"
    if path.suffix not in CPP:
        return
    for number, line in enumerate(lines, 1):
        if re.match(r'\s*#\s*include\s*".*\.\./', line):
            yield f"{name}:{number}: include by full path, without '../'"
        if "\t" in line:
            yield f"{name}:{number}: a tab"
    for number, length in long_functions(lines):
        yield f"{name}:{number}: a function of {length} lines, more than {MAX_FUNCTION_LINES}"


def misfitting_faults(root):
    """Planted faults replace a text that must occur once: a fault that no longer fits tests nothing."""
    for fault in json.loads((root / "tests/faults/faults.json").read_text(encoding="utf-8")):
        path = root / fault["file"]
        count = path.read_text(encoding="utf-8").count(fault["replace"]) if path.is_file() else 0
        if count != 1:
            yield f"tests/faults/faults.json: {fault['name']}: its text occurs {count} times in {fault['file']}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    files = tracked_files(root)
    found = [breach for path in files for breach in breaches(path, root)]
    found += misfitting_faults(root)
    print("\n".join(found) or f"{len(files)} files keep the rules")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
