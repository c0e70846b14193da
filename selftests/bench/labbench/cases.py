# SPDX-License-Identifier: GPL-2.0-only
"""What is measured, what must come out of it, and which goal it has."""

import collections

from .boot import Key

POWERS = (1, 2, 4, 8, 16, 32, 64)
POOLS = (16, 64, 256, 1024, 4096, 16384)
OPENERS = (1, 10, 100, 1000)
DEVICES = (1, 2, 4, 8)
PEERS = ('dma-heap', 'dma-heap-whole', 'udmabuf', 'anonymous', 'memfd')
STEPS = {'untouched': ('acquire', 'release'),
         'fault': ('acquire', 'touch', 'release'),
         'populate': ('acquire', 'touch', 'release'),
         'pass': ('give', 'take', 'close')}

# What cannot be built without the network in every run, measured once on the same
# kernel version and CPU model, in another boot: mmap, touch and munmap of its one
# buffer, which it neither allocates nor scrubs.
ELSEWHERE = {Key('fault', 'u-dma-buf', 1): 10100.0}

# Moving n bytes costs the device 100 ms in and 100 ms out for every chunk.
CHUNK_NS = 200e6


def lab(case, batch=1):
    return Key(case, 'labyrinth', batch)


def quick_keys():
    """The cases that the committed figures are about."""
    return ([lab('acquire-release')] +
            [lab(case, n) for case in ('fault', 'populate') for n in POWERS] +
            [lab('cache'), lab('pass'), lab('pass', 32), lab('refill', 16)])


def full_keys():
    return (quick_keys() +
            [lab(case, 16) for case in ('handler-typical', 'handler-worst')] +
            [lab('pool', n) for n in POOLS] + [lab('memory', POOLS[-1])] +
            [lab('openers', n) for n in OPENERS] +
            [lab(case, n) for n in DEVICES
             for case in ('copy', 'copy-outside', 'handler-copy')] +
            [lab('step-enotty'), lab('step-stat')] +
            [lab('step-%s-%s' % (path, step), n) for n in (1, 32)
             for path, steps in STEPS.items() for step in steps] +
            [Key('step-getppid', 'kernel', 1), Key('step-memset', 'user', 1),
             Key('acquire-release', 'dma-heap', 1), Key('refill', 'bare', 16),
             Key('handler-worst', 'bare', 16), Key('pass', 'byte', 1),
             Key('pass-alone', 'byte', 1)] +
            [Key(case, 'dma-heap', n) for case in ('pass', 'pass-alone')
             for n in (1, 32)] +
            [lab('pass-alone', n) for n in (1, 32)] +
            [Key('fault', peer, n) for peer in PEERS for n in POWERS])


def scaling_keys():
    return [Key(case, system, n) for case in ('scaling-one', 'scaling-two', 'scaling')
            for system, n in (('labyrinth', 1), ('labyrinth', 32),
                              ('labyrinth-apart', 1), ('dma-heap', 1))]


def unit(key):
    if key.case == 'memory':
        return 'bytes'
    if key.case == 'copy-outside':
        return 'chunks'
    if key.case == 'scaling':
        return 'x'
    return 'ns' if key.case.startswith(('copy', 'scaling')) else 'instructions'


# Of which case each profile is, and for how many pages.
PROFILED = {lab('acquire-release'): ('acquire', 1), lab('fault'): ('fault', 1),
            lab('populate'): ('populate', 1), lab('populate', 32): ('populate32', 32),
            lab('pass'): ('pass', 1), lab('pass', 32): ('pass32', 32),
            lab('pass-alone'): ('pass', 1), lab('pass-alone', 32): ('pass32', 32)}

# text: for the table; value: gives the number, from a function of Key to number; show:
# how to write it; least, most: the goal, of which one is None, each a number or a
# function as value is; key: what peers, the keys of those that do the same, are
# compared with; needs: what has to hold for the number to mean anything; floor: what
# could be had at best, where no profile says so.
Goal = collections.namedtuple(
    'Goal', 'text value show least most key peers needs floor', defaults=(None, None))


def _cost(text, key, most, peers=()):
    return Goal(text, lambda of: of(key), '%.0f', None, most, key,
                [Key(*peer) for peer in peers])


def _ratio(text, over, under, most=None, least=None, peers=()):
    return Goal(text, lambda of: of(over) / of(under), '%.3f x', least, most, over,
                [Key(*peer) for peer in peers])


def _gain(system):
    return lambda of: of(Key('scaling', system, 1))


def two_cpus(of):
    """Whether the peer got something like two CPUs: else others had them."""
    return _gain('dma-heap')(of) >= 1.5


_TOUCHING = [('fault', peer, 1)
             for peer in ('dma-heap', 'udmabuf', 'anonymous', 'memfd', 'u-dma-buf')]
# Buffers of one page: those of several cannot be released page by page.
_BATCHES = [('fault', peer, 32) for peer in ('dma-heap', 'udmabuf')]

GOALS = [
    _cost('acquire + release, untouched', lab('acquire-release'), 1800,
          [('acquire-release', 'dma-heap', 1)]),
    _cost('acquire + touch (fault) + release', lab('fault'), 4000, _TOUCHING),
    _cost('the same with POPULATE', lab('populate'), 3400, _TOUCHING),
    _cost('batches of 32, POPULATE, per page', lab('populate', 32), 1250, _BATCHES),
    _cost('library cache, a hit, touched', lab('cache'), 60),
    _ratio('give + take + touch, of the peer', lab('pass'),
           Key('pass', 'dma-heap', 1), 0.75, peers=[('pass', 'dma-heap', 1)]),
    _ratio('batches of 32, of the peer one by one', lab('pass', 32),
           Key('pass', 'dma-heap', 1), 1 / 6, peers=[('pass', 'dma-heap', 32)]),
    _ratio('the same in one process, one page', lab('pass-alone'),
           Key('pass-alone', 'dma-heap', 1), 0.75,
           peers=[('pass-alone', 'dma-heap', 1)]),
    _ratio('and batches of 32', lab('pass-alone', 32),
           Key('pass-alone', 'dma-heap', 1), 1 / 6,
           peers=[('pass-alone', 'dma-heap', 32)]),
    _ratio('interrupt refill, of the bare call', lab('refill', 16),
           Key('refill', 'bare', 16), 1.15, peers=[('refill', 'bare', 16)]),
    _ratio('pool of 16,384 pages, of one of 16', lab('pool', 16384), lab('pool', 16),
           1.05),
    _ratio('1,000 openers, of one', lab('openers', 1000), lab('openers', 1), 1.05),
    Goal('two processes on 2 CPUs, of one', _gain('labyrinth'), '%.2f x',
         lambda of: max(1.7, _gain('dma-heap')(of)), None,
         lab('scaling-two'), [Key('scaling-two', 'dma-heap', 1)], two_cpus,
         _gain('labyrinth-apart')),
    Goal('COPY of 64 KiB, of the limit', lambda of: CHUNK_NS / of(lab('copy')),
         '%.5f x', 0.999, None, None, ()),
    Goal('chunks begun outside the handler', lambda of: of(lab('copy-outside')), '%.0f',
         None, 0, None, ()),
    _ratio('COPY on 8 devices, of one', lab('copy', 1), lab('copy', 8), least=7.9),
    Goal('driver memory per pool page, bytes', lambda of: of(lab('memory', 16384)),
         '%.1f', None, 64, None, ()),
]
