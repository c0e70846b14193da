# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# The Debian packages this project needs, one variable for each purpose. Sourced
# by setup.sh; the set-up of a purpose is skipped when all of its packages are there.

# Compiling the module (gcc-12 is what Debian's kernel headers ask for, libelf is
# for objtool, dwarves for the module's BTF), the library and the command.
PACKAGES_BUILD="gcc g++ gcc-12 libc6-dev make pkg-config kmod libelf-dev dwarves
	libkmod-dev libsmartcols-dev libmd-dev libncurses-dev scdoc"

# Booting it: the emulator, the guest's user space, 32-bit test programs, and xz
# for the sources of the kernel.
PACKAGES_VM="python3 qemu-system-x86 busybox-static gcc-multilib kmod xz-utils"

# Testing the library and the command on this machine: a terminal, JSON schemas, manual
# pages, the library's binary interface, and the shells whose completion there is.
PACKAGES_TESTS="tmux procps python3-jsonschema man-db mandoc abigail-tools bash zsh fish"

# Looking at the sources.
PACKAGES_LINT="sparse shellcheck perl pyflakes3 pycodestyle gcc-multilib g++"

# Building a kernel of our own.
PACKAGES_KERNEL="bison flex bc"

# Building in the kernel's sources, with Debian's configuration, and installing selftests.
PACKAGES_TREE="bison flex bc libssl-dev rsync"

# The arm64 lane: its emulator, and the libraries of its linker.
PACKAGES_ARM64="qemu-system-arm binutils-aarch64-linux-gnu"

# The compiler for it is fetched, not installed: the package conflicts with gcc-multilib.
COMPILER_ARM64="gcc-12-aarch64-linux-gnu cpp-12-aarch64-linux-gnu
	binutils-aarch64-linux-gnu libgcc-12-dev-arm64-cross libgcc-s1-arm64-cross
	libc6-arm64-cross libc6-dev-arm64-cross linux-libc-dev-arm64-cross"

# What the guest and the command need there. The development packages have the names
# that the linker looks for.
LIBRARIES_ARM64="busybox-static libc6 libkmod2 libkmod-dev libsmartcols1 libsmartcols-dev
	libmd0 libmd-dev libncursesw6 libncurses-dev libtinfo6 libzstd1 liblzma5 libssl3"

# Adding up what the tests reach.
PACKAGES_COVERAGE="lcov"

# Drawing the bench's charts.
PACKAGES_BENCH="gnuplot-nox"

# Searching the states of the ownership protocol's model.
PACKAGES_MODEL="spin"

# Trying our own packages, and what is in the two systems where that is done.
PACKAGES_PACKAGES="mmdebstrap e2fsprogs"
PACKAGES_CHROOT_BUILD="build-essential lintian autopkgtest"
PACKAGES_CHROOT_USER="systemd-sysv udev initramfs-tools build-essential pkg-config
	linux-image-amd64 linux-headers-amd64 linux-image-6.12-amd64 linux-headers-6.12-amd64"
