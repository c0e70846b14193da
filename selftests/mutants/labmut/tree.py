# SPDX-License-Identifier: GPL-2.0-only
"""A copy of the sources to plant bugs in. Only what differs is written, so that only
what has changed is compiled."""

import os
import shutil
import subprocess

from labvm.lanes import BUILD, TOP, Failure, find_lane, path_of

from .results import WORK

TREE = os.path.join(WORK, 'tree')
FOLDERS = ('driver', 'uapi', 'lib', 'selftests/module', 'selftests/vm')
FILES = ('README.md',)


def files():
    yield from FILES
    for folder in FOLDERS:
        for where, folders, names in os.walk(os.path.join(TOP, folder)):
            folders[:] = [f for f in folders if f != '__pycache__']
            for name in names:
                yield os.path.relpath(os.path.join(where, name), TOP)


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def write_if_new(path, content, like):
    if os.path.exists(path) and read(path) == content:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(content)
    shutil.copymode(like, path)


def plant(mutant):
    """Makes the copy what the sources are, with one bug; with none for None."""
    wanted = set()
    for name in files():
        original = os.path.join(TOP, name)
        content = read(original)
        if mutant and mutant.file == name:
            content = mutant.apply(content.decode()).encode()
        write_if_new(os.path.join(TREE, name), content, original)
        wanted.add(name)
    for folder in FOLDERS:
        for where, _, names in os.walk(os.path.join(TREE, folder)):
            for name in names:
                path = os.path.join(where, name)
                if os.path.relpath(path, TREE) not in wanted:
                    os.unlink(path)


def build_module(kernel):
    """Gives the folder with the modules."""
    out = os.path.join(WORK, 'kbuild', kernel)
    done = subprocess.run(
        [os.path.join(TREE, 'selftests/vm/build-module.sh'),
         path_of('headers', kernel), out],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Failure('it does not compile:\n' + done.stdout)
    return out


def tests_of(lane):
    """The built test programs of a lane, each with the time that they get here: a
    mutant that hangs need not hang for long."""
    arch = find_lane(lane).arch
    built = os.path.join(BUILD, 'selftests', arch)
    linked = os.path.join(WORK, 'selftests', arch)
    if not os.path.exists(os.path.join(built, 'programs')):
        raise Failure('the test programs are not built: run make selftests-%s' % arch)
    shutil.rmtree(linked, ignore_errors=True)
    shutil.copytree(built, linked, copy_function=os.link)
    os.unlink(os.path.join(linked, 'programs'))
    with open(os.path.join(built, 'programs'), encoding='utf-8') as f:
        names = [line.split()[0] for line in f if line.split()]
    with open(os.path.join(linked, 'programs'), 'w', encoding='utf-8') as f:
        f.writelines(name + '\n' for name in names)
    return linked
