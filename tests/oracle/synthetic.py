"""Models with random weights from tools/synth_gguf.py of the shared folder, the numpy oracle's logits for them, and
what `notso logits` says: what synthetic_check.py and positions_check.py have in common."""
import json
import os
import subprocess
import sys
from pathlib import Path
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("NOTSO_SHARED", ROOT.parent / "shared")) / "tools"


def byte_vocabulary():
    """A tokenizer.json with the 256 byte tokens and no merges: only the weights matter here."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}
    return json.dumps({"model": {"vocab": {letters[byte]: byte for byte in range(256)}, "merges": []}})


def skip_without_tools():
    if not (SHARED / "synth_gguf.py").exists():
        print("skipped: the shared tools are not there (NOTSO_SHARED)")
        sys.exit(77)
    sys.path.insert(0, str(SHARED))


def make_model(folder, name, options):
    """Writes FOLDER/NAME.gguf. `options` is a string of synth_gguf.py's options."""
    tokenizer, model = Path(folder) / "tokenizer.json", Path(folder) / f"{name}.gguf"
    tokenizer.write_text(byte_vocabulary(), encoding="utf-8")
    subprocess.run([sys.executable, SHARED / "synth_gguf.py", str(model), str(tokenizer), *options.split()], check=True,
                   stdout=subprocess.DEVNULL)
    return model


def random_tokens(model, count, seed=1):
    import reference
    n_vocab = int(reference.Weights(str(model)).tensors["token_embd.weight"].shape[1])
    return np.random.default_rng(seed).integers(0, n_vocab, count).tolist()


def oracle_logits(model, tokens, last=None):
    """[rows, n_vocab] by reference.py in float32; each weight is decoded once."""
    import reference
    weights = reference.Weights(str(model))
    cache, load = {}, weights.get
    weights.get = lambda name: cache[name] if name in cache else cache.setdefault(name, load(name))
    return reference.forward(weights, tokens, last)


def notso_logits(notso, model, tokens, *options):
    """Rows of `notso logits` with more options ("--step", "--kv", "f32", …), as many as it writes."""
    ids, out = model.with_suffix(".ids"), model.with_suffix(".f32")
    ids.write_text(",".join(map(str, tokens)))
    subprocess.run([notso, "logits", "-m", str(model), "--tokens", f"@{ids}", "--out", str(out), *options], check=True,
                   stdout=subprocess.DEVNULL)
    return np.fromfile(out, "<f4")


def log_softmax(x):
    x = x.astype(np.float64)
    x -= x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def mean_kl(expected, actual):
    """Mean Kullback-Leibler divergence of the rows in nats, infinite where a logit is no number."""
    actual = actual.reshape(expected.shape)
    if not np.isfinite(actual).all():
        return np.inf
    p, q = log_softmax(expected), log_softmax(actual)
    return float((np.exp(p) * (p - q)).sum(-1).mean())


def judge(name, kl, limit):
    """Prints one line; True when the gate is missed."""
    missed = not kl <= limit
    print(f"{name}: mean KL {kl:.2e} (limit {limit:g}){': MISSED' if missed else ''}", flush=True)
    return missed
