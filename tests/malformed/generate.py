#!/usr/bin/env python3
"""Writes malformed model files, one per named class, and manifest.json, which says what is wrong with each.

usage: generate.py FOLDER      (needs nothing but Python; the files are the same on every run)
       generate.py --list      prints the classes
manifest.json: a list of {name, file, what, stage, expect, place, shown}; see cases.Case. Base models for truncation and
mutants are base_llama.gguf and base_smollm3.gguf.
"""
import dataclasses
import json
import sys
import zipfile
import io
from pathlib import Path

import header_cases
import model_cases
import vocabulary_cases
from cases import Case
from tiny_model import model


def zip_archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as archive:
        archive.writestr(zipfile.ZipInfo('data.pkl'), b'\x80\x02}q\x00.')
    return out.getvalue()


def foreign_files():
    """What people download by mistake."""
    foreign = {'html': b'<!DOCTYPE html>\n<html><head><title>404</title></head><body>Not found</body></html>\n',
               'git_lfs_pointer': b'version https://git-lfs.github.com/spec/v1\noid sha256:' + b'0' * 64 + b'\nsize 1907000000\n',
               'zip': zip_archive(), 'json': b'{"error": "Repository not found"}\n', 'safetensors': b'\x40\0\0\0\0\0\0\0{"__metadata__":{}}'.ljust(80),
               'zeros': bytes(4096), 'text': b'hello\n' * 100, 'gzip': b'\x1f\x8b\x08\0\0\0\0\0\0\x03'.ljust(64, b'x')}
    for name, data in foreign.items():
        yield Case(f'file_{name}', f'not a model at all: {name}', data, ['not a GGUF file'], stage='file', place=False)
    yield Case('file_empty', 'an empty file', b'', ['byte 0'], stage='file')
    yield Case('file_one_byte', 'one byte', b'G', ['byte 0'], stage='file')
    yield Case('file_magic_only', 'four bytes', b'GGUF', ['byte 4'], stage='file')


def all_cases():
    cases = [*foreign_files(), *header_cases.cases(), *model_cases.cases(), *vocabulary_cases.cases()]
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), sorted({name for name in names if names.count(name) > 1})
    return cases


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cases = all_cases()
    if sys.argv[1] == '--list':
        for case in cases:
            print(f'{case.name:56} {case.stage:10} {case.what}')
        print(f'{len(cases)} classes')
        return
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    manifest = []
    for case in cases:
        file = f'{case.name}.gguf'.replace('/', '_')
        (folder / file).write_bytes(case.data)
        entry = dataclasses.asdict(case)
        del entry['data']
        manifest.append({**entry, 'file': file})
    (folder / 'base_llama.gguf').write_bytes(model('llama').bytes())
    (folder / 'base_smollm3.gguf').write_bytes(model('smollm3', 4).bytes())
    (folder / 'manifest.json').write_text(json.dumps(manifest, indent=1))
    print(f'{len(cases)} classes in {folder}')


if __name__ == '__main__':
    main()
