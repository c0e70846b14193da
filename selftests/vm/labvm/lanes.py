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
    'Lane', 'name kernel arch memory cpus qemu cmdline sentence')


class Failure(Exception):
    """What keeps us from running at all, in words for the user."""


def read_lanes():
    lanes = {}
    with open(os.path.join(VM_DIR, 'lanes'), encoding='utf-8') as table:
        for line in table:
            if line.startswith('#') or not line.strip():
                continue
            f = [field.strip() for field in line.split('|')]
            lanes[f[0]] = Lane(f[0], f[1], f[2], int(f[3]), int(f[4]),
                               shlex.split(f[5]), f[6], f[7])
    return lanes


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
