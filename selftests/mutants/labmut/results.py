# SPDX-License-Identifier: GPL-2.0-only
"""What is known of each mutant, so that a run can be resumed. A result holds for as
long as neither the mutant nor the file it is planted in has changed. One that was
missed is tried again when its tests have changed, too."""

import hashlib
import json
import os

from labvm.lanes import BUILD

from . import table

WORK = os.path.join(BUILD, 'mutants')
KEPT = os.path.join(WORK, 'results')


def digest(parts):
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()


def planted(mutant):
    return digest([mutant.content(), table.source(mutant.file)])


def tests(mutant):
    if mutant.lane == table.HOST:
        return ''
    return digest([table.source(table.test_source(t)) for t in mutant.tests])


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
        (result['verdict'] == 'caught' or result.get('tests') == tests(mutant))
    return result if holds else None
