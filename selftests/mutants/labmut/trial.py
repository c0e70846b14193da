# SPDX-License-Identifier: GPL-2.0-only
"""Runs tests against what has been planted, and says which of them noticed."""

import os
import re
import signal
import subprocess
import time

from labvm.commands import read_programs
from labvm.lanes import VM_DIR, Failure, find_lane

from . import table, tree
from .results import WORK

PROGRAM_SECONDS = 150   # for a program that does not say how long it may take
BOOT_SECONDS = 180      # besides the programs
HOST_SECONDS = 120
BOOTS = 3

CONTROL = re.compile(r'^@[0-9a-f]+ (\S+) ?(.*)$')
FAILED = re.compile(r'^\s*not ok \d+\s*(?:-\s*)?(.*)$')
LAST_WORDS = re.compile(r'(BUG|WARNING|KASAN|Kernel panic|general protection|'
                        r'DMA-API|hw_error|refcount_t|possible|suspicious).*')


def complaints(raw):
    """What a test or the kernel complained of, so far, oldest first."""
    program, found = None, []
    for line in raw.splitlines():
        m = CONTROL.match(line)
        if m and m.group(1) == 'begin':
            program = m.group(2)
        elif m and m.group(1) == 'conserve' and m.group(2) not in ('begin', '0'):
            found.append('%s: pages are lost' % program)
        elif m and m.group(1) == 'kline':
            found.append('%s: kernel log: %s' % (program, m.group(2).strip()))
        elif m and m.group(1) == 'end' and m.group(2).split()[-2] not in '04':
            found.append('%s: it ended with status %s'
                         % (program, m.group(2).split()[-2]))
        elif FAILED.match(line):
            found.append('%s: %s' % (program, FAILED.match(line).group(1)))
    return found


def read(work, name):
    try:
        with open(os.path.join(work, name), encoding='utf-8', errors='replace') as f:
            return f.read()
    except OSError:
        return ''


def end_of_machine(work):
    """Why a guest went away or hung, from what it said last."""
    program = None
    for line in read(work, 'results.raw').splitlines():
        m = CONTROL.match(line)
        if m and m.group(1) == 'begin':
            program = m.group(2)
    why = LAST_WORDS.search(read(work, 'console.log')) or \
        LAST_WORDS.search(read(work, 'qemu.log'))
    return '%s: %s' % (program, why.group(0).strip() if why else 'it never ended')


def planned_more(work):
    """What the runner says of programs that gave fewer results than they planned."""
    lines = read(work, 'results.ktap').splitlines()
    return [FAILED.match(line).group(1) for line in lines
            if FAILED.match(line) and 'the machine' not in line]


def watch(process, work, patient, limit):
    """Waits for the runner, or only until somebody has complained."""
    end = time.monotonic() + limit + 120
    while process.poll() is None:
        if not patient and complaints(read(work, 'results.raw')):
            process.send_signal(signal.SIGTERM)
            process.wait()
        elif time.monotonic() > end:
            process.kill()
            process.wait()
        time.sleep(0.5)
    return process.returncode


def boot(lane, tests, modules, patient):
    """Who complained in one boot; None if it says nothing about the tests, because it
    came to none or because all of them had ended when the machine failed."""
    work = os.path.join(WORK, 'vm')
    os.makedirs(work, exist_ok=True)
    for name in ('results.raw', 'results.ktap'):
        if os.path.exists(os.path.join(work, name)):
            os.unlink(os.path.join(work, name))
    # No program is without a result because those before it took long.
    programs = read_programs(tree.tests_of(lane), PROGRAM_SECONDS)
    limit = BOOT_SECONDS + sum(s for name, s in programs if name in tests)
    command = [os.path.join(VM_DIR, 'run'), 'test', '--lane', lane, '--work', work,
               '--modules', modules, '--tests', tree.tests_of(lane),
               '--program-limit', str(PROGRAM_SECONDS),
               '--limit', str(limit)]
    for name in tests:
        command += ['--only', name]
    with open(os.path.join(work, 'runner.log'), 'wb') as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT)
        try:
            status = watch(process, work, patient, limit)
        finally:
            process.terminate()     # and so QEMU, if it is we who are ended
            process.wait()
    raw = read(work, 'results.raw')
    if ' begin load' not in raw:
        return None
    found = complaints(raw)
    if status and not found:
        found = planned_more(work)
        if not found and (' done ' not in raw or
                          'Kernel panic' in read(work, 'console.log')):
            found = [end_of_machine(work)]
        return found or None
    return found


def in_vm(lane, tests, patient=False):
    modules = tree.build_module(find_lane(lane).kernel)
    for _ in range(BOOTS):
        found = boot(lane, tests, modules, patient)
        if found is not None:
            return found
    raise Failure('the guest does not come to its first program:\n' +
                  read(os.path.join(WORK, 'vm'), 'runner.log'))


def on_host(tests):
    """Each test is a target of the library's makefile."""
    try:
        done = subprocess.run(
            ['make', '-s', '-C', os.path.join(tree.TREE, 'lib'),
             'O=' + os.path.join(WORK, 'lib'), *tests],
            env={k: v for k, v in os.environ.items() if not k.startswith('MAKE')},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors='replace',
            timeout=HOST_SECONDS)
    except subprocess.TimeoutExpired:
        return ['library: it never ended']
    if ': error: ' in done.stdout:
        raise Failure('it does not compile:\n' + done.stdout)
    found = ['library: ' + FAILED.match(line).group(1)
             for line in done.stdout.splitlines() if FAILED.match(line)]
    if done.returncode and not found:
        found = ['library: ' + (done.stdout.strip().splitlines() or ['?'])[-1]]
    return found


def run(mutant):
    """Plants a mutant, and gives those who noticed."""
    tree.plant(mutant)
    if mutant.lane == table.HOST:
        return on_host(mutant.tests)
    return in_vm(mutant.lane, mutant.tests)


def without_any(lane, tests):
    """The same tests with no bug planted: none of them may complain."""
    tree.plant(None)
    if lane == table.HOST:
        return on_host(tests)
    return in_vm(lane, tests, patient=True)
