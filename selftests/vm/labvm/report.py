# SPDX-License-Identifier: GPL-2.0-only
"""What the user sees of results."""

from .ktap import totals, totals_line


def say(text):
    print(text, flush=True)


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


def verdict(cases):
    """The line that ends a run, and its exit status."""
    say(totals_line(cases))
    passed, failed, _ = totals(cases)
    return 1 if failed or not passed else 0
