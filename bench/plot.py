"""Draws measurements beside the machine's limits: plot.py FILE.json FOLDER

FILE.json: what `notso bench --json`, bench/peers.sh --json or bench/publish.sh wrote. Per model two pictures go to
FOLDER: NAME-MODEL-prompts.svg (tokens per second over the length of the prompt, under the roof) and
NAME-MODEL-shares.svg (shares of the limits). NAME is that of FILE.json.
"""
import datetime
import json
import math
import re
import sys
from pathlib import Path

import figures
from svg import FAINT, GRID, INK, Picture

COLORS = {"notso, fast": "#d9480f", "notso, exact": "#0b62c4", "llama.cpp": "#2b8a3e", "candle": "#9c36b5"}
LEFT, RIGHT, TOP, BOTTOM = 64, 624, 92, 404  # the plane of the first picture
WIDTH, HEIGHT = 780, 456
LABEL_STEP = 17


def normalised(report, date):
    """The form of bench/peers.sh, also from what `notso bench` prints."""
    if isinstance(report["rates"], dict):
        return report
    return {**figures.merge([report]), "date": date, "cpu": report["cpu"], "threads": report["threads"], "peers": []}


def series(report):
    """Name, and rates by name such as "pp8" and "tg64"."""
    ours = {"notso, fast": {}, "notso, exact": {}}
    for name, rate in report["rates"].items():
        kind, _, precision = name.partition(" ")
        if precision.startswith("x"):
            continue  # several sequences together
        ours[f"notso, {precision or 'exact'}"][kind] = rate["median"]
    return {**ours, **{peer["name"]: {name: best["median"] for name, best in peer["best"].items()} for peer in report["peers"]}}


def prompts(rates):
    """(length, rate), shortest first."""
    return sorted((int(name[2:]), rate) for name, rate in rates.items() if name.startswith("pp"))


def heading(picture, title, report):
    picture.text((24, 34), title, size=17, bold=True)
    facts = [report["cpu"], f"{report['threads']} threads", f"{report['kernels']} kernels", report["date"]]
    if report.get("commit"):
        facts.append(f"commit {report['commit']}")
    picture.text((24, 56), " · ".join(facts), FAINT, 12)


class Plane:
    """Log-log: prompt lengths across, tokens per second up."""

    def __init__(self, lengths, rates):
        self.x0, self.x1 = math.log2(min(lengths)) - 0.25, math.log2(max(lengths)) + 0.25
        self.y0, self.y1 = math.log10(min(rates)) - 0.1, math.log10(max(rates)) + 0.15

    def at(self, n, rate):
        x = LEFT + (math.log2(n) - self.x0) / (self.x1 - self.x0) * (RIGHT - LEFT)
        return x, BOTTOM - (math.log10(rate) - self.y0) / (self.y1 - self.y0) * (BOTTOM - TOP)

    def rate_ticks(self):
        for power in range(math.floor(self.y0), math.ceil(self.y1) + 1):
            for first in (1, 2, 5):
                rate = first * 10.0**power
                if self.y0 <= math.log10(rate) <= self.y1:
                    yield rate


def draw_grid(picture, plane, lengths):
    for rate in plane.rate_ticks():
        y = plane.at(1, rate)[1]
        picture.line([(LEFT, y), (RIGHT, y)], GRID)
        picture.text((LEFT - 8, y + 4), f"{rate:,.10g}", FAINT, 11, "end")
    for n in lengths:
        x = plane.at(n, 1)[0]
        picture.line([(x, TOP), (x, BOTTOM)], GRID)
        picture.text((x, BOTTOM + 18), f"{n:,}", FAINT, 11, "middle")
    picture.text(((LEFT + RIGHT) / 2, BOTTOM + 38), "tokens in the prompt", FAINT, 12, "middle")
    picture.text((LEFT - 40, TOP - 12), "tokens per second", FAINT, 12)


def roof_of(plane, report):
    """min(reading, multiplying), as a line."""
    reading, roof = figures.reading_limit(report), []
    for step in range(200):
        n = 2 ** (plane.x0 + (plane.x1 - plane.x0) * step / 199)
        many = figures.multiplying_limit(report, max(n, 1)) or math.inf
        roof.append(plane.at(n, min(n * reading, many)))
    return roof


def name_roof(picture, plane, report, longest):
    """Writes along the roof what it is."""
    reading, multiplying = figures.reading_limit(report), figures.multiplying_limit(report, longest)
    first, later = plane.at(1, reading), plane.at(2, 2 * reading)
    angle = math.degrees(math.atan2(later[1] - first[1], later[0] - first[0]))
    picture.text((first[0] + 2, first[1] - 12), "limit: reading the weights", "#495057", 12, angle=angle)
    if multiplying:
        x, y = plane.at(longest, multiplying)
        picture.text((x, y - 8), "limit: multiplying", "#495057", 12, "end")


def draw_labels(picture, ends):
    """Names beside the ends of their lines, apart from each other."""
    y = TOP
    for at, name in sorted(ends):
        y = max(at[0], y)
        picture.line([(at[1] + 5, at[0]), (RIGHT + 8, y)], COLORS.get(name, INK), 0.8, "2 3")
        picture.text((RIGHT + 12, y + 4), name, COLORS.get(name, INK), 13, bold=True)
        y += LABEL_STEP


def prompt_picture(report):
    lines = {name: prompts(rates) for name, rates in series(report).items() if prompts(rates)}
    lengths = sorted({n for points in lines.values() for n, _ in points})
    rates = [rate for points in lines.values() for _, rate in points]
    plane = Plane(lengths, rates + [figures.limit(report, f"pp{n}")[0] for n in lengths])
    picture = Picture(WIDTH, HEIGHT)
    heading(picture, f"Reading prompts · {report['model']}", report)
    roof = roof_of(plane, report)
    picture.area([*roof, (RIGHT, TOP), (LEFT, TOP)], "#f1f3f5")  # can't be reached
    draw_grid(picture, plane, lengths)
    picture.line(roof, "#495057", 2.4)
    name_roof(picture, plane, report, lengths[-1])
    ends = []
    for name, points in reversed(lines.items()):
        path = [plane.at(n, rate) for n, rate in points]
        picture.line(path, COLORS.get(name, INK), 2.4)
        for at in path:
            picture.dot(at, COLORS.get(name, INK))
        ends.append(((path[-1][1], path[-1][0]), name))
    draw_labels(picture, ends)
    return picture.render(f"Tokens per second over the length of the prompt, {report['model']}")


def what(name, limit_name):
    """A row's title."""
    kind, _, depth = name.partition("@")
    title = f"prompt of {int(kind[2:]):,}" if kind.startswith("pp") else "decode"
    return f"{title} at {int(depth):,}" if depth else title, f"of {limit_name}"


def share_rows(report):
    """Title, limit's name, and bars (series, share, rate) of each test."""
    every = series(report)
    names = sorted({name for rates in every.values() for name in rates}, key=lambda n: (n[:2] == "pp", len(n), n))
    for name in names:
        if name in ("pp1", "pp2", "pp4"):
            continue  # few tokens at once are decode
        limit, of = figures.limit(report, name)
        bars = [(who, rates[name] / limit, rates[name]) for who, rates in every.items() if name in rates]
        yield what(name, of), bars


def share_picture(report):
    rows = list(share_rows(report))
    bar, gap, left, right = 15, 16, 170, 585
    height = 120 + sum(max(len(bars), 2) * bar + gap for _, bars in rows)
    picture = Picture(WIDTH, height)
    heading(picture, f"Shares of the machine's limits · {report['model']}", report)
    x_of = lambda share: left + share * (right - left)  # noqa: E731
    for percent in range(0, 101, 20):
        picture.line([(x_of(percent / 100), 84), (x_of(percent / 100), height - 34)], GRID)
        picture.text((x_of(percent / 100), height - 16), f"{percent} %", FAINT, 11, "middle")
    y = 92
    for (title, of), bars in rows:
        below = y + max(len(bars), 2) * bar + gap
        middle = y + len(bars) * bar / 2
        picture.text((left - 12, middle), title, INK, 13, "end", bold=True)
        picture.text((left - 12, middle + 15), of, FAINT, 11, "end")
        for who, share, rate in bars:
            picture.bar((left, y), (min(share, 1.0) * (right - left), bar - 3), COLORS.get(who, INK))
            percent = f"{share * 100:.{0 if share >= 0.01 else 1}f} %"
            label = f"{percent} · {rate:,.{0 if rate >= 100 else 1}f} tok/s · {who}"
            picture.text((x_of(min(share, 1.0)) + 6, y + bar - 5), label, COLORS.get(who, INK), 11)
            y += bar
        y = below
    return picture.render(f"Shares of the machine's limits, {report['model']}")


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def pictures(path, folder):
    """Writes them; yields (report, file names)."""
    data = json.loads(path.read_text(encoding="utf-8"))
    date = datetime.date.fromtimestamp(path.stat().st_mtime).isoformat()
    for report in data.get("models", [data]):
        report = normalised(report, date)
        names = []
        for kind, draw in (("prompts", prompt_picture), ("shares", share_picture)):
            name = f"{path.stem}-{slug(report['model'])}-{kind}.svg"
            (folder / name).write_text(draw(report), encoding="utf-8")
            names.append(name)
        yield report, names


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for _, names in pictures(Path(sys.argv[1]), Path(sys.argv[2])):
        print("\n".join(names))


if __name__ == "__main__":
    main()
