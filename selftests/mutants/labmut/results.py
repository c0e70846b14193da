# SPDX-License-Identifier: GPL-2.0-only
"""What is known of each mutant, so that a run can be resumed. A result holds for as
long as neither the mutant, nor the driver or library that it is planted in, nor its
tests have changed."""

import functools
import glob
import hashlib
import json
import os

from labvm.lanes import BUILD, TOP

from . import table

WORK = os.path.join(BUILD, 'mutants')
KEPT = os.path.join(WORK, 'results')


def digest(parts):
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()


@functools.lru_cache(maxsize=None)
def sources(pattern):
    return digest([table.source(os.path.relpath(path, TOP))
                   for path in sorted(glob.glob(os.path.join(TOP, pattern)))])


def planted(mutant):
    return digest([mutant.content(),
                   sources(os.path.join(os.path.dirname(mutant.file), '*.[ch]')),
                   sources('lib/include/*.h')])


def tests(mutant):
    if mutant.lane == table.HOST:
        return sources('lib/tests/*.*')
    return digest([sources('selftests/*.h'), sources('selftests/module/*.[ch]'),
                   sources('selftests/conserve.c'), sources('uapi/linux/*.h'),
                   *[table.source(table.test_source(t)) for t in mutant.tests]])


def keep(mutant, verdict, how, seconds):
    result = {'planted': planted(mutant), 'tests': tests(mutant),
              'verdict': verdict, 'how': how, 'seconds': round(seconds)}
    os.makedirs(KEPT, exist_ok=True)
    path = os.path.join(KEPT, mutant.name)
    with open(path + '.new', 'w', encoding='utf-8') as f:
        json.dump(result, f, indent=1)
    os.replace(path + '.new', path)
    return result


def known(mutant):
    """The result that still holds, or None."""
    try:
        with open(os.path.join(KEPT, mutant.name), encoding='utf-8') as f:
            result = json.load(f)
    except (OSError, ValueError):
        return None
    holds = result['verdict'] != 'broken' and \
        result.get('planted') == planted(mutant) and \
        result.get('tests') == tests(mutant)
    return result if holds else None
