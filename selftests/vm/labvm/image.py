# SPDX-License-Identifier: GPL-2.0-only
"""Makes the guest's initramfs. We write the archive ourselves: so files belong
to root without our being root, and nothing is copied to a staging folder."""

import glob
import os
import re
import shutil
import stat
import subprocess
import tempfile

from .lanes import VM_DIR, Failure

PASSWD = 'root:x:0:0:root:/tmp:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n'
GROUP = 'root:x:0:\nuser:x:1000:\n'


class Archive:
    """A cpio archive in the "newc" format, which the kernel unpacks at boot."""

    def __init__(self):
        self.entries = {}

    def add(self, path, data, mode):
        path = path.strip('/')
        parent = os.path.dirname(path)
        if parent and parent not in self.entries:
            self.add_dir(parent)
        self.entries[path] = (mode, data)

    def add_dir(self, path):
        self.add(path, b'', stat.S_IFDIR | 0o755)

    def add_text(self, path, text):
        self.add(path, text.encode(), stat.S_IFREG | 0o644)

    def add_link(self, path, target):
        self.add(path, target.encode(), stat.S_IFLNK | 0o777)

    def add_file(self, path, source):
        mode = 0o755 if os.access(source, os.X_OK) else 0o644
        with open(source, 'rb') as f:
            self.add(path, f.read(), stat.S_IFREG | mode)

    def write(self, path):
        with open(path, 'wb') as out:
            for number, name in enumerate(sorted(self.entries), 1):
                mode, data = self.entries[name]
                self._member(out, number, name, mode, data)
            self._member(out, 0, 'TRAILER!!!', 0, b'')

    @staticmethod
    def _member(out, number, name, mode, data):
        name = name.encode() + b'\0'
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0,
                  len(name), 0)
        head = b'070701' + b''.join(b'%08x' % f for f in fields) + name
        out.write(head + b'\0' * (-len(head) % 4))
        out.write(data + b'\0' * (-len(data) % 4))


def is_elf(path):
    with open(path, 'rb') as f:
        return f.read(4) == b'\x7fELF'


def add_program(archive, path, source, library_dir=None):
    """A program with the shared libraries that it needs."""
    archive.add_file(path, source)
    if not is_elf(source):
        return
    env = dict(os.environ, LC_ALL='C')
    if library_dir:
        env['LD_LIBRARY_PATH'] = library_dir
    ldd = subprocess.run(['ldd', source], env=env, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if ldd.returncode:
        return      # static
    found = {}
    for line in ldd.stdout.splitlines():
        words = line.split()
        if 'not found' in line:
            raise Failure('%s needs %s, which is not there'
                          % (source, words[0]))
        if '=>' in words:
            found[words[0]] = words[2]
        elif words and words[0].startswith('/'):
            archive.add_file(words[0], words[0])
    # All beside libc: wherever that is, the loader looks there.
    place = os.path.dirname(found.get('libc.so.6', '/lib/libc.so.6'))
    for soname, source_path in found.items():
        archive.add_file(os.path.join(place, soname), source_path)


def add_terminfo(archive, name):
    """What programs for a full screen have to know of a terminal, and of plain ones."""
    for name in {name, 'linux', 'vt100'} - {''}:
        for place in ('/etc/terminfo', '/lib/terminfo', '/usr/share/terminfo'):
            source = os.path.join(place, name[0], name)
            if os.path.isfile(source):
                archive.add_file(os.path.join('lib/terminfo', name[0], name), source)
                break


def needed_by(path):
    """The shared libraries, and the loader, that a program names."""
    out = subprocess.run(['readelf', '-dl', path], env=dict(os.environ, LC_ALL='C'),
                         check=True, text=True, stdout=subprocess.PIPE).stdout
    return re.findall(r'\(NEEDED\).*\[(.*)\]', out) + \
        re.findall(r'program interpreter: .*/(.*)\]', out)


def add_foreign_program(archive, path, source, library_dir, sysroot):
    """The same for another architecture, where ldd cannot try it out."""
    archive.add_file(path, source)
    if not is_elf(source):
        return
    places = [library_dir] + glob.glob(sysroot + '/lib/*-linux-gnu') + \
        glob.glob(sysroot + '/usr/lib/*-linux-gnu')
    missing = needed_by(source)
    while missing:
        name = missing.pop()
        target = 'lib/' + name
        if target in archive.entries:
            continue
        found = [os.path.join(place, name) for place in places
                 if os.path.exists(os.path.join(place, name))]
        if not found:
            raise Failure('%s needs %s, which is not there' % (source, name))
        archive.add_file(target, found[0])
        missing += needed_by(found[0])


def add_busybox(archive, sysroot):
    busybox = shutil.which('busybox')
    if not busybox:
        raise Failure('busybox is not there; run selftests/vm/setup.sh vm')
    archive.add_file('bin/busybox',
                     os.path.join(sysroot, 'bin/busybox') if sysroot else busybox)
    # That of another architecture is of the same version.
    applets = subprocess.run([busybox, '--list'], check=True, text=True,
                             stdout=subprocess.PIPE).stdout.split()
    for applet in applets:
        if applet != 'busybox':
            archive.add_link('bin/' + applet, 'busybox')


def strip(path, source, prefix):
    """Leaves out what only a debugger reads: most of a module's size."""
    subprocess.run([prefix + 'strip', '--strip-debug', '-o', path, source], check=True)


def find_modules(folder):
    """Every module below a folder that build-module.sh has filled."""
    return sorted(os.path.join(where, name)
                  for where, _, names in os.walk(folder)
                  for name in names if name.endswith('.ko'))


def add_modules(archive, modules, release, kernel_root, cross=''):
    """The modules and what depmod has to say about them."""
    where = 'lib/modules/%s' % release
    with tempfile.TemporaryDirectory() as root:
        extra = os.path.join(root, where, 'extra')
        os.makedirs(extra)
        for module in modules:
            strip(os.path.join(extra, os.path.basename(module)), module, cross)
        for name in ('modules.builtin', 'modules.builtin.modinfo',
                     'modules.order'):
            source = os.path.join(kernel_root, where, name)
            if os.path.exists(source):
                shutil.copy(source, os.path.join(root, where))
        # Not in everyone's PATH.
        path = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'
        depmod = shutil.which('depmod', path=path)
        if not depmod:
            raise Failure('depmod is not there; run selftests/vm/setup.sh vm')
        subprocess.run([depmod, '-b', root, release], check=True)
        for folder, _, names in os.walk(root):
            for name in names:
                full = os.path.join(folder, name)
                archive.add_file(os.path.relpath(full, root), full)


def new_archive(sysroot=None):
    """What every guest has: busybox, our init and its parts. A sysroot is where busybox
    of another architecture is."""
    archive = Archive()
    for folder in ('proc', 'sys', 'dev', 'tmp', 'run', 'selftests'):
        archive.add_dir(folder)
    add_busybox(archive, sysroot)
    archive.add_text('etc/passwd', PASSWD)
    archive.add_text('etc/group', GROUP)
    guest = os.path.join(VM_DIR, 'guest')
    archive.add_file('init', os.path.join(guest, 'init'))
    for name in ('lib.sh', 'tests.sh', 'demo.sh', 'shell.sh', 'shell.rc',
                 'step.sh', 'lane.sh'):
        archive.add_file('vm/' + name, os.path.join(guest, name))
    archive.add_file('usr/local/bin/vm-host', os.path.join(guest, 'vm-host'))
    archive.add_file('vm/steps.sh', os.path.join(VM_DIR, 'demo.sh'))
    return archive
