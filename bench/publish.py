"""Writes docs/benchmarks/CPU.json, CPU.md and pictures, and the list in docs/benchmarks.md; run by bench/publish.sh.

usage: publish.py ACCEPT.json PEERS.json… | publish.py --redraw (from the JSON files that are there)
"""
import json
import re
import sys
from pathlib import Path

import machine
import peers
import plot

DOCS = machine.ROOT / "docs"
FOLDER = DOCS / "benchmarks"
MARKS = ("<!-- machines: bench/publish.sh writes this -->", "<!-- end of machines -->")


def slim(value):
    """Without each round's raw report, and with digits that mean something."""
    if isinstance(value, dict):
        return {key: slim(item) for key, item in value.items() if key != "reports"}
    if isinstance(value, list):
        return [slim(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value


def join(accept, reports):
    """One object per CPU. A model's entry is the comparison with its peers, and the lengths that only accept.sh measures."""
    for report in reports:
        more = accept["rates"].get(report["model"], {}).get("default")
        if not more:
            continue
        report["rates"] = {**more["rates"], **report["rates"]}
        report["limits"] = {key: max(value, more["limits"][key]) for key, value in report["limits"].items()}
    facts = {key: accept[key] for key in ("date", "cpu", "commit", "threads")}
    return slim({**facts, "models": reports, "accept": {"rows": accept["rows"]}})


def write_json(path, data):
    text = json.dumps(data, indent=1, ensure_ascii=False)
    path.write_text(re.sub(r"\[\s+([-\d.,\s]+?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m.group(1)) + "]", text) + "\n", encoding="utf-8")


def accept_tables(rows):
    lines = []
    for row in rows:
        if "section" in row:
            lines += ["", f"**{row['section']}**", "", "| what | figure | aim |", "|---|---|---|"]
        else:
            lines.append(f"| {row['what']} | {row['figure']} | {row['aim']} |")
    return lines


def write_page(path, data, drawn):
    lines = [f"# {data['cpu']}", "", f"Measured by `bench/publish.sh` on {data['date']}, {data['threads']} threads, commit {data['commit']}. "
             "What is measured and how: [benchmarks.md](../benchmarks.md)."]
    for report, names in drawn:
        lines += ["", f"## {report['model']}", ""] + [f"![{report['model']}]({name})" for name in names]
        rounds = "of one round" if report["rounds"] == 1 else f"medians of {report['rounds']} rounds"
        lines += ["", f"Tokens per second, {rounds}:", "", *peers.table(report), ""]
        lines += [f"- {line}" for line in peers.headline(report)]
    lines += ["", "## Beside what was aimed at", *accept_tables(data["accept"]["rows"])]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_list():
    """Every CPU's pictures into docs/benchmarks.md, newest first."""
    lines = []
    every = [(json.loads(path.read_text(encoding="utf-8")), path) for path in sorted(FOLDER.glob("*.json"))]
    for data, path in sorted(every, key=lambda pair: pair[0]["date"], reverse=True):
        lines += [f"### {data['cpu']}, {data['threads']} threads · {data['date']} · commit {data['commit']}", ""]
        lines += [f"All figures: [{path.stem}.md](benchmarks/{path.stem}.md), [JSON](benchmarks/{path.name}).", ""]
        for report in data["models"]:
            stem = f"benchmarks/{path.stem}-{plot.slug(report['model'])}"
            lines += [f"![Prompts, {report['model']}]({stem}-prompts.svg)", f"![Shares, {report['model']}]({stem}-shares.svg)", ""]
    page = DOCS / "benchmarks.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    page.write_text(f"{before}{MARKS[0]}\n\n" + "\n".join(lines) + f"{MARKS[1]}{after}", encoding="utf-8")


def main():
    FOLDER.mkdir(exist_ok=True)
    if sys.argv[1:] == ["--redraw"]:
        paths = sorted(FOLDER.glob("*.json"))
    elif len(sys.argv) > 2:
        accept, *reports = (json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:])
        paths = [FOLDER / f"{machine.cpu_slug()}.json"]
        write_json(paths[0], join(accept, reports))
    else:
        sys.exit(__doc__)
    for path in paths:
        drawn = list(plot.pictures(path, FOLDER))
        write_page(path.with_suffix(".md"), json.loads(path.read_text(encoding="utf-8")), drawn)
        print(f"wrote {path.relative_to(machine.ROOT)} and what is drawn from it")
    write_list()


if __name__ == "__main__":
    main()
