# SPDX-License-Identifier: GPL-2.0-only
"""The machines that QEMU emulates: where the serial ports are, and the edu devices.

Three ports: the guest's console, results, requests to the host. Both devices can be
unplugged while the guest runs, which takes a slot of their own where the bus is PCI
Express. There the guest looks at the slot alone and not at the whole bus, so plugging
is ten times as fast as on a PC.
"""

import collections

NAMES = ('edu0', 'edu1')

# processor: QEMU's name of it. tty: the guest's names for the three ports. ports: the
# arguments that make them, of a character device each. slots: arguments. edu: for each
# device, where it is plugged.
Hardware = collections.namedtuple(
    'Hardware', 'machine processor cpu tty ports slots edu')

# SMEP and SMAP catch a driver that touches user memory by itself. The model is
# otherwise plain: see the measurements with "max". Without CX16, because QEMU 7.2
# leaves garbage in the flags after cmpxchg16b once a guest has been resumed: one with
# the trap flag in it ended every second suspend of Linux 6.12 with a debug exception in
# the page allocator.
X86_CPU = 'qemu64,+smep,+smap,-cx16'
X86_TTY = ('ttyS0', 'ttyS1', 'ttyS2')
ISA_PORTS = tuple(('-serial', 'chardev:' + name)
                  for name in ('console', 'results', 'requests'))
# In front of the devices, so that nothing that is plugged in changes their order.
VIRT_PORTS = (('-serial', 'chardev:console'),
              ('-device', 'pci-serial,chardev=results,addr=0x4'),
              ('-device', 'pci-serial,chardev=requests,addr=0x5'))

SLOTS = tuple(
    argument for number in range(len(NAMES))
    for argument in ('-device', 'pcie-root-port,id=slot%d,chassis=%d,addr=0x%x'
                     % (number, number + 1, 0x10 + number)))
IN_SLOTS = {name: {'bus': 'slot%d' % number, 'addr': '0x0'}
            for number, name in enumerate(NAMES)}
ON_THE_BUS = {name: {'addr': '0x%x' % (0x10 + number)}
              for number, name in enumerate(NAMES)}

HARDWARE = {
    'pc': Hardware('pc', 'x86_64', X86_CPU, X86_TTY, ISA_PORTS, (), ON_THE_BUS),
    'q35': Hardware('q35', 'x86_64', X86_CPU, X86_TTY, ISA_PORTS, SLOTS, IN_SLOTS),
    'virt': Hardware('virt', 'aarch64', 'cortex-a57', ('ttyAMA0', 'ttyS0', 'ttyS1'),
                     VIRT_PORTS, SLOTS, IN_SLOTS),
}


def edu_arguments(hardware):
    """The devices, as QEMU's command line wants them."""
    arguments = []
    for name in NAMES:
        place = ''.join(',%s=%s' % item for item in hardware.edu[name].items())
        arguments += ['-device', 'edu,id=%s%s' % (name, place)]
    return arguments
