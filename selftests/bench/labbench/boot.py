# SPDX-License-Identifier: GPL-2.0-only
"""One boot of the bench kernel, and the results that came out of it.

Lines from the guest that begin with "@" and this boot's nonce are its own: hello,
begin PART, klog clean|dirty, kline TEXT, end PART STATUS, done COUNT. The
lines between begin and end are results. A part that says anything else, fails, or
never ends is an error: results that are missing must not look like good ones.
"""

import collections
import os
import time

from labvm import image
from labvm.lanes import BUILD, VM_DIR, Failure, path_of
from labvm.machine import Machine
from labvm.report import say

from . import profile

WORK = os.path.join(BUILD, 'bench')
KERNEL = 'bench'
# Beside edu0 and edu1, which every machine has.
MORE_DEVICES = [('edu%d' % n, '0x%x' % (0x10 + n)) for n in range(2, 8)]
BOOT_SECONDS = 120
PART_SECONDS = 600
OFF_SECONDS = 20

Key = collections.namedtuple('Key', 'case system batch')


class Results:
    """values: for each Key what was measured, in the order it came."""

    def __init__(self):
        self.values = {}
        self.samples = []       # (ns, free pages, all pages)
        self.refills = []       # (ns, pages)
        self.symbols = profile.Symbols()
        self.traced = []        # (path, function, instructions)

    def feed(self, line):
        """False if that is no result."""
        words = line.split()
        try:
            if words[0] == 'sample' and len(words) == 4:
                self.samples.append(tuple(map(int, words[1:])))
            elif words[0] == 'refill' and len(words) == 3:
                self.refills.append(tuple(map(int, words[1:])))
            elif words[0] == 'symbol' and len(words) == 4:
                self.symbols.feed(*words[1:])
            elif words[0] == 'traced' and len(words) == 4:
                self.traced.append((words[1], words[2], int(words[3])))
            elif len(words) == 4:
                key = Key(words[0], words[1], int(words[2]))
                self.values.setdefault(key, []).append(float(words[3]))
            else:
                return False
        except ValueError:
            return False
        return True


class Boot:
    def __init__(self, what, icount):
        self.results = Results()
        self.part = None
        self.begun = None
        self.parts = 0
        self.done = None
        self.problems = []
        self.deadline = None
        os.makedirs(WORK, exist_ok=True)
        self.work = os.path.join(WORK, what)
        os.makedirs(self.work, exist_ok=True)
        initrd = os.path.join(self.work, 'initrd')
        self._archive().write(initrd)
        qemu = ['-icount', 'shift=0,sleep=off'] if icount else []
        for name, addr in MORE_DEVICES:
            qemu += ['-device', 'edu,id=%s,addr=%s' % (name, addr)]
        # With 256 MiB the device can reach all of it, so no allocation is tried twice.
        self.machine = Machine(
            self.work, path_of('vmlinuz', KERNEL), initrd, 'tcg', memory=256,
            cpus=1 if icount else 2, cpu='qemu64', qemu=qemu, mode='bench',
            cmdline='vm_bench=' + what)
        self.prefix = '@%s ' % self.machine.nonce

    def profiles(self):
        """What the part of that name has traced."""
        return [profile.read(self.work, self.results.symbols, *traced)
                for traced in self.results.traced]

    @staticmethod
    def _archive():
        archive = image.new_archive()
        modules = image.find_modules(os.path.join(BUILD, 'kbuild', KERNEL))
        if 'labyrinth_bench.ko' not in map(os.path.basename, modules):
            raise Failure('labyrinth_bench.ko is not built; run make module-%s'
                          % KERNEL)
        image.add_modules(archive, modules, path_of('release', KERNEL),
                          path_of('kernel', KERNEL))
        program = os.path.join(WORK, 'obj', 'bench')
        if not os.path.exists(program):
            raise Failure('%s is not built; run make bench' % program)
        archive.add_file('bench', program)
        archive.add_file('vm/bench.sh', os.path.join(VM_DIR, 'guest', 'bench.sh'))
        return archive

    def run(self, limit):
        """Boots and listens; the results, or Failure."""
        self.deadline = time.monotonic() + BOOT_SECONDS
        end = time.monotonic() + limit
        with open(os.path.join(self.work, 'results.raw'), 'w',
                  encoding='utf-8') as self.raw:
            self.machine.start(self._on_line)
            try:
                self._listen(end, limit)
            finally:
                self.machine.stop()
        self._judge()
        return self.results

    def _listen(self, end, limit):
        while self.machine.poll(0.2) and not self.problems:
            now = time.monotonic()
            if self.done is not None:
                if not self.machine.wait_for_exit(OFF_SECONDS):
                    self.problems.append('the guest did not power off')
                return
            if now > end:
                self.problems.append('time is up: %d s in all' % limit)
            elif now > self.deadline:
                self.problems.append('nothing more came from %s'
                                     % (self.part or 'the guest'))

    def _judge(self):
        if not self.problems and self.done is None:
            self.problems.append('the guest went away without its final line'
                                 + (', in ' + self.part if self.part else ''))
        if not self.problems and self.machine.process.returncode:
            self.problems.append('QEMU ended with status %d'
                                 % self.machine.process.returncode)
        if not self.problems and self.done != self.parts:
            self.problems.append('the guest ran %d parts, %d were heard of'
                                 % (self.done, self.parts))
        if self.problems:
            for line in self.machine.last_words(40):
                say('| ' + line)
            raise Failure('bench: ' + '; '.join(self.problems))

    def _on_line(self, line):
        self.raw.write(line + '\n')
        self.raw.flush()
        if line.startswith(self.prefix):
            self.deadline = time.monotonic() + PART_SECONDS
            self._control(line[len(self.prefix):])
        elif line.strip() and not (self.part and self.results.feed(line)):
            self.problems.append('%s says: %s' % (self.part or 'the guest', line))

    def _control(self, text):
        word, _, rest = text.partition(' ')
        if word == 'begin':
            self.part, self.begun = rest, time.monotonic()
        elif word == 'klog' and rest != 'clean':
            self.problems.append('%s: the kernel complains' % self.part)
        elif word == 'kline':
            say('kernel: ' + rest)
        elif word == 'end':
            part, _, status = rest.rpartition(' ')
            if part != self.part or status != '0':
                self.problems.append('%s ended with status %s' % (part, status))
            say('bench: %-12s %5.1f s' % (part, time.monotonic() - self.begun))
            self.part = None
            self.parts += 1
        elif word == 'done':
            self.done = int(rest)
