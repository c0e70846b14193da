# SPDX-License-Identifier: GPL-2.0-only
"""Which accelerator to use. /dev/kvm can exist, open and create a VM while every
guest hangs early in its boot, so only a timed boot of the very kernel proves it.
The answer is remembered for this host kernel, QEMU and guest kernel."""

import json
import os
import re
import subprocess
import tempfile
import time

from .hardware import HARDWARE
from .image import new_archive
from .lanes import Failure, path_of
from .machine import Machine

PROBE_SECONDS = 10


def choose(kernel, machine, say):
    if HARDWARE[machine].processor != os.uname().machine:
        return 'tcg'
    forced = os.environ.get('ACCEL')
    if forced:
        if forced not in ('kvm', 'tcg'):
            raise Failure('ACCEL is %s; it can be kvm or tcg' % forced)
        return forced
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return 'tcg'
    cache = os.path.join(path_of('cache'), 'accel.json')
    key = '%s, %s, %s' % (os.uname().release, qemu_version(),
                          os.path.realpath(kernel))
    known = {}
    try:
        with open(cache, encoding='utf-8') as f:
            known = json.load(f)
    except (OSError, ValueError):
        pass
    if key not in known:
        say('does KVM work here? booting once to see (at most %d s)'
            % PROBE_SECONDS)
        known[key] = 'kvm' if kvm_boots(kernel) else 'tcg'
        say('it does' if known[key] == 'kvm' else
            'it does not: guests are emulated')
        os.makedirs(os.path.dirname(cache), exist_ok=True)
        partial = '%s.%d' % (cache, os.getpid())
        with open(partial, 'w', encoding='utf-8') as f:
            json.dump(known, f, indent=1)
        os.replace(partial, cache)
    return known[key]


def qemu_version():
    out = subprocess.run(['qemu-system-x86_64', '--version'], text=True,
                         stdout=subprocess.PIPE)
    return (out.stdout.splitlines() or ['no QEMU'])[0]


def kvm_boots(kernel):
    with tempfile.TemporaryDirectory() as work:
        initrd = os.path.join(work, 'initrd')
        new_archive().write(initrd)
        machine = Machine(work, kernel, initrd, 'kvm', memory=256, cpus=2,
                          mode='micro', module=False)
        lines = []
        machine.start(lines.append)
        try:
            deadline = time.monotonic() + PROBE_SECONDS
            while machine.poll(0.1) and time.monotonic() < deadline:
                pass
        finally:
            machine.stop()
        return '@%s done 0' % machine.nonce in lines


def ran_stale_code(console):
    """Did an emulated CPU go on with code that another one had patched since?

    The kernel patches its code with breakpoints. QEMU keeps what it translated, and
    where the CPUs are threads of their own it may, once in a hundred boots, execute a
    breakpoint that is long gone from memory; the kernel then gives up. In a module it
    would be for us to explain, in the kernel's own code it is nothing a driver can do.
    """
    with open(console, encoding='utf-8', errors='replace') as log:
        found = re.search(r'int3: 0000 \[#1\].*?RIP: (.*?)\n', log.read(), re.S)
    return bool(found) and not found.group(1).rstrip().endswith(']')
