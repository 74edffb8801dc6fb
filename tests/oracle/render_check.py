#!/usr/bin/env python3
"""Compares `notso render --request` with what Hugging Face renders (templates/cases.json of the shared folder), byte
by byte, for every template there.

usage: render_check.py NOTSO [NAME…]     NAME: part of a template's name; default: all
Exit code 1 when a case of the SmolLM templates differs (others are counted and shown), 77 when the data is not there.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("NOTSO_SHARED", ROOT.parent / "shared")) / "templates"
MUST = ("SmolLM",)


def render(notso, template, request, folder):
    path = Path(folder) / "request.json"
    path.write_text(json.dumps(request, ensure_ascii=False), encoding="utf-8")
    return subprocess.run([notso, "render", "--template", str(template), "--request", str(path), "--now",
                           "2025-07-08T12:00:00"], capture_output=True, check=False)


def main():
    notso, names = sys.argv[1], sys.argv[2:]
    if not (SHARED / "cases.json").exists():
        print("skipped: the shared templates are not there (NOTSO_SHARED)")
        return 77
    good, bad = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for case in json.loads((SHARED / "cases.json").read_text(encoding="utf-8")):
            template = case["template"]
            if names and not any(name in template for name in names):
                continue
            done = render(notso, SHARED / template, case["request"], folder)
            if "expected" in case:
                equal = done.returncode == 0 and done.stdout == case["expected"].encode()
            else:
                equal = done.returncode == 1 and done.stdout == b"" and done.stderr.count(b"\n") == 1
            (good if equal else bad)[template] += 1
            if not equal:
                print(f"{template} / {case['case']}: differs: {done.stderr.decode()[:200]}")
    for template in sorted(good | bad):
        print(f"{template}: {good[template]} equal, {bad[template]} different")
    return 1 if not good or any(count and any(m in name for m in MUST) for name, count in bad.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
