#!/usr/bin/env python3
"""Compares the page's Markdown parser (md4c, CommonMark flags, a plain emitter) with cmark on the specification's examples.

usage: check.py EMITTER
The examples are those of CommonMark 0.30, which Debian's cmark 0.30.2 follows. Both outputs are compared as streams of
tags and text: white space beside block tags and ways to write a character don't count. Exit 77 without cmark or examples.
"""
import html.parser
import pathlib
import re
import subprocess
import sys
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = 652
CMARK = "0.30.2"
# The parser's version in Debian 12 (0.4.8) ends a raw <textarea> at a blank line. The page has raw HTML off altogether.
KNOWN = {171}
BLOCKS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "hr", "br", "div", "table", "tr", "td"}
KEPT_IN_ADDRESSES = "-_.+!*'(),%#@?=;:/&$~"


class Events(html.parser.HTMLParser):
    """HTML as a list of ("open", name, attributes), ("close", name), ("text", …) and what else there is."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.events = []
        self.preformatted = 0
        self.feed(text)
        self.close()
        self.end_text()

    def end_text(self, strip_right=False):
        if self.events and self.events[-1][0] == "text":
            text = self.events.pop()[1]
            if not self.preformatted:
                text = re.sub(r"[ \n]+", " ", text)
                after_block = not self.events or self.events[-1][-1] == "block"
                text = text.lstrip() if after_block else text
                text = text.rstrip() if strip_right else text
            if text:
                self.events.append(("text", text))

    def handle_data(self, data):
        if self.events and self.events[-1][0] == "text":
            data = self.events.pop()[1] + data
        self.events.append(("text", data))

    def handle_starttag(self, tag, attrs):
        kind = "block" if tag in BLOCKS else "inline"
        self.end_text(strip_right=kind == "block")
        self.preformatted += tag == "pre"
        attrs = [(name, urllib.parse.quote(value or "", safe=KEPT_IN_ADDRESSES) if name in ("href", "src") else value)
                 for name, value in attrs]
        self.events.append(("open", tag, tuple(sorted(attrs, key=str)), kind))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        kind = "block" if tag in BLOCKS else "inline"
        self.end_text(strip_right=kind == "block")
        self.preformatted -= tag == "pre"
        self.events.append(("close", tag, kind))

    def handle_comment(self, data):
        self.end_text()
        self.events.append(("comment", data))

    def handle_decl(self, decl):
        self.end_text()
        self.events.append(("declaration", decl))

    def handle_pi(self, data):
        self.end_text()
        self.events.append(("instruction", data))

    def unknown_decl(self, data):
        self.end_text()
        self.events.append(("unknown", data))


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def examples():
    found = subprocess.run([HERE / "../../tools/npm_modules.sh", HERE], stdout=subprocess.PIPE, text=True)
    if found.returncode != 0:
        skip("the specification is not here and could not be fetched")
    text = (pathlib.Path(found.stdout.strip()) / "commonmark-spec/spec.txt").read_text(encoding="utf-8")
    pattern = re.compile(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$", re.MULTILINE | re.DOTALL)
    return [(source.replace("→", "\t"), wanted.replace("→", "\t")) for source, wanted in pattern.findall(text)]


def by_cmark(text):
    return subprocess.run(["cmark", "--unsafe"], input=text, stdout=subprocess.PIPE, text=True, check=True).stdout


def main():
    try:
        version = subprocess.run(["cmark", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    except FileNotFoundError:
        skip("cmark is not installed")
    assert CMARK in version, f"cmark {CMARK} is wanted, this is {version.splitlines()[0]}"
    tests = examples()
    assert len(tests) == EXAMPLES, f"{len(tests)} examples instead of {EXAMPLES}"
    sources = "".join(source + "\0" for source, _ in tests)
    out = subprocess.run([sys.argv[1]], input=sources, stdout=subprocess.PIPE, text=True, check=True).stdout
    ours = out.split("\0")[:-1]
    assert len(ours) == EXAMPLES
    differ = []
    for number, ((source, wanted), got) in enumerate(zip(tests, ours), 1):
        theirs = by_cmark(source)
        assert Events(theirs).events == Events(wanted).events, f"cmark itself differs on example {number}"
        if Events(got).events == Events(theirs).events:
            continue
        differ.append(number)
        print(f"example {number}\n  text  {source!r}\n  cmark {theirs!r}\n  md4c  {got!r}")
    print(f"{EXAMPLES - len(differ)} of {EXAMPLES} examples are equal to cmark {CMARK}; known to differ: {sorted(KNOWN)}")
    return 0 if set(differ) == KNOWN else 1


if __name__ == "__main__":
    sys.exit(main())
