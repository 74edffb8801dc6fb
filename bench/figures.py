"""Reports of `notso bench --json` put together, and the limits that follow from them."""
import json
import statistics
import subprocess


def at_least_one(text):
    """For argparse."""
    if int(text) < 1:
        raise ValueError
    return int(text)


def bench(program, model, *options, env=None):
    """One report."""
    command = [str(program), "bench", "-m", str(model), *map(str, options), "-r", "1", "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=env).stdout)


def merge(reports):
    """Medians of the rates, beside the best limits of all reports: the machine can do what it did once. Decoding has its
    share of what reading gave right beside it, too."""
    runs, shares = {}, {}
    for report in reports:
        for rate in report["rates"]:
            runs.setdefault(rate["name"], []).append(rate["tokens_per_second"])
            if rate["name"].startswith("tg"):
                shares.setdefault(rate["name"], []).append(rate["share_of_limit"])
    first = reports[0]
    return {"kernels": first["kernels"], "model": first["model"], "work": first["work"], "rounds": len(reports),
            "limits": {key: max(report[key] for report in reports) for key in ("read_bytes_per_second", "multiply_adds_per_second")},
            "join_seconds": statistics.median(report.get("join_seconds", 0) for report in reports),
            "rates": {name: {"median": statistics.median(values), "runs": values,
                             **({"share": statistics.median(shares[name])} if name in shares else {})} for name, values in runs.items()},
            "reports": reports}


def reading_limit(merged, n=1):
    """Tokens per second of n tokens at once when each weight is read once."""
    return n * merged["limits"]["read_bytes_per_second"] / merged["work"]["bytes_per_token"]


def multiplying_limit(merged, n):
    """Tokens per second of a prompt of n tokens by its matrices' multiplications alone; None where they were not measured."""
    work, rate = merged["work"], merged["limits"]["multiply_adds_per_second"]
    return rate / (work["prompt_macs"] + work["head_macs"] / n) if rate > 0 else None


def limit(merged, name):
    """The nearer limit of a rate such as "pp512 fast", "tg64" or "tg64@8192", and the one it is: where its share is known, the
    limit that was measured beside it."""
    rate = merged["rates"].get(name, {})
    if rate.get("share"):
        return rate["median"] / rate["share"], "reading"
    kind, at, depth = name.split()[0].partition("@")
    n = int(kind[2:])
    if kind.startswith("tg"):
        work = merged["work"]
        more = work["kv_bytes_per_token"] * (int(depth) + n / 2) if at else 0
        return merged["limits"]["read_bytes_per_second"] / (work["bytes_per_token"] + more), "reading"
    limits = [(reading_limit(merged, n), "reading"), (multiplying_limit(merged, n), "multiplying")]
    return min((pair for pair in limits if pair[0] is not None), key=lambda pair: pair[0])


def share(merged, name):
    """Of its limit, by the median."""
    return merged["rates"][name]["median"] / limit(merged, name)[0]
