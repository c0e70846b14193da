# SPDX-License-Identifier: GPL-2.0-only
"""What came out: the table with goals and verdicts, results.json, and doubts."""

import json
import os
import platform
import subprocess
import textwrap

from labvm.accel import qemu_version
from labvm.lanes import TOP, Failure, path_of
from labvm.report import say

from . import cases
from .boot import KERNEL, Key

# By how much two runs may differ, in percent of the smaller.
OWN_SPREAD = 2
PEER_SPREAD = 5


def demand(values, keys, runs):
    """A result that is missing must not go unnoticed."""
    missing = [key for key in keys if len(values.get(key, ())) < runs]
    if missing:
        raise Failure('bench: %d results are missing: %s' % (
            len(missing), ', '.join('%s %s %d' % key for key in missing[:10])))


def chosen(values):
    """A function of Key to number. Where there is a choice, it is against us: the
    worse of labyrinth's runs, the better one of a peer's. Of runs in real time, which
    others on this machine can only make slower, it is the better one for all."""
    def of(key):
        if key in cases.ELSEWHERE:
            return cases.ELSEWHERE[key]
        if key.case == 'scaling':
            return max(values[key])
        worse = key.system == 'labyrinth' and not key.case.startswith('scaling')
        return (max if worse else min)(values[key])
    return of


def disagreements(values):
    """What two runs do not agree on, in words."""
    found = []
    for key, runs in sorted(values.items()):
        if key.case.startswith('scaling'):
            continue
        allowed = OWN_SPREAD if key.system == 'labyrinth' else PEER_SPREAD
        if max(runs) - min(runs) > min(runs) * allowed / 100:
            found.append('%s %s %d: %s, more than %d %% apart' % (
                *key, ' and '.join('%.1f' % run for run in runs), allowed))
    return found


def limit(goal, of):
    bound = goal.most if goal.least is None else goal.least
    return bound(of) if callable(bound) else bound


def verdict(goal, of):
    if goal.needs and not goal.needs(of):
        return 'open: this machine is too busy'
    value, bound = goal.value(of), limit(goal, of)
    if value <= bound if goal.least is None else value >= bound:
        return 'met'
    if not bound:
        return 'not met'
    return 'not met by %.1f %%' % (100 * abs(value - bound) / bound)


def best_peer(goal, of):
    """The cheapest of those that do the same, and by what factor it costs more."""
    if not goal.peers:
        return '', ''
    peer = min(goal.peers, key=of)
    mark = ' *' if peer in cases.ELSEWHERE else ''
    return ('%s %.0f%s' % (peer.system, of(peer), mark),
            '%.2f x' % (of(peer) / of(goal.key)))


def floor(goal, of, profiles):
    """What the case would cost if labyrinth's own functions took no instruction; of two
    CPUs, what two devices give, which share nothing of it."""
    if goal.floor:
        return goal.show % goal.floor(of)
    path, pages = cases.PROFILED.get(goal.key, (None, 1))
    for profiled in profiles:
        if profiled.path == path:
            ours = profiled.modules['labyrinth'] / pages
            return goal.show % goal.value(
                lambda key: of(key) - ours if key == goal.key else of(key))
    return ''


def table(values, profiles):
    of = chosen(values)
    rows = [('case', 'labyrinth', 'goal', 'verdict', 'floor', 'best peer', 'ratio')]
    for goal in cases.GOALS:
        sign = '<= ' if goal.least is None else '>= '
        rows.append((goal.text, goal.show % goal.value(of),
                     sign + goal.show % limit(goal, of), verdict(goal, of),
                     floor(goal, of, profiles), *best_peer(goal, of)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        say(' | '.join(cell.ljust(width)
                       for cell, width in zip(row, widths)).rstrip())
    say('Instructions for one page, unless it says otherwise; the worse of two runs of'
        ' labyrinth,\nthe better of a peer. The floor is what would be left if'
        ' labyrinth did nothing itself;\nfor two CPUs, what a device each gives.\n'
        '* measured before, in another boot: u-dma-buf is not in Debian.')


def _host():
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        models = [line.partition(':')[2].strip() for line in f
                  if line.startswith('model name')]
    return '%s, %s, %s; -icount shift=0,sleep=off -smp 1 -cpu qemu64 -m 256' % (
        models[0] if models else platform.machine(), platform.release(), qemu_version())


def _commit():
    def git(*arguments):
        return subprocess.run(['git', '-C', TOP, *arguments], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                              ).stdout.strip()
    commit = git('rev-parse', 'HEAD') or 'unknown'
    return commit + ('+changes' if git('status', '--porcelain') else '')


def write_json(path, values):
    of = chosen(values)
    about = {'machine': _host(), 'kernel': path_of('release', KERNEL),
             'commit': _commit()}
    entries = [{'case': key.case, 'system': key.system, 'batch': key.batch,
                'instructions': of(key), 'unit': cases.unit(key), 'runs': runs,
                **about}
               for key, runs in values.items()]
    entries += [{'case': key.case, 'system': key.system, 'batch': key.batch,
                 'instructions': value, 'unit': cases.unit(key), 'runs': [],
                 'measured': 'before, in another boot', **about}
                for key, value in cases.ELSEWHERE.items()]
    partial = path + '.partial'
    with open(partial, 'w', encoding='utf-8') as f:
        json.dump(entries, f, indent=1)
    os.replace(partial, path)


def steps(values):
    """Where the instructions of a cycle go, step by step."""
    of = chosen(values)
    say('\nStep by step, instructions per page:')
    for path, names in cases.STEPS.items():
        for batch in (1, 32):
            keys = [cases.lab('step-%s-%s' % (path, name), batch) for name in names]
            cells = ['%s %.0f' % cell for cell in zip(names, map(of, keys))]
            say('  %-9s batches of %2d: %s' % (path, batch, ', '.join(cells)))
    calls = (Key('step-getppid', 'kernel', 1), cases.lab('step-enotty'),
             cases.lab('step-stat'), Key('step-memset', 'user', 1))
    say('  getppid() %.0f, an ioctl nobody knows %.0f, STAT %.0f, clearing a page in'
        ' user space %.0f' % tuple(map(of, calls)))


def profile(profiles, count=30):
    """What an operation consists of, and the functions most of it is in."""
    for path, modules, functions in profiles:
        total = sum(modules.values())
        say('\nProfile of %s, instructions of one operation: %d' % (path, total))
        say('  %s; %d would be left if labyrinth did nothing itself' % (
            ', '.join('%s %d' % share for share in modules.most_common()),
            total - modules['labyrinth']))
        for line in textwrap.wrap(', '.join('%s %d' % f for f in
                                            functions.most_common(count)), 84):
            say('    ' + line)
