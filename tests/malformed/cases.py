"""What a class of malformed models is, and what the program has to say about it."""
from dataclasses import dataclass, field

from tiny_model import model

# Which commands open enough of a file to see what is wrong.
REFUSED_BY = {'file': ('run', 'inspect', 'tokenize'), 'header': ('run', 'inspect', 'tokenize'), 'vocabulary': ('run', 'tokenize'),
              'model': ('run',), 'template': ('run',), 'accepted': ()}


@dataclass
class Case:
    name: str
    what: str           # one sentence for people
    data: bytes
    expect: list = field(default_factory=list)  # parts of the message: key, tensor, number
    stage: str = 'header'  # a key of REFUSED_BY; 'accepted': odd, but it has to load and work
    place: bool = True     # the message must name a byte of the file
    shown: bool = True     # also through the program itself, not only in one process with the others


# Numbers at which sums, products and signs go wrong.
NASTY = {'0': 0, '1': 1, '2p31m1': 2**31 - 1, '2p31': 2**31, '2p31p1': 2**31 + 1, '2p32m1': 2**32 - 1, '2p32': 2**32, '2p32p1': 2**32 + 1,
         '2p61': 2**61, '2p62': 2**62, '2p63m1': 2**63 - 1, '2p63': 2**63, '2p63p1': 2**63 + 1, '2p64m32': 2**64 - 32, '2p64m1': 2**64 - 1}


def changed(change, arch='llama'):
    """The bytes of the tiny model after change(file)."""
    file = model(arch)
    change(file)
    return file.bytes()
