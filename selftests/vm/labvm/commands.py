# SPDX-License-Identifier: GPL-2.0-only
"""What the runner does: test, demo, shell."""

import argparse
import os
import re
import shutil
import sys
import time

from . import accel, image, ktap
from .lanes import BUILD, Failure, find_lane, path_of
from .machine import Machine
from .report import say
from .session import Session

DEMO_STEPS = 4
DEMO_SECONDS = 120
# As tests.sh has it. Looking for leaks takes the debug kernel half a minute.
STEP_SECONDS = 240
ELF_MACHINE = {'i386': 3, 'amd64': 62, 'arm64': 183}


def options(arguments=None):
    """The command line, which check has in common with run."""
    parser = argparse.ArgumentParser(
        description='Boots a kernel in QEMU and runs test programs, the '
        'demo or a shell in it.',
        epilog='ACCEL=tcg or ACCEL=kvm in the environment overrides the choice.')
    parser.add_argument('what', choices=('test', 'demo', 'shell', 'lanes'))
    parser.add_argument('--lane', default='stock', help='a row of the lanes table')
    parser.add_argument('--tests', metavar='DIR',
                        help='a folder with programs and a file "programs"')
    parser.add_argument('--only', metavar='NAME', action='append',
                        help='only this program; may be repeated')
    parser.add_argument('--also', metavar='NAME', action='append', default=[],
                        help='this program too, whatever the lane is about; may be'
                        ' repeated')
    parser.add_argument('--short', action='store_true',
                        help='only the programs that the lane is about')
    parser.add_argument('--modules', metavar='DIR',
                        help='where labyrinth.ko and what tests load is')
    parser.add_argument('--no-module', action='store_true',
                        help='neither module nor command, just the programs')
    parser.add_argument('--tools', metavar='DIR', help='where the command is')
    parser.add_argument('--kernel', metavar='FILE', help='another kernel image')
    parser.add_argument('--work', metavar='DIR', help='for logs and results')
    parser.add_argument('--with', dest='extra', metavar='FILE', action='append',
                        default=[], help='put it into the PATH of the shell, with the'
                        ' libraries that it needs; may be repeated')
    parser.add_argument('--cpus', type=int)
    parser.add_argument('--program-limit', type=int, default=120,
                        metavar='SECONDS', help='for one program')
    parser.add_argument('--limit', type=int, default=2400, metavar='SECONDS',
                        help='for the whole boot')
    return parser.parse_args(arguments)


def read_programs(folder, default_limit):
    """The programs of a folder, as its file "programs" lists them: name, and
    seconds where the usual limit does not fit."""
    path = os.path.join(folder, 'programs')
    if not os.path.exists(path):
        raise Failure('%s does not list test programs' % path)
    programs = []
    with open(path, encoding='utf-8') as f:
        for line in f:
            words = line.split()
            if not words or words[0].startswith('#'):
                continue
            if not os.path.exists(os.path.join(folder, words[0])):
                raise Failure('the test program %s is not built' % words[0])
            programs.append((words[0], int(words[1]) if len(words) > 1
                             else default_limit))
    if not programs:
        raise Failure('%s lists no test programs' % path)
    return programs


def check_arch(path, arch):
    """A lane for one kind of program must not pass with another."""
    with open(path, 'rb') as f:
        head = f.read(20)
    if head[:4] == b'\x7fELF' and head[18] != ELF_MACHINE[arch]:
        raise Failure('%s is not a program for %s' % (path, arch))


class Boot:
    """A lane, with what the command line changes about it."""

    def __init__(self, options, mode):
        self.lane = find_lane(options.lane)
        self.mode = mode
        self.work = options.work or os.path.join(
            BUILD, 'vm', self.lane.name if mode == 'tests' else mode)
        os.makedirs(self.work, exist_ok=True)
        for name in ('console.log', 'qemu.log', 'results.raw',
                     'results.ktap'):
            if os.path.exists(os.path.join(self.work, name)):
                os.unlink(os.path.join(self.work, name))
        self.kernel = options.kernel or path_of('vmlinuz', self.lane.kernel)
        if not os.path.exists(self.kernel):
            raise Failure('there is no kernel at %s; run selftests/vm/setup.sh'
                          ' kernel:%s' % (self.kernel, self.lane.kernel))
        self.release = path_of('release', self.lane.kernel)
        self.modules = None if options.no_module else options.modules or \
            os.path.join(BUILD, 'kbuild', self.lane.kernel)
        # 64-bit kernels run the 64-bit command, whatever the test programs are.
        foreign = '-arm64' if self.lane.arch == 'arm64' else ''
        self.tools = options.tools or os.path.join(BUILD, 'tools' + foreign)
        self.library = os.path.join(BUILD, 'lib' + foreign)
        self.sysroot = path_of('sysroot', self.lane.arch) if foreign else None
        self.cross = path_of('cross', self.lane.arch) if foreign else ''
        self.tests = options.tests or os.path.join(BUILD, 'selftests',
                                                   self.lane.arch)
        self.cpus = options.cpus or self.lane.cpus

    def archive(self):
        archive = image.new_archive(self.sysroot)
        if self.modules:
            modules = image.find_modules(self.modules)
            if 'labyrinth.ko' not in map(os.path.basename, modules):
                raise Failure('there is no labyrinth.ko below %s; run make'
                              ' module-%s' % (self.modules, self.lane.kernel))
            image.add_modules(archive, modules, self.release,
                              path_of('kernel', self.lane.kernel), self.cross)
            command = os.path.join(self.tools, 'labyrinth')
            if not os.path.exists(command):
                raise Failure('the command is not built: %s' % command)
            self.add_program(archive, 'usr/local/bin/labyrinth', command)
        return archive

    def add_tests(self, archive, without=()):
        for folder, _, names in sorted(os.walk(self.tests)):
            for name in names:
                source = os.path.join(folder, name)
                if source in without:
                    continue
                self.add_program(
                    archive, os.path.join('selftests', os.path.relpath(
                        source, self.tests)), source)

    def add_program(self, archive, path, source):
        if self.sysroot:
            image.add_foreign_program(archive, path, source, self.library,
                                      self.sysroot)
        else:
            image.add_program(archive, path, source, self.library)

    def machine(self, archive, interactive=False):
        initrd = os.path.join(self.work, 'initrd')
        archive.write(initrd)
        self.accel = accel.choose(self.kernel, self.lane.machine, say)
        return Machine(self.work, self.kernel, initrd, self.accel,
                       memory=self.lane.memory, cpus=self.cpus,
                       qemu=self.lane.qemu,
                       cmdline=self.lane.cmdline + (terminal() if interactive else ''),
                       mode=self.mode, module=bool(self.modules),
                       interactive=interactive, hardware=self.lane.machine)


def terminal():
    """What the guest has to know of the terminal that its console is."""
    name = os.environ.get('TERM', '')
    size = shutil.get_terminal_size()
    return ' vm_term=%s vm_rows=%d vm_columns=%d' % (
        name if re.fullmatch(r'[\w.+-]+', name) else 'linux', size.lines, size.columns)


def run_session(boot, machine, programs, limit, counted):
    """One boot: its cases, and whether the guest was ever heard of."""
    with open(os.path.join(boot.work, 'results.raw'), 'w',
              encoding='utf-8') as raw:
        session = Session(machine, programs, raw, limit, counted)
        return session.run(), session.release is not None


def lost_to_emulation(boot, machine, booted):
    """Why a boot says nothing about us, or None. QEMU's emulation of two CPUs loses
    against the kernel's patching of its own code once in many boots."""
    if not booted:
        return 'the kernel did not come as far as its first program'
    if boot.accel == 'tcg' and boot.cpus > 1 and accel.ran_stale_code(machine.console):
        return 'the emulator executed code that had been patched since'
    return None


def choose(programs, options, lane):
    """Those that will run, and the names of the others."""
    names = [p[0] for p in programs]
    wanted = options.only or (options.short and lane.short) or lane.only or \
        [name for name in names if name not in lane.without]
    wanted = wanted + options.also
    if not set(wanted) <= set(names):
        raise Failure('no such test program among: %s' % ' '.join(wanted))
    return ([p for p in programs if p[0] in wanted],
            [name for name in names if name not in wanted])


def test(options):
    """All test programs of a lane; gives their cases."""
    begin = time.monotonic()
    boot = Boot(options, 'tests')
    programs = read_programs(boot.tests, options.program_limit)
    programs, others = choose(programs, options, boot.lane)
    for name, _ in programs:
        check_arch(os.path.join(boot.tests, name), boot.lane.arch)
    archive = boot.archive()
    boot.add_tests(archive, [os.path.join(boot.tests, name) for name in others])
    archive.add_text('selftests/programs',
                     ''.join('%s %d\n' % p for p in programs))
    archive.add_text('vm/in-force', '\n'.join(
        ['cpus=%d' % boot.cpus, 'memory=%d' % boot.lane.memory, *boot.lane.holds, '']))
    machine = boot.machine(archive)
    counted = []
    if 'selftests/conserve' in archive.entries:
        counted = ['load', 'lane'] + [p[0] for p in programs]
    if boot.modules:
        programs = [('load', STEP_SECONDS), ('lane', STEP_SECONDS), *programs,
                    ('unload', STEP_SECONDS)]
    say('%s: Linux %s, %s, %d CPUs, %d MiB, %d programs' % (
        boot.lane.name, boot.release, boot.accel, boot.cpus, boot.lane.memory,
        len(programs)))
    cases, booted = run_session(boot, machine, programs, options.limit, counted)
    why = lost_to_emulation(boot, machine, booted)
    if why:
        say('%s: %s; once more' % (boot.lane.name, why))
        cases, _ = run_session(boot, boot.machine(archive), programs,
                               options.limit, counted)
    if not options.only:
        cases += [ktap.Case('%s: runs in this lane' % name, 'skipped', reason, [])
                  for name, reason in boot.lane.without.items()]
    ktap.write(os.path.join(boot.work, 'results.ktap'), cases)
    say('%s: done in %.0f s, everything it said is in %s' % (
        boot.lane.name, time.monotonic() - begin, boot.work))
    return cases


def demo(options):
    """Shows what demo.sh prints. Only steps that it confirmed with this boot's
    nonce count."""
    boot = Boot(options, 'demo')
    machine = boot.machine(boot.archive())
    prefix = '@%s ' % machine.nonce
    steps, state = [], {'done': None, 'klog': None, 'blank': False}

    def on_line(line):
        if not line.startswith(prefix):
            # The empty line before each control line is not the demo's.
            if line.strip() or not state['blank']:
                say(line)
            state['blank'] = not line.strip()
            return
        state['blank'] = True
        word, _, rest = line[len(prefix):].partition(' ')
        if word == 'step':
            steps.append(rest)
        elif word in ('done', 'klog'):
            state[word] = rest
        elif word == 'kline':
            say('kernel: ' + rest)

    say('Booting Linux %s in QEMU (%s) with two edu devices ...'
        % (boot.release, boot.accel))
    end = time.monotonic() + DEMO_SECONDS
    machine.start(on_line)
    try:
        while machine.poll(0.2) and time.monotonic() < end:
            pass
    finally:
        machine.stop()
    good = (len(steps) == DEMO_STEPS and state['done'] == '0' and
            all(s.startswith('ok ') for s in steps) and
            state['klog'] == 'clean' and machine.process.returncode == 0)
    if good:
        say('\nDemo: all %d steps were confirmed.' % DEMO_STEPS)
        return 0
    for line in machine.last_words():
        say('| ' + line)
    say('\nDemo FAILED: confirmed %d of %d steps, end of the script: %s, kernel '
        'log: %s, QEMU: %s' % (
            sum(s.startswith('ok ') for s in steps), DEMO_STEPS,
            state['done'], state['klog'], machine.process.returncode))
    return 1


def shell(options):
    boot = Boot(options, 'shell')
    archive = boot.archive()
    if os.path.isdir(boot.tests):
        boot.add_tests(archive)
    image.add_terminfo(archive, os.environ.get('TERM', ''))
    for path in options.extra:
        if not os.path.isfile(path):
            raise Failure('there is no file %s to put into the machine' % path)
        boot.add_program(archive, 'usr/local/bin/' + os.path.basename(path), path)
    machine = boot.machine(archive, interactive=True)
    say('Booting Linux %s (%s). Leave with "poweroff" or Ctrl-A X.'
        % (boot.release, boot.accel))
    sys.stdout.flush()
    machine.start(lambda line: None)
    try:
        while machine.poll(0.5):
            pass
    finally:
        machine.stop()
    return 0 if machine.process.returncode == 0 else 1
