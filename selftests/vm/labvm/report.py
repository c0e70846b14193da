# SPDX-License-Identifier: GPL-2.0-only
"""What the user sees of results."""

import sys
import threading

from .ktap import totals, totals_line

# Whose output it is, where several lanes run at a time, each in a thread.
speaker = threading.local()


def say(text):
    name = getattr(speaker, 'name', None)
    if name:
        text = '\n'.join('%-11s| %s' % (name, line) for line in text.split('\n'))
    # One write: threads must not mix their lines.
    sys.stdout.write(text + '\n')
    sys.stdout.flush()


def show(name, cases, seconds):
    """One line, and more only for what failed."""
    passed, failed, skipped = totals(cases)
    say('%-4s %-16s %3d passed %3d failed %3d skipped %7.1f s' % (
        'FAIL' if failed else 'ok', name, passed, failed, skipped, seconds))
    for case in cases:
        if case.verdict == 'failed':
            say('     not ok: %s' % case.name)
            for note in case.notes[-100:]:
                say('       ' + note.strip())


def table(rows):
    """Of lanes: name, cases, seconds."""
    say('\n%-12s %7s %7s %7s %8s' % ('lane', 'passed', 'failed', 'skipped', 'seconds'))
    for name, cases, seconds in rows:
        say('%-12s %7d %7d %7d %8.0f' % (name, *totals(cases), seconds))


def verdict(cases):
    """The line that ends a run, and its exit status."""
    say(totals_line(cases))
    passed, failed, _ = totals(cases)
    return 1 if failed or not passed else 0
