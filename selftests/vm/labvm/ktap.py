# SPDX-License-Identifier: GPL-2.0-only
"""Reads KTAP, and is not content with less than what was planned."""

import collections
import re

Case = collections.namedtuple('Case', 'name verdict detail notes')

RESULT = re.compile(r'^(\s*)(ok|not ok)\s+(\d+)\b(?:\s+-)?\s*(.*)$')
PLAN = re.compile(r'^(\s*)1\.\.(\d+)(?:\s*#\s*SKIP\b\s*(.*))?\s*$', re.I)
VERSION = re.compile(r'^\s*K?TAP version \d+\s*$')
DIRECTIVE = re.compile(r'^(.*?)\s*#\s*(SKIP|XFAIL|TODO)\b\s*(.*)$', re.I)


class Level:
    def __init__(self, indent):
        self.indent = indent
        self.plan = None
        self.seen = 0


class Ktap:
    """One program's output. Cases are leaves: a result with subtests is their
    sum, and counts by itself only if it fails while they pass."""

    def __init__(self, several=False):
        """several: more than one document may follow one another, as where a
        makefile runs one test program after the other."""
        self.cases = []
        self.problems = []
        self.levels = [Level(0)]
        self.notes = []
        self.leaf_start = {}
        self.several = several

    def feed(self, line):
        m = PLAN.match(line)
        if m:
            self._plan(len(m.group(1)), int(m.group(2)), m.group(3))
            return
        m = RESULT.match(line)
        if m:
            self._result(len(m.group(1)), m.group(2) == 'ok',
                         m.group(3), m.group(4))
            return
        if line.lower().startswith('bail out!'):
            self.problems.append(line.strip())
        elif VERSION.match(line):
            if self.several and self.levels[0].plan is not None:
                self._close_document()
                self.levels = [Level(0)]
        elif line.strip():
            self.notes.append(line)

    def finish(self):
        self._close_document()
        return self.cases, self.problems

    def _close_document(self):
        self._close_to(0)
        top = self.levels[0]
        if top.plan is None:
            self.problems.append('it never said how many results to expect')
        elif top.plan != top.seen:
            self.problems.append('%d results were planned, %d came'
                                 % (top.plan, top.seen))

    def _level(self, indent):
        self._close_to(indent)
        if self.levels[-1].indent < indent:
            self.levels.append(Level(indent))
            self.leaf_start[indent] = len(self.cases)
        return self.levels[-1]

    def _close_to(self, indent):
        """Ends the levels deeper than indent; tells where their cases began."""
        start = None
        while self.levels[-1].indent > indent:
            done = self.levels.pop()
            start = self.leaf_start.pop(done.indent)
            if done.plan is not None and done.plan != done.seen:
                self.problems.append('%d subtests were planned, %d came'
                                     % (done.plan, done.seen))
        return start

    def _plan(self, indent, count, skip):
        level = self._level(indent)
        if level.plan is not None:
            self.problems.append('it made two plans')
        level.plan = count
        if count == 0:
            self.cases.append(Case('all', 'skipped', skip or '', []))

    def _result(self, indent, ok, number, text):
        deeper = self._close_to(indent)
        level = self._level(indent)
        level.seen += 1
        if int(number) != level.seen:
            self.problems.append('result %s came where %d was due'
                                 % (number, level.seen))
        verdict, detail = ('passed' if ok else 'failed'), ''
        m = DIRECTIVE.match(text)
        if m:
            text, detail = m.group(1), m.group(3)
            verdict = 'skipped' if ok else 'failed'
        notes, self.notes = self.notes, []
        if deeper is not None and (
                ok or any(c.verdict == 'failed' for c in self.cases[deeper:])):
            return
        self.cases.append(
            Case(text or 'case %d' % level.seen, verdict, detail, notes))


def totals(cases):
    count = collections.Counter(c.verdict for c in cases)
    return count['passed'], count['failed'], count['skipped']


def totals_line(cases):
    return '%d passed, %d failed, %d skipped' % totals(cases)


def write(path, cases):
    """All cases as one flat KTAP file, also for the kernel's kunit.py: it takes a # in
    a name for a directive, and a note "# Subtest:" for the beginning of a test."""
    with open(path, 'w', encoding='utf-8') as out:
        out.write('KTAP version 1\n1..%d\n' % len(cases))
        for i, case in enumerate(cases, 1):
            for note in '\n'.join(case.notes).splitlines():
                out.write('#   %s\n' % note.strip().lstrip('# '))
            out.write('%s %d %s%s\n' % (
                'not ok' if case.verdict == 'failed' else 'ok', i,
                case.name.replace('#', 'No. '),
                ' # SKIP ' + case.detail if case.verdict == 'skipped' else ''))
