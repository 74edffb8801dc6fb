"""Counts, lengths, names, types, alignment and offsets: what is wrong whatever the model is."""
import struct

from cases import NASTY, Case, changed
from gguf_file import TYPES, Tensor, array, scalar, string
from tiny_model import model


def attribute(name, value):
    return lambda file: setattr(file, name, value)


def counts():
    for label, value in NASTY.items():
        if value == 1:
            continue
        small = value < 2**16
        yield Case(f'n_keys_{label}', f'the file claims {value} keys', changed(attribute('n_keys', value)),
                   [] if small else [str(value), 'byte 16'])
        yield Case(f'n_tensors_{label}', f'the file claims {value} tensors', changed(attribute('n_tensors', value)),
                   ['token_embd.weight'] if small else [str(value), 'byte 8'], stage='model' if small else 'header', place=not small)
    for delta in (-1, 1):
        file = model()
        yield Case(f'n_keys_off_by_{delta:+d}', 'one key too few or too many is claimed', changed(attribute('n_keys', len(file.keys) + delta)))
    yield Case('n_tensors_off_by_+1', 'one tensor too many is claimed', changed(attribute('n_tensors', len(model().tensors) + 1)))


def lengths():
    for label, value in NASTY.items():
        if value < 2:
            continue
        file = model()
        data = bytearray(file.bytes())
        struct.pack_into('<Q', data, 24, value)
        yield Case(f'key_name_length_{label}', 'the length of the first key', bytes(data), ['the name of key 0', 'byte 24'], shown=value > 2**60)
        yield Case(f'text_length_{label}', 'the length of a string value',
                   changed(lambda f, v=value: f.add('odd.text', (TYPES['string'], struct.pack('<Q', v) + b'abc'))), ['"odd.text"'],
                   shown=value > 2**60)
        yield Case(f'element_length_{label}', 'the length of a string in an array',
                   changed(lambda f, v=value: f.add('odd.texts', (9, struct.pack('<IQQ', 8, 1, v) + b'abc'))), ['"odd.texts"'],
                   shown=value > 2**60)
        yield Case(f'tensor_name_length_{label}', 'the length of a tensor name', long_tensor_name(value), ['the name of tensor 0'],
                   shown=value > 2**60)


def long_tensor_name(claimed):
    file = model()
    data = bytearray(file.bytes())
    at = data.index(string('token_embd.weight'))
    struct.pack_into('<Q', data, at, claimed)
    return bytes(data)


def array_counts():
    for kind, number in TYPES.items():
        if kind == 'array':
            continue
        for label, value in NASTY.items():
            if value < 2**31:
                continue
            yield Case(f'array_of_{kind}_count_{label}', 'the count of an array', shown=label == '2p61',
                       data=changed(lambda f, n=number, v=value: f.add('odd.list', (9, struct.pack('<IQ', n, v) + bytes(8)))),
                       expect=['"odd.list"'])
    yield Case('array_of_arrays', 'an array of arrays', changed(lambda f: f.add('odd.deep', (9, struct.pack('<IQIQ', 9, 1, 9, 0)))),
               ['"odd.deep"', 'array of arrays'])
    deep = struct.pack('<IQ', 9, 1) * 100_000
    yield Case('array_of_arrays_1e5_deep', 'arrays within arrays, 100,000 deep', changed(lambda f: f.add('odd.deep', (9, deep))),
               ['"odd.deep"', 'array of arrays'])


def value_types():
    for number in (13, 14, 255, 2**31 - 1, 2**31, 2**32 - 1):
        yield Case(f'value_type_{number}', 'a key of an unknown type', changed(lambda f, n=number: f.add('odd.kind', (n, bytes(64)))),
                   ['"odd.kind"', 'unknown type'])
        yield Case(f'element_type_{number}', 'an array of an unknown type',
                   changed(lambda f, n=number: f.add('odd.kind', (9, struct.pack('<IQ', n, 1) + bytes(64)))), ['"odd.kind"', 'unknown type'])
    for value in (2, 255):
        yield Case(f'bool_{value}', 'a boolean that is neither 0 nor 1',
                   changed(lambda f, v=value: f.set('tokenizer.ggml.add_bos_token', (7, bytes([v])))), ['"tokenizer.ggml.add_bos_token"'])
    yield Case('bools_2', 'a boolean in an array', changed(lambda f: f.add('odd.flags', (9, struct.pack('<IQ', 7, 3) + b'\0\1\2'))),
               ['"odd.flags"'])


def names():
    def tensor_named(name):
        return changed(lambda f: f.tensors.append(Tensor(name, [8])))

    yield Case('tensor_name_64_bytes', 'a tensor name of 64 bytes', tensor_named('n' * 64), ['the name of tensor'])
    yield Case('tensor_name_65536_bytes', 'a tensor name of 65,536 bytes', tensor_named('n' * 65_536), ['the name of tensor'])
    yield Case('tensor_name_empty', 'a tensor without a name', tensor_named(''), ['no name'])
    yield Case('tensor_name_nul', 'a tensor name with a NUL', tensor_named(b'blk\0.weight'), ['tensor', 'blk\\x00.weight'])
    yield Case('tensor_name_newline', 'a tensor name with a line feed', tensor_named(b'blk\n.weight'), ['tensor', 'blk\\x0a.weight'])
    yield Case('tensor_name_not_utf8', 'a tensor name that is not UTF-8', tensor_named(b'blk\xff\xfe'), ['tensor', 'UTF-8'])
    yield Case('tensor_twice', 'two tensors of one name', changed(lambda f: f.tensors.append(Tensor('output_norm.weight', [32]))),
               ['"output_norm.weight"', 'twice'])
    yield Case('key_twice', 'two keys of one name', changed(lambda f: f.add('llama.block_count', scalar('u32', 1))),
               ['"llama.block_count"', 'twice'])
    yield Case('key_name_empty', 'a key without a name', changed(lambda f: f.add('', scalar('u32', 1))), ['no name'])
    yield Case('key_name_65536_bytes', 'a key name of 65,536 bytes', changed(lambda f: f.add('k' * 65_536, scalar('u32', 1))), ['the name of key'])
    yield Case('key_name_nul', 'a key name with a NUL', changed(lambda f: f.add(b'odd\0key', scalar('u32', 1))), ['key', 'odd\\x00key'])
    yield Case('key_name_escape', 'a key name with an escape code', changed(lambda f: f.add(b'odd\x1b[2Jkey', scalar('u32', 1))),
               ['odd\\x1b[2Jkey'])
    yield Case('key_name_not_utf8', 'a key name that is not UTF-8', changed(lambda f: f.add(b'odd\xc3(', scalar('u32', 1))), ['key', 'UTF-8'])


def alignments():
    for value in (0, 1, 3, 4, 24, 33, 2**20 + 1, 2**21, 2**31, 2**32 - 1):
        yield Case(f'alignment_{value}', f'an alignment of {value}', changed(lambda f, v=value: f.set('general.alignment', scalar('u32', v))),
                   ['"general.alignment"'])
    for kind, value in (('u64', 32), ('string', '32'), ('f32', 32.0), ('i32', -32), ('bool', 1)):
        yield Case(f'alignment_as_{kind}', f'an alignment that is a {kind}', shown=kind == 'u64',
                   data=changed(lambda f, k=kind, v=value: f.set('general.alignment', scalar(k, v))), expect=['"general.alignment"'])
    yield Case('alignment_2p20', 'tensors aligned to 1 MiB in a file of 25 kB',
               changed(lambda f: f.set('general.alignment', scalar('u32', 2**20))), ['tensor "token_embd.weight"'])


def dimensions():
    def shaped(dims, block='F32'):
        return changed(lambda f: f.tensors.append(Tensor('odd.weight', dims, block, bytes(64))))

    for n_dims in (0, 5, 100):
        yield Case(f'dims_{n_dims}', f'a tensor of {n_dims} dimensions', shaped([1] * n_dims), ['"odd.weight"', f'{n_dims} dimensions'])
    for label, value in NASTY.items():
        if value == 1:
            continue
        shapes = {'rows': [2, value], 'columns': [value], 'square': [value, value], 'all': [8, value, value, value]}
        for part, dims in shapes.items():
            yield Case(f'dim_{part}_{label}', f'dimensions {dims}', shaped(dims), ['"odd.weight"'], shown=part == 'square')
        if value:
            yield Case(f'blocks_{label}', 'rows of whole blocks, too many of them', shaped([256, value], 'Q6_K'), ['"odd.weight"'], shown=False)
    yield Case('columns_no_whole_blocks', 'rows that end inside a block', shaped([33, 2], 'Q4_0'), ['"odd.weight"', 'blocks of 32'])


def offsets():
    def moved(offset, name='output_norm.weight'):
        return changed(lambda f: setattr(f.tensor(name), 'offset', offset))

    for label, value in NASTY.items():
        if value == 0:
            continue
        yield Case(f'offset_{label}', f'a tensor at offset {value}', moved(value), ['"output_norm.weight"'], shown=value > 2**60)
    yield Case('offset_unaligned', 'a tensor beside the alignment', moved(16), ['"output_norm.weight"', 'alignment'])
    yield Case('offset_last_byte', 'a tensor that begins in the file and ends behind it', moved(len(model().bytes()) - len(model().header()) - 32 & ~31),
               ['"output_norm.weight"'])
    yield Case('overlap_same', 'two tensors in one place', moved(0), ['overlaps', 'byte'])
    yield Case('overlap_by_one_block', 'a tensor that reaches into the next', moved(8_896), ['overlaps', 'byte'])
    huge = [2**61 - 8, 2**61, 2**61, 2**61]
    file = model()
    for i, size in enumerate(huge):
        file.tensors.append(Tensor(f'huge{i}', [size], 'F32', b''))
    yield Case('sizes_sum_wraps', 'tensors whose sizes add up to 2^66 and wrap', file.bytes(), ['tensor "huge'])
    for number in (4, 5, 31, 36, 99, 2**31, 2**32 - 1):
        yield Case(f'tensor_type_{number}', 'an unknown block type', changed(lambda f, n=number: setattr(f.tensor('output_norm.weight'), 'type', n)),
                   ['"output_norm.weight"', 'unknown type'], shown=number == 99)


def sizes():
    many = model()
    for i in range(66_000):
        many.add(f'odd.{i}', scalar('u8', 0))
    yield Case('keys_66000', '66,000 keys', many.bytes(), ['byte 16'])
    many = model()
    many.tensors += [Tensor(f'odd{i}', [1], 'F32', b'') for i in range(66_000)]
    yield Case('tensors_66000', '66,000 tensors', many.bytes(), ['byte 8'])
    yield Case('header_40_mib', 'a header of 40 MiB', changed(lambda f: f.add('odd.text', scalar('string', 'x' * (40 << 20)))), ['longer than'],
               place=False)
    yield Case('header_30_mib', 'a header of 30 MiB that ends in the middle',
               changed(lambda f: f.add('odd.text', scalar('string', 'x' * (30 << 20))).add('odd.next', (77, b''))), ['"odd.next"'])
    yield Case('strings_3_million', 'a list of 3 million empty strings, then damage',
               changed(lambda f: f.add('odd.list', (9, struct.pack('<IQ', 8, 3_000_000) + bytes(24_000_000))).add('odd.next', (77, b''))),
               ['"odd.next"'])
    yield Case('keys_long_alike', '400 keys that differ in their last bytes only, then damage', alike(), ['"odd.next"'])
    whole = model().bytes()
    for part in (1 / 4, 1 / 2, 0.9):
        yield Case(f'cut_to_{int(part * 100)}_percent', 'the end of the file is missing', whole[:int(len(whole) * part)])
    yield Case('cut_by_one_tensor', 'the last tensor is missing', whole[:-64 * 34], ['tensor "blk.0.ffn_down.weight"'])


def alike():
    file = model()
    for i in range(400):
        file.add('k' * 60_000 + f'{i:04}', scalar('u8', 0))
    return file.add('odd.next', (77, b'')).bytes()


def versions():
    for version in (0, 1, 4, 255, 0x02000000, 0xFFFFFFFF):
        yield Case(f'version_{version}', f'version {version}', changed(attribute('version', version)), ['version', 'byte 4'])

    def big(file):
        file.order = '>'
    yield Case('big_endian', 'a big-endian file', changed(big), ['big-endian', 'byte 4'])
    yield Case('magic_ggjt', 'the format before GGUF', changed(attribute('magic', b'tjgg')), ['not a GGUF file'], place=False)


def cases():
    for group in (counts, lengths, array_counts, value_types, names, alignments, dimensions, offsets, sizes, versions):
        yield from group()
