"""The scripts of bench/ that need no quiet machine: limits, pictures, and what is put together from reports."""
import json
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from notso_process import ROOT

sys.path.insert(0, str(ROOT / "bench"))
import figures  # noqa: E402
import machine  # noqa: E402
import peers  # noqa: E402
import publish  # noqa: E402


def report(read=100.0, **rates):
    named = [{"name": name.replace("_", " "), "tokens_per_second": rate, "share_of_limit": 0.5} for name, rate in rates.items()]
    return {"model": "Tiny <1>", "cpu": "Chip & Co", "kernels": "avx2", "threads": 2, "read_bytes_per_second": read,
            "multiply_adds_per_second": 1000.0, "rates": named,
            "work": {"bytes_per_token": 10, "kv_bytes_per_token": 2, "prompt_macs": 20, "head_macs": 40}}


def test_rounds_are_put_together_by_medians_and_the_best_limit():
    merged = figures.merge([report(read=80.0, pp4_fast=3.0), report(read=100.0, pp4_fast=9.0), report(read=90.0, pp4_fast=4.0)])
    assert merged["rates"]["pp4 fast"] == {"median": 4.0, "runs": [3.0, 9.0, 4.0]}
    assert merged["limits"]["read_bytes_per_second"] == 100.0
    assert figures.limit(merged, "pp1 exact") == (10.0, "reading")
    assert figures.limit(merged, "pp4 fast") == (pytest.approx(1000 / 30), "multiplying")
    assert figures.limit(merged, "tg4") == (10.0, "reading")
    assert figures.limit(merged, "tg4@18") == (pytest.approx(100 / (10 + 2 * 20)), "reading")
    assert figures.share(merged, "pp4 fast") == pytest.approx(4 / (1000 / 30))
    shares = figures.merge([report(read=80.0, tg4=2.0), report(tg4=9.0)])
    assert figures.share(shares, "tg4") == 0.5, "what each report says of itself, not the best limit of all"


def test_pictures_name_what_they_show(tmp_path):
    (tmp_path / "chip.json").write_text(json.dumps(report(pp1_exact=5, pp1_fast=6, pp8_exact=20, pp8_fast=30, tg4=7)))
    subprocess.run([sys.executable, ROOT / "bench/plot.py", tmp_path / "chip.json", tmp_path], check=True)
    for kind, parts in (("prompts", ("limit: reading the weights", "limit: multiplying", "notso, fast", "Tiny <1>")),
                        ("shares", ("decode", "prompt of 8", "50 % · 7.0 tok/s · notso, exact"))):
        picture = (tmp_path / f"chip-tiny-1-{kind}.svg").read_text()
        text = " ".join(element.text or "" for element in xml.etree.ElementTree.fromstring(picture).iter())
        for part in (*parts, "Chip & Co"):
            assert part in text, (kind, part)


def test_the_table_of_peers_says_of_decoding_what_reading_gave_beside_it():
    rates = {f"{name} {kind}": 3 for name in peers.NAMES if name.startswith("pp") for kind in ("exact", "fast")}
    rows = peers.table({**figures.merge([report(**rates, tg64=7.0)]), "peers": []})
    assert "| 50 % of reading |" in rows[-1] and rows[-1].startswith("| tg64 | 7.0 |")
    assert "| 30 % of reading |" in next(row for row in rows if row.startswith("| pp1 |"))


def test_published_data_keeps_the_runs_and_the_lengths_of_both(tmp_path):
    compared = {**figures.merge([report(pp8_fast=30.0)]), "peers": []}
    longer = figures.merge([report(read=200.0, pp8_fast=1.0, pp4096_fast=25.12345)])
    accept = {**machine.facts(), "rows": [], "rates": {compared["model"]: {"default": longer}}}
    data = publish.join(accept, [compared])
    publish.write_json(tmp_path / "x.json", data)
    entry = json.loads((tmp_path / "x.json").read_text())["models"][0]
    assert entry["rates"]["pp8 fast"]["runs"] == [30.0] and entry["rates"]["pp4096 fast"]["median"] == 25.123
    assert entry["limits"]["read_bytes_per_second"] == 200.0 and "reports" not in entry
