# SPDX-License-Identifier: GPL-2.0-only
"""The table of lanes, and the paths of what a lane needs."""

import collections
import os
import shlex
import subprocess

VM_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP = os.path.dirname(os.path.dirname(VM_DIR))
BUILD = os.path.join(TOP, 'build')

Lane = collections.namedtuple(
    'Lane',
    'name kernel arch machine memory cpus holds short only without qemu cmdline '
    'sentence')


class Failure(Exception):
    """What keeps us from running at all, in words for the user."""


def read_lanes():
    lanes = {}
    with open(os.path.join(VM_DIR, 'lanes'), encoding='utf-8') as table:
        for line in table:
            if line.startswith('#') or not line.strip():
                continue
            if not line[0].isspace():
                row = [field.strip() for field in line.split('|')]
                more = dict.fromkeys(
                    ('holds', 'short', 'only', 'qemu', 'kernel', 'for'), '')
                more['without'] = {}
                lanes[row[0]] = (row, more)
            else:
                key, _, text = line.strip().partition('\t')
                if key == 'without':
                    name, _, reason = text.strip().partition(' ')
                    more[key][name] = reason
                else:
                    more[key] += text.strip() + ' '
    return {name: lane_of(*lane) for name, lane in lanes.items()}


def lane_of(row, more):
    name, kernel, arch, machine, memory, cpus = row
    return Lane(name, kernel, arch, machine, int(memory), int(cpus),
                more['holds'].split(), more['short'].split(),
                more['only'].split(), more['without'],
                shlex.split(more['qemu']), more['kernel'].strip(),
                more['for'].strip())


def find_lane(name):
    lanes = read_lanes()
    if name not in lanes:
        raise Failure('no such lane: %s (there are: %s)'
                      % (name, ', '.join(lanes)))
    return lanes[name]


def path_of(*what):
    """Asks paths.sh, the only place that knows the cache's layout."""
    return subprocess.run(
        [os.path.join(VM_DIR, 'paths.sh'), *what], check=True,
        stdout=subprocess.PIPE, text=True).stdout.strip()
