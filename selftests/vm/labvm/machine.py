# SPDX-License-Identifier: GPL-2.0-only
"""One QEMU process and its channels.

Of the guest's serial ports the first is its console and goes to a file, the second
carries results, the third requests to the host. Results have their own channel because
a console carries whatever the kernel says, and because silence on it must never look
like success.
"""

import ctypes
import os
import re
import secrets
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .hardware import HARDWARE, edu_arguments
from .host import Host
from .lanes import Failure

ESCAPE = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]|\x1bc')
APPEND = 'quiet panic=-1 oops=panic panic_on_warn=1 no_console_suspend'


def die_with_parent():
    """Runs in the child: a killed runner must not leave QEMU behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


class Channel:
    """One serial port or control socket, cut into lines."""

    def __init__(self, path, on_line):
        self.on_line = on_line
        self.rest = b''
        self.connection = None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.listener.setblocking(False)

    def send(self, text):
        if self.connection:
            try:
                self.connection.sendall(text.encode())
            except OSError:
                pass        # QEMU is gone; its exit is noticed elsewhere

    def receive(self):
        """False at the end of the stream."""
        try:
            data = self.connection.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        *lines, self.rest = (self.rest + data).split(b'\n')
        for line in lines:
            self.on_line(line.decode(errors='replace').rstrip('\r'))
        return bool(data)

    def close(self):
        for s in (self.connection, self.listener):
            if s:
                s.close()


class Machine:
    def __init__(self, work, kernel, initrd, accel, memory=512, cpus=2,
                 qemu=(), cmdline='', mode='tests', module=True,
                 interactive=False, cpu=None, hardware='pc'):
        if not os.path.exists(kernel):
            raise Failure('there is no kernel at %s' % kernel)
        self.nonce = secrets.token_hex(8)
        self.work = work
        self.module = module
        self.console = None if interactive else \
            os.path.join(work, 'console.log')
        self.hardware = HARDWARE[hardware]
        cpu = cpu or ('host' if accel == 'kvm' else self.hardware.cpu)
        self.command = self._command(kernel, initrd, accel, memory, cpus, cpu,
                                     list(qemu), cmdline, mode, module)
        self.process = None
        self.sockets = None
        self.selector = selectors.DefaultSelector()

    def _command(self, kernel, initrd, accel, memory, cpus, cpu, qemu, cmdline,
                 mode, module):
        hardware = self.hardware
        name = 'qemu-system-' + hardware.processor
        qemu_program = shutil.which(name)
        if not qemu_program:
            raise Failure('%s is not there; run selftests/vm/setup.sh %s' % (
                name, 'vm' if hardware.processor == 'x86_64' else 'arm64'))
        append = ('console=%s vm_results=%s vm_requests=%s' % hardware.tty +
                  ' %s vm_nonce=%s vm_mode=%s vm_module=%d %s' % (
                      APPEND, self.nonce, mode, module, cmdline))
        # What a lane adds may be an IOMMU, which must be there before the devices.
        return [qemu_program, '-M', hardware.machine, '-accel', accel, '-cpu', cpu,
                '-m', str(memory), '-smp', str(cpus), '-nodefaults',
                '-display', 'none', '-no-reboot', '-kernel', kernel,
                '-initrd', initrd, '-append', append.strip(),
                *qemu, *hardware.slots, *edu_arguments(hardware)]

    def start(self, on_result):
        self.sockets = tempfile.mkdtemp(prefix='labyrinth-')
        self.results = self._channel('results', on_result)
        self.requests = self._channel('requests', self._request)
        self.control = self._channel('control', self._control)
        self.host = Host(self.control.send, self.requests.send,
                         self.hardware.edu, self.work)
        if self.console:
            serial = ['-chardev', 'file,id=console,path=' +
                      self.console.replace(',', ',,')]
        else:
            serial = ['-chardev', 'stdio,id=console,mux=on,signal=off',
                      '-mon', 'chardev=console']
        for name in ('results', 'requests', 'control'):
            serial += ['-chardev', 'socket,id=%s,path=%s' % (
                name, os.path.join(self.sockets, name))]
        for port in self.hardware.ports:
            serial += port
        serial += ['-mon', 'chardev=control,mode=control']
        with open(os.path.join(self.work, 'qemu.log'), 'wb') as log:
            self.process = subprocess.Popen(
                self.command + serial, stderr=log,
                stdout=log if self.console else None,
                stdin=subprocess.DEVNULL if self.console else None,
                preexec_fn=die_with_parent)

    def poll(self, timeout):
        """Passes on what has come; True as long as QEMU runs."""
        ended = self.process.poll() is not None
        self._select(0 if ended else timeout)
        self.host.tick()
        while ended and self._select(0):
            pass
        return not ended

    def stop(self):
        """Ends QEMU if need be, and gives its exit status."""
        if self.process:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
        for channel in (self.results, self.requests, self.control):
            channel.close()
        self.selector.close()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def wait_for_exit(self, seconds):
        deadline = time.monotonic() + seconds
        while self.poll(0.05):
            if time.monotonic() > deadline:
                return False
        return True

    def has_panicked(self):
        """As it powered off, too, where QEMU ends as if nothing had happened."""
        with open(self.console, encoding='utf-8', errors='replace') as f:
            return 'Kernel panic' in f.read()

    def last_words(self, count=80):
        """The end of the console, and what QEMU itself had to say.

        A panic takes up to 60 lines, most on PREEMPT_RT; its first says why.
        """
        lines = []
        for name in ('console.log', 'qemu.log'):
            path = os.path.join(self.work, name)
            if os.path.exists(path):
                with open(path, encoding='utf-8', errors='replace') as f:
                    text = ESCAPE.sub('', f.read())
                some = [line.rstrip() for line in text.splitlines()]
                lines += [line for line in some if line][-count:]
        return lines

    def _channel(self, name, on_line):
        channel = Channel(os.path.join(self.sockets, name), on_line)
        self.selector.register(channel.listener, selectors.EVENT_READ, channel)
        return channel

    def _request(self, line):
        self.host.request(line)

    def _control(self, line):
        self.host.qmp.on_line(line)

    def _select(self, timeout):
        ready = self.selector.select(timeout)
        for key, _ in ready:
            channel = key.data
            if key.fileobj is channel.listener:
                channel.connection, _ = channel.listener.accept()
                channel.connection.setblocking(True)
                self.selector.register(channel.connection,
                                       selectors.EVENT_READ, channel)
            elif not channel.receive():
                self.selector.unregister(channel.connection)
        return bool(ready)
