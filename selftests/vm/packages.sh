# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# The Debian packages this project needs, one variable for each purpose. Sourced
# by setup.sh; the set-up of a purpose is skipped when all of its packages are there.

# Compiling the module (gcc-12 is what Debian's kernel headers ask for, libelf is
# for objtool, dwarves for the module's BTF), the library and the command.
PACKAGES_BUILD="gcc g++ gcc-12 libc6-dev make pkg-config kmod libelf-dev dwarves
	libkmod-dev libsmartcols-dev libmd-dev scdoc"

# Booting it: the emulator, the guest's user space, 32-bit test programs, and xz
# for the sources of the kernel.
PACKAGES_VM="python3 qemu-system-x86 busybox-static gcc-multilib kmod xz-utils"

# Looking at the sources.
PACKAGES_LINT="sparse shellcheck perl pyflakes3 pycodestyle gcc-multilib g++"

# Building a kernel of our own.
PACKAGES_KERNEL="bison flex bc"

# Drawing the bench's charts.
PACKAGES_BENCH="gnuplot-nox"
