# SPDX-License-Identifier: GPL-2.0-only
"""Reads the tables of mutants, and applies one of them to a text.

A mutant is a line "name | file | lane | tests", then the lines of a small patch: each
begins with "-", "+" or a space, as in a diff, without line numbers. What is taken out
and what stays must be found exactly once in the file, so that a mutant survives edits
around it and nobody has to guess what it hits. A line with "=" says why no test can
see the mutant, if that is so; one with "#" is for the reader.
"""

import glob
import os
import re

from labvm.lanes import TOP, Failure, read_lanes

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOST = 'host'
FIRST_LINE = re.compile(r'^[a-z0-9-]+ *\|')


class Mutant:
    def __init__(self, where, line):
        fields = [f.strip() for f in line.split('|')]
        if len(fields) != 4 or not all(fields):
            raise Failure('%s: should be name | file | lane | tests' % where)
        self.where = where
        self.name, self.file, self.lane, tests = fields
        self.tests = tests.split()
        self.old = []
        self.new = []
        self.excuse = []

    def feed(self, where, line):
        kind, text = line[0], line[1:]
        if kind in '- ':
            self.old.append(text)
        if kind in '+ ':
            self.new.append(text)
        if kind == '=':
            self.excuse.append(text.strip())
        if kind not in '-+ =':
            raise Failure('%s: a line begins with "-", "+", "=", "#" or a space'
                          % where)

    def apply(self, text):
        """The text with the bug in it."""
        old = ''.join(line + '\n' for line in self.old)
        new = ''.join(line + '\n' for line in self.new)
        found = ('\n' + text).count('\n' + old)
        if not old or old == new or found != 1:
            raise Failure('%s: %s: its lines are in %s %d times, which should be '
                          'once' % (self.where, self.name, self.file, found))
        return ('\n' + text).replace('\n' + old, '\n' + new, 1)[1:]

    def content(self):
        return '\n'.join([self.file, self.lane, *self.tests, 'old:', *self.old,
                          'new:', *self.new])


def read_table(path):
    mutants = []
    with open(path, encoding='utf-8') as table:
        for number, line in enumerate(table, 1):
            line = line.rstrip('\n')
            where = '%s:%d' % (os.path.relpath(path, TOP), number)
            if not line or line.startswith('#'):
                continue
            if FIRST_LINE.match(line):
                mutants.append(Mutant(where, line))
            elif mutants:
                mutants[-1].feed(where, line)
            else:
                raise Failure('%s: there is no mutant yet' % where)
    return mutants


def read_all():
    mutants = []
    for path in sorted(glob.glob(os.path.join(HERE, '*.mutants'))):
        mutants += read_table(path)
    names = [m.name for m in mutants]
    for name in names:
        if names.count(name) > 1:
            raise Failure('there are several mutants called %s' % name)
    return mutants


def source(path):
    try:
        with open(os.path.join(TOP, path), encoding='utf-8') as f:
            return f.read()
    except OSError as e:
        raise Failure('%s: %s' % (path, e.strerror))


def test_source(name):
    """Where a test program comes from, for the lane that runs it."""
    places = ['selftests/%s.c', 'lib/tests/vm/%s', 'tools/tests/vm/%s']
    for place in places:
        if os.path.exists(os.path.join(TOP, place % name)):
            return place % name
    raise Failure('there is no test program called %s' % name)


def check(mutants):
    """Whether all still fit the sources; says what does not."""
    lanes = read_lanes()
    wrong = []
    for m in mutants:
        try:
            m.apply(source(m.file))
            if m.lane != HOST and m.lane not in lanes:
                raise Failure('%s: there is no lane %s' % (m.where, m.lane))
            for name in m.tests:
                if m.lane != HOST:
                    test_source(name)
        except Failure as e:
            wrong.append(str(e))
    return wrong
