# SPDX-License-Identifier: GPL-2.0-only
"""What only the host can do for the guest: plug and unplug devices, wake it up, and
write down what its CPU does.

The guest writes one request a line to ttyS2 and reads one line back: "ok", or
"error" and why. device_del is answered as soon as QEMU has accepted it; that the
device is really gone the guest sees by itself. device_add first waits until an
earlier device_del of the same device is through. wakeup SECONDS is answered at once,
and wakes the guest so long after it next has suspended itself to RAM. log NAME writes
each instruction's address to the file instructions-NAME in the work folder, until
log off. Only an emulated CPU can be watched so.
"""

import json
import os
import time

GONE_LIMIT = 60
WAKE_AGAIN = 0.2


class Qmp:
    """QEMU's control socket, one JSON object a line."""

    def __init__(self, send, on_event):
        self.send = send
        self.on_event = on_event
        self.waiting = {}
        self.number = 0

    def on_line(self, line):
        try:
            message = json.loads(line)
        except ValueError:
            return
        if 'QMP' in message:
            self.command('qmp_capabilities', {}, lambda error: None)
        elif 'event' in message:
            self.on_event(message['event'], message.get('data', {}))
        elif message.get('id') in self.waiting:
            error = message.get('error', {}).get('desc')
            self.waiting.pop(message['id'])(error)

    def command(self, name, arguments, done):
        """done(None) when it worked, done(text) when it did not."""
        self.number += 1
        self.waiting[self.number] = done
        self.send(json.dumps({'execute': name, 'arguments': arguments,
                              'id': self.number}) + '\n')


class Host:
    def __init__(self, send_qmp, send_guest, places, work):
        """places: for each device that can be plugged in, where."""
        self.places = places
        self.work = work
        self.qmp = Qmp(send_qmp, self._event)
        self.send_guest = send_guest
        self.leaving = set()
        self.add_later = None    # (device, give up at)
        self.sleep = None        # seconds that the next suspend is to last
        self.wake_at = None

    def request(self, line):
        words = line.split()
        if words == ['ping']:
            self._answer(None)
        elif len(words) == 2 and words[0] == 'device_del':
            self._device_del(words[1])
        elif len(words) == 2 and words[0] == 'device_add':
            self._device_add(words[1])
        elif len(words) == 2 and words[0] == 'wakeup' and words[1].isdigit():
            self.sleep = int(words[1])
            self._answer(None)
        elif words == ['log', 'off']:
            self._monitor(['log none'])
        elif len(words) == 2 and words[0] == 'log' and words[1].isalnum():
            self._log(words[1])
        elif words:
            self._answer('no such request: ' + line)

    def tick(self):
        """To be called now and then, for what has waited too long."""
        if self.add_later and time.monotonic() > self.add_later[1]:
            device, self.add_later = self.add_later[0], None
            self._answer('%s has not left the guest' % device)
        if self.wake_at and time.monotonic() > self.wake_at:
            self.wake_at = None
            self._wake()

    def _answer(self, error):
        self.send_guest('error %s\n' % error if error else 'ok\n')

    def _event(self, name, data):
        device = data.get('device')
        if name == 'DEVICE_DELETED' and device:
            self.leaving.discard(device)
            if self.add_later and self.add_later[0] == device:
                self.add_later = None
                self._plug(device)
        elif name == 'SUSPEND' and self.sleep is not None:
            self.wake_at = time.monotonic() + self.sleep
            self.sleep = None

    def _wake(self):
        """Again until it works: the event comes a little before the state."""
        def done(error):
            if error:
                self.wake_at = time.monotonic() + WAKE_AGAIN
        self.qmp.command('system_wakeup', {}, done)

    def _log(self, name):
        path = os.path.join(self.work, 'instructions-' + name)
        if os.path.exists(path):
            os.unlink(path)
        # A block of instructions that leads to another would hide it from the log.
        self._monitor(['singlestep on', 'logfile ' + path, 'log exec,nochain'])

    def _monitor(self, lines):
        """The monitor's own commands, one after another. They never fail, but talk."""
        def done(error):
            if error or len(lines) == 1:
                self._answer(error)
            else:
                self._monitor(lines[1:])
        self.qmp.command('human-monitor-command', {'command-line': lines[0]},
                         done)

    def _device_del(self, device):
        def done(error):
            if not error:
                self.leaving.add(device)
            self._answer(error)
        self.qmp.command('device_del', {'id': device}, done)

    def _device_add(self, device):
        if device not in self.places:
            self._answer('no such device: ' + device)
        elif device in self.leaving:
            self.add_later = (device, time.monotonic() + GONE_LIMIT)
        else:
            self._plug(device)

    def _plug(self, device):
        self.qmp.command('device_add', dict(self.places[device], driver='edu',
                                            id=device), self._answer)
