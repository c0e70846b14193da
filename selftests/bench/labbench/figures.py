# SPDX-License-Identifier: GPL-2.0-only
"""The committed figures, and what has become worse than them."""

import os

from labvm.lanes import TOP, Failure
from labvm.report import say

from . import cases
from .boot import Key

PATH = os.path.join(TOP, 'selftests', 'bench', 'figures')
HEAD = '''# SPDX-License-Identifier: GPL-2.0-only
# What labyrinth costs, in instructions for one page: case, batch, figure. "make
# bench-check" fails when one of them has become more than %d %% worse; "make
# bench-figures" measures and writes them anew.
'''
WORSE = 10


def read():
    figures = {}
    try:
        with open(PATH, encoding='utf-8') as f:
            for line in f:
                if line.startswith('#') or not line.strip():
                    continue
                case, batch, figure = line.split()
                figures[Key(case, 'labyrinth', int(batch))] = float(figure)
    except (OSError, ValueError) as e:
        raise Failure('%s: %s' % (PATH, e)) from e
    missing = [key for key in cases.quick_keys() if key not in figures]
    if missing:
        raise Failure('%s has no figure for %s %d: make bench-figures writes it'
                      % (PATH, missing[0].case, missing[0].batch))
    return figures


def write(values):
    with open(PATH, 'w', encoding='utf-8') as f:
        f.write(HEAD % WORSE)
        for key in cases.quick_keys():
            f.write('%s %d %.0f\n' % (key.case, key.batch, max(values[key])))
    say('bench: %d figures written to %s'
        % (len(cases.quick_keys()), os.path.relpath(PATH, TOP)))


def check(values, ktap):
    """Says which cases are worse; whether none is."""
    figures = read()
    good = True
    if ktap:
        say('TAP version 13\n1..%d' % len(cases.quick_keys()))
    for number, key in enumerate(cases.quick_keys(), 1):
        now, figure = max(values[key]), figures[key]
        percent = 100 * (now - figure) / figure
        fine = percent <= WORSE
        good &= fine
        text = '%s, batches of %d: %.0f instructions, figure %.0f (%+.1f %%)' % (
            key.case, key.batch, now, figure, percent)
        if ktap:
            say('%s %d %s' % ('ok' if fine else 'not ok', number, text))
        elif not fine:
            say('FAIL %s, more than %d %% worse' % (text, WORSE))
    if not ktap:
        say('bench: none of %d cases is more than %d %% worse than its figure'
            % (len(figures), WORSE) if good else 'bench: there is a regression')
    return good
