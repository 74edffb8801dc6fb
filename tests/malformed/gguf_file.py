"""A GGUF file that can be wrong in every place: keys and tensors in order, and what to lie about. Only struct is used."""
import struct

TYPES = {'u8': 0, 'i8': 1, 'u16': 2, 'i16': 3, 'u32': 4, 'i32': 5, 'f32': 6, 'bool': 7, 'string': 8, 'array': 9, 'u64': 10,
         'i64': 11, 'f64': 12}
FORMATS = {'u8': '<B', 'i8': '<b', 'u16': '<H', 'i16': '<h', 'u32': '<I', 'i32': '<i', 'f32': '<f', 'bool': '<B', 'u64': '<Q',
           'i64': '<q', 'f64': '<d'}
# name: (number, weights per block, bytes per block)
BLOCKS = {'F32': (0, 1, 4), 'F16': (1, 1, 2), 'Q4_0': (2, 32, 18), 'Q4_1': (3, 32, 20), 'Q8_0': (8, 32, 34), 'Q2_K': (10, 256, 84),
          'Q4_K': (12, 256, 144), 'Q6_K': (14, 256, 210), 'IQ2_XXS': (16, 256, 66), 'I8': (24, 1, 1), 'I32': (26, 1, 4), 'F64': (28, 1, 8),
          'BF16': (30, 1, 2)}


def string(text):
    """A length and the bytes."""
    data = text.encode() if isinstance(text, str) else text
    return struct.pack('<Q', len(data)) + data


def scalar(kind, value):
    """(type number, bytes) of a number, a bool or a string."""
    return TYPES[kind], string(value) if kind == 'string' else struct.pack(FORMATS[kind], value)


def array(kind, values):
    """(type number, bytes) of an array of one kind."""
    items = [scalar(kind, value)[1] for value in values]
    return TYPES['array'], struct.pack('<IQ', TYPES[kind], len(items)) + b''.join(items)


class Tensor:
    """One tensor; `offset` None puts it behind the ones before it."""

    def __init__(self, name, dims, block='F32', data=None):
        self.name, self.dims, self.block = name, list(dims), block
        self.type, per_block, block_bytes = BLOCKS[block]
        self.offset = None
        count = 1
        for dim in dims:
            count *= dim
        self.data = data if data is not None else bytes(count // per_block * block_bytes)

    def info(self, offset):
        dims = b''.join(struct.pack('<Q', dim) for dim in self.dims)
        return string(self.name) + struct.pack('<I', len(self.dims)) + dims + struct.pack('<IQ', self.type, offset)


class File:
    """Keys are (name, type number, payload bytes); the counts tell the truth unless they are set."""

    def __init__(self):
        self.magic, self.version = b'GGUF', 3
        self.keys, self.tensors = [], []
        self.n_keys = self.n_tensors = None
        self.alignment, self.order = 32, '<'
        self.before_tensors = b''

    def set(self, name, value):
        """Replaces a key where it stands, or appends it. `value` is (type, payload), as scalar() and array() make it."""
        for i, (known, _, _) in enumerate(self.keys):
            if known == name:
                self.keys[i] = (name, *value)
                return self
        return self.add(name, value)

    def add(self, name, value):
        self.keys.append((name, *value))
        return self

    def drop(self, name):
        before = len(self.keys)
        self.keys = [key for key in self.keys if key[0] != name]
        assert len(self.keys) < before, name
        return self

    def value_of(self, name):
        return next((kind, payload) for known, kind, payload in self.keys if known == name)

    def tensor(self, name):
        return next(tensor for tensor in self.tensors if tensor.name == name)

    def put(self, tensor):
        """Replaces the tensor of that name, or appends it."""
        for i, known in enumerate(self.tensors):
            if known.name == tensor.name:
                self.tensors[i] = tensor
                return self
        self.tensors.append(tensor)
        return self

    def header(self):
        n_tensors = len(self.tensors) if self.n_tensors is None else self.n_tensors
        n_keys = len(self.keys) if self.n_keys is None else self.n_keys
        out = [self.magic, struct.pack(self.order + 'IQQ', self.version, n_tensors, n_keys)]
        out += [string(name) + struct.pack('<I', kind) + payload for name, kind, payload in self.keys]
        out.append(self.before_tensors)
        offset = 0
        for tensor in self.tensors:
            out.append(tensor.info(offset if tensor.offset is None else tensor.offset))
            offset += self.padded(len(tensor.data))
        return b''.join(out)

    def padded(self, size):
        return (size + self.alignment - 1) // self.alignment * self.alignment

    def bytes(self):
        header = self.header()
        data = b''.join(tensor.data.ljust(self.padded(len(tensor.data)), b'\0') for tensor in self.tensors)
        return header.ljust(self.padded(len(header)), b'\0') + data
