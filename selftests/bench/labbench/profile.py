# SPDX-License-Identifier: GPL-2.0-only
"""Which functions the instructions of one operation are in: exactly, by the address of
each, as QEMU has written them down.
"""

import bisect
import collections
import os
import re

from labvm.lanes import Failure

LINE = re.compile(r'Trace \d+: 0x[0-9a-f]+ \[[0-9a-f]+/([0-9a-f]+)/')
KERNEL_FROM = 1 << 63
# What the log and the counter may differ by: an interrupt is in one of them only.
SPREAD = 0.02

Profile = collections.namedtuple('Profile', 'path modules functions')


class Symbols:
    def __init__(self):
        self.sorted = None
        self.found = []         # (address, name, module)

    def feed(self, address, name, module):
        self.found.append((int(address, 16), name, module))

    def name(self, address):
        """(function, module)"""
        if address < KERNEL_FROM:
            return 'the program', 'the program'
        if self.sorted is None:
            self.found.sort()
            self.sorted = [symbol[0] for symbol in self.found]
        return self.found[bisect.bisect_right(self.sorted, address) - 1][1:]

    def address(self, name):
        return next(symbol[0] for symbol in self.found if symbol[1] == name)


def operation(path, addresses, start, counted):
    """The addresses of the operation in the middle: from one start to the next."""
    starts = [i for i, address in enumerate(addresses) if address == start]
    lengths = [b - a for a, b in zip(starts, starts[1:])]
    if len(lengths) < 3:
        raise Failure('bench: the log of %s has %d operations' % (path, len(lengths)))
    middle = sorted(lengths)[len(lengths) // 2]
    if abs(middle - counted) > counted * SPREAD:
        raise Failure('bench: %s has %d instructions by the log, %d by the counter'
                      % (path, middle, counted))
    first = starts[lengths.index(middle)]
    return addresses[first:first + middle]


def read(work, symbols, path, function, counted):
    log = os.path.join(work, 'instructions-' + path)
    try:
        with open(log, encoding='ascii', errors='replace') as f:
            addresses = [int(m.group(1), 16) for m in map(LINE.match, f) if m]
    except OSError as e:
        raise Failure('bench: QEMU has written no log of %s: %s' % (path, e)) from e
    functions, modules = collections.Counter(), collections.Counter()
    for address in operation(path, addresses, symbols.address(function), counted):
        name, module = symbols.name(address)
        functions[name] += 1
        modules[module] += 1
    os.unlink(log)
    return Profile(path, modules, functions)
