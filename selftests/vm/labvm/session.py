# SPDX-License-Identifier: GPL-2.0-only
"""One boot that runs test programs: what was planned, what came, what is missing.

Lines from the guest that begin with "@" and this boot's nonce are its own:
hello, begin NAME, conserve begin, conserve STATUS, klog clean|dirty, kline TEXT,
end NAME STATUS SECONDS, done COUNT. All between begin and end is the program's KTAP.
"""

import re
import time

from .ktap import Case, Ktap
from .report import say, show

BOOT_SECONDS = 120
# Beyond its own limit, which the guest enforces: counting pages, reading the log.
GRACE_SECONDS = 60
OFF_SECONDS = 20
# What no lane lacks, so that no test may be left out for it.
NEVER_ABSENT = re.compile(r'in this driver$|not (loaded|installed|mounted)|'
                          r'^no (right|host|limits|tracefs|userfaultfd)|'
                          r'^only root|no mmu notifiers')


def must_not_be_left_out(case):
    if case.verdict != 'skipped' or not NEVER_ABSENT.search(case.detail):
        return case
    return case._replace(verdict='failed',
                         notes=case.notes + ['left out: ' + case.detail])


class Program:
    def __init__(self, name, limit, counts_pages, with_module):
        self.name = name
        self.limit = limit
        self.counts_pages = counts_pages
        self.with_module = with_module
        self.ktap = Ktap()
        self.notes = []         # of a side check that is under way
        self.side = None
        self.kernel_log = None
        self.kernel_lines = []
        self.conserve = None
        self.conserve_notes = []
        self.began = None
        self.status = None
        self.seconds = 0.0
        self.cases = []

    def judge(self):
        """Turns what we know into cases; anything missing is a failure."""
        cases, problems = self.ktap.finish()
        if self.began is None:
            problems = ['it gave no result']
        elif self.status is None:
            problems.append('it never ended')
        elif self.status == 137 and self.seconds >= self.limit:
            problems.append('it took longer than %d s' % self.limit)
        elif self.status not in (0, 4) and not any(
                c.verdict == 'failed' for c in cases):
            problems.append('it ended with status %d' % self.status)
        elif self.status == 4 and any(c.verdict != 'skipped' for c in cases):
            problems.append('it ended as skipped, and was not')
        if self.with_module:
            cases = [must_not_be_left_out(c) for c in cases]
        self.cases = [c._replace(name='%s: %s' % (self.name, c.name))
                      for c in cases]
        if problems:
            notes = problems + self.ktap.notes[-30:]
            self._add('reports what it planned', notes)
        if self.began is not None and self.status is not None:
            if self.counts_pages:
                self._add('no page is lost', None if self.conserve == 0 else
                          self.conserve_notes or ['they were not counted'])
            if self.kernel_log is None:
                self.kernel_lines = ['it was not read']
            self._add('kernel log is clean', None
                      if self.kernel_log == 'clean' else self.kernel_lines)
        return self.cases

    def _add(self, text, notes):
        self.cases.append(Case('%s: %s' % (self.name, text),
                               'passed' if notes is None else 'failed', '',
                               notes or []))


class Session:
    def __init__(self, machine, programs, raw, total_seconds, counted,
                 boot_seconds=BOOT_SECONDS):
        """programs: (name, seconds) in the order in which they will run;
        counted: after which of them the pages must have been counted."""
        self.machine = machine
        self.programs = [Program(n, s, n in counted, machine.module)
                         for n, s in programs]
        self.by_name = {p.name: p for p in self.programs}
        self.raw = raw
        self.total_seconds = total_seconds
        self.boot_seconds = boot_seconds
        self.current = None
        self.problems = []
        self.done = None
        self.release = None
        self.deadline = None
        self.prefix = '@%s ' % machine.nonce

    def run(self):
        """Boots, listens, judges; gives all cases."""
        begin = time.monotonic()
        self.deadline = begin + self.boot_seconds
        self.machine.start(self.on_line)
        try:
            why = self._listen(begin + self.total_seconds)
        finally:
            self.machine.stop()
        status = self.machine.process.returncode
        if not why and self.done is None:
            why = 'the guest went away without its final line'
            if self.current:
                why += ', while %s ran' % self.current.name
        if not why and self.machine.has_panicked():
            why = 'the kernel panicked'
        if not why and status != 0:
            why = 'QEMU ended with status %d' % status
        if not why and self.done != len(self.programs):
            why = 'the guest ran %d programs of %d' % (
                self.done, len(self.programs))
        if why:
            self.problems.append(why)
        return self._cases()

    def _listen(self, end):
        while self.machine.poll(0.2):
            now = time.monotonic()
            if self.done is not None:
                if self.machine.wait_for_exit(OFF_SECONDS):
                    return None
                return 'the guest did not power off'
            if now > end:
                return 'time is up: %d s in all' % self.total_seconds
            if now > self.deadline:
                what = 'the boot'
                if self.current:
                    what = self.current.name
                elif self.release:
                    what = 'the guest between programs'
                return 'hangs: nothing more came from %s' % what
        return None

    def on_line(self, line):
        self.raw.write(line + '\n')
        self.raw.flush()
        if line.startswith(self.prefix):
            self._control(line[len(self.prefix):])
        elif self.current is None:
            pass
        elif self.current.side:
            self.current.notes.append(line)
        else:
            self.current.ktap.feed(line)

    def _control(self, text):
        self.deadline = max(self.deadline, time.monotonic() + GRACE_SECONDS)
        word, _, rest = text.partition(' ')
        if word == 'hello':
            self.release = rest
        elif word == 'begin':
            self._begin(rest)
        elif word == 'done':
            self.done = int(rest)
        elif self.current is None:
            self.problems.append('unexpected from the guest: ' + text)
        elif word == 'conserve' and rest == 'begin':
            self.current.side, self.current.notes = 'conserve', []
        elif word == 'conserve':
            self.current.side = None
            self.current.conserve = int(rest)
            self.current.conserve_notes = self.current.notes
        elif word == 'klog':
            self.current.kernel_log = rest
        elif word == 'kline':
            self.current.kernel_lines.append(rest)
        elif word == 'end':
            self._end(rest)
        else:
            self.problems.append('unexpected from the guest: ' + text)

    def _begin(self, name):
        program = self.by_name.get(name)
        if program is None or program.began is not None:
            self.problems.append('%s began, which was not due' % name)
            return
        program.began = time.monotonic()
        self.current = program
        self.deadline = program.began + program.limit + GRACE_SECONDS

    def _end(self, rest):
        name, status, seconds = rest.rsplit(' ', 2)
        program, self.current = self.current, None
        if name != program.name:
            self.problems.append('%s ended while %s ran' % (name, program.name))
            return
        program.status, program.seconds = int(status), float(seconds)
        program.judge()
        show(program.name, program.cases, program.seconds)

    def _cases(self):
        cases = []
        for program in self.programs:
            if program.status is None:
                program.judge()
                show(program.name, program.cases, program.seconds)
            cases += program.cases
        if self.problems:
            words = self.machine.last_words()
            say('FAIL the machine: %s' % '; '.join(self.problems))
            say('     the last lines of the console:')
            for line in words:
                say('     | ' + line)
            cases.append(Case('the machine runs to its end', 'failed', '',
                              self.problems + words))
        else:
            cases.append(Case('the machine runs to its end', 'passed', '', []))
        return cases
