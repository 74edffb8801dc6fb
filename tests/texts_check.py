#!/usr/bin/env python3
"""Every text of the page has a translation: compares what web/ says with web/assets/texts/*.json.

Texts are found where code marks them: _("…") in templates, text("…"), fill("…", …), text_for(request, "…") and
format_counted(language, n, "…") in C++, say("…") in JavaScript. Tells what is missing and what nobody says any more.
Details of errors are found by the literal that they are made of, anywhere in the program; not all are translated.
With --missing it prints only the missing ones, as JSON.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
LITERALS = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s*"((?:[^"\\]|\\.)*)")*')
# Said by names that code looks up, not by literals beside the look-up.
TABLES = {"web/pages/page_view.cpp": r"kIdeas = \{(.*?)\};", "services/models/catalogue.cpp": r"kCatalogue = .*?\(\{(.*?)\n\}\);",
          "web/pages/help_view.cpp": r"kShortcuts\[\] = \{(.*?)\n\};",
          "services/commands/slash_commands.cpp": r"kEntries\[\] = \{(.*?)\n\};",
          "services/settings/setting_fields.cpp": r"kNumbers\[\] = \{(.*?)\n\};"}


def arguments(source, begin):
    """The arguments of a call whose opening parenthesis is at `begin`."""
    parts, depth, start, i = [], 0, begin + 1, begin
    while i < len(source):
        c = source[i]
        if c == '"':
            i = re.compile(r'"(?:[^"\\]|\\.)*"').match(source, i).end() - 1
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0:
                return parts + [source[start:i]]
        elif c == "," and depth == 1:
            parts.append(source[start:i])
            start = i + 1
        i += 1
    raise ValueError("a call does not end")


def literals(code):
    """String literals of an expression; neighbours are joined, as the compiler does."""
    found = []
    for match in LITERALS.finditer(code):
        found.append("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match.group(0))))
    return [text.replace('\\"', '"').replace("\\\\", "\\") for text in found]


def texts_of_code(source):
    said = set()
    for call, place in (("text", 0), ("fill", 0), ("text_for", 1)):
        for match in re.finditer(rf"\b{call}\(", source):
            given = arguments(source, match.end() - 1)
            if len(given) > place:
                said.update(literals(given[place]))
    for match in re.finditer(r"\bformat_counted\(", source):
        given = arguments(source, match.end() - 1)
        for noun in literals(given[-1]) if len(given) == 3 else []:
            said.update((noun, noun + "s"))
    return said


def texts_of_tables():
    said = set()
    for path, pattern in TABLES.items():
        table = re.search(pattern, (ROOT / path).read_text(encoding="utf-8"), re.S)
        if not table:
            sys.exit(f"texts_check: {path} has no table any more: mend TABLES")
        said.update(text for text in literals(table.group(1)) if " " in text or text == "Temperature")
    return said


def said_texts():
    page, script = texts_of_tables(), set()
    for path in sorted(WEB.rglob("*")):
        if path.suffix in (".cpp", ".hpp") and not path.stem.endswith("_test") and path.parent.name != "language":
            page |= texts_of_code(path.read_text(encoding="utf-8"))
        elif path.suffix == ".html":
            page.update(re.findall(r'_\("(.*?)"\)', path.read_text(encoding="utf-8")))
        elif path.suffix == ".js" and "node_modules" not in path.parts:
            script.update(re.findall(r'\bsay\("((?:[^"\\]|\\.)*)"\)', path.read_text(encoding="utf-8")))
    return {"page": page, "script": script}


def made_details():
    """Every string that code has: details of errors among them."""
    made = set()
    for layer in ("app", "ml", "services", "web"):
        for path in sorted((ROOT / layer).rglob("*.cpp")):
            if not path.stem.endswith("_test"):
                made.update(literals(path.read_text(encoding="utf-8")))
    return made


def wrong_details(details, made):
    for english, text in details.items():
        if english not in made:
            yield f"nobody makes the detail {english!r}"
        if len(re.findall(r"\{.*?\}", english)) != len(re.findall(r"\{\*?\}", text)):
            yield f"the detail {english!r} takes other values"


def main():
    said, failed = said_texts(), False
    made = made_details()
    for path in sorted((WEB / "assets/texts").glob("*.json")):
        catalogue = json.loads(path.read_text(encoding="utf-8"))
        missing = {part: sorted(texts - set(catalogue[part])) for part, texts in said.items()}
        if "--missing" in sys.argv:
            print(json.dumps(missing, ensure_ascii=False, indent=1))
            continue
        for part, texts in said.items():
            for text in missing[part]:
                print(f"{path.name}: no translation of {part} text {text!r}")
            for text in sorted(set(catalogue[part]) - texts):
                print(f"{path.name}: nobody says {part} text {text!r}")
            failed = failed or missing[part] or set(catalogue[part]) - texts
        for wrong in wrong_details(catalogue.get("details", {}), made):
            print(f"{path.name}: {wrong}")
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
