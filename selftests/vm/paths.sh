#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Prints where set-up keeps what it has fetched. It fetches nothing and succeeds
# whether or not the path is there yet, so that a makefile can call it at any time.
set -eu

cache=${XDG_CACHE_HOME:-$HOME/.cache}/labyrinth

usage() {
	cat >&2 <<-END
	usage: paths.sh cache             the cache folder
	       paths.sh source            scripts and selftests folders of the kernel's sources
	       paths.sh tree              all of the kernel's sources
	       paths.sh kselftest         lib.mk, kselftest_harness.h
	       paths.sh sysroot ARCH      compiler, libraries, busybox for another machine
	       paths.sh cross ARCH        what the names of its compiler and binutils begin with
	       paths.sh chroot NAME       a whole Debian system (build, user)
	       paths.sh kernel NAME       what belongs to one kernel (stock, next, rt)
	       paths.sh vmlinuz NAME      its bootable image
	       paths.sh headers NAME      the folder to build modules against
	       paths.sh release NAME      its uname -r
	END
	exit 2
}

# The release is the name of the only folder of headers that is not the common one.
release() {
	local dir
	for dir in "$1"/usr/src/linux-headers-*; do
		case $dir in
		*-common | *-common-rt | *'*') ;;
		*) printf '%s\n' "${dir##*/linux-headers-}" ;;
		esac
	done
}

kernel=$cache/kernels/${2-}
case ${1-} in
cache) printf '%s\n' "$cache" ;;
source) printf '%s\n' "$cache/source" ;;
tree) printf '%s\n' "$cache/tree" ;;
kselftest) printf '%s\n' "$cache/source/tools/testing/selftests" ;;
sysroot | cross)
	[ $# -eq 2 ] || usage
	case $1/$2 in
	sysroot/*) printf '%s\n' "$cache/sysroots/$2" ;;
	cross/arm64) printf '%s\n' "$cache/sysroots/$2/usr/bin/aarch64-linux-gnu-" ;;
	esac
	;;
chroot | kernel | vmlinuz | headers | release)
	[ $# -eq 2 ] || usage
	case $1 in
	chroot) printf '%s\n' "$cache/chroots/$2" ;;
	kernel) printf '%s\n' "$kernel" ;;
	vmlinuz) printf '%s\n' "$kernel/vmlinuz" ;;
	headers) printf '%s\n' "$kernel/usr/src/linux-headers-$(release "$kernel")" ;;
	release) release "$kernel" ;;
	esac
	;;
*) usage ;;
esac
