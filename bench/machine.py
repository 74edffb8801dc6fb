"""What the scripts of this folder say about a measurement: CPU, date, commit, threads."""
import datetime
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def cpu_facts():
    """Name and numbers of the first CPU; virtual machines often hide the name, so the numbers count."""
    facts = {}
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if not line.strip():
            break
        facts[key.strip()] = value.strip()
    return facts


def cpu_name():
    facts = cpu_facts()
    return f"{facts.get('model name', 'unknown CPU')} (family {facts.get('cpu family', '?')}, model {facts.get('model', '?')})"


def cpu_slug():
    """The same as a file name: amd-epyc-26-2."""
    facts = cpu_facts()
    text = "-".join(facts.get(key, "") for key in ("model name", "cpu family", "model"))
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\((r|tm)\)|@.*?-|cpu|processor", " ", text.lower())).strip("-")


def commit():
    done = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


def facts():
    return {"date": datetime.date.today().isoformat(), "cpu": cpu_name(), "commit": commit(),
            "threads": len(os.sched_getaffinity(0))}
