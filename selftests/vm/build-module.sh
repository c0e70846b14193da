#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Builds labyrinth.ko, and the modules that only tests load, against one kernel's
# headers, from a copy of the sources of its own: so builds for several kernels never
# mix, and the tree stays clean. Every .ko in FOLDER goes into the guest.
#
# usage: build-module.sh HEADERS FOLDER [MAKE ARGUMENT...]
set -eu

[ $# -ge 2 ] || { echo "usage: build-module.sh HEADERS FOLDER [ARG...]" >&2; exit 2; }
headers=$1 out=$2
shift 2
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=selftests/vm/sync.sh
. "$top/selftests/vm/sync.sh"

[ -e "$headers/Makefile" ] || {
	echo "no kernel headers at $headers" >&2
	exit 1
}

# For another machine than this one.
if grep -qsx CONFIG_ARM64=y "$headers/.config"; then
	ARCH=arm64 CROSS_COMPILE=$("$top/selftests/vm/paths.sh" cross arm64)
	export ARCH CROSS_COMPILE
fi

# Another kernel's objects are of no use, even where kbuild would think so.
real=$(realpath "$headers")
if [ "$(cat "$out/.headers" 2>/dev/null)" != "$real" ]; then
	rm -rf "${out:?}/driver" "$out/selftests"
	mkdir -p "$out"
	printf '%s\n' "$real" >"$out/.headers"
fi

sync_dir "$top/driver" "$out/driver"
sync_dir "$top/uapi/linux" "$out/uapi/linux"
sync_dir "$top/selftests/module" "$out/selftests/module"

# kbuild FOLDER ARGUMENT...: neither the flags nor the jobs of an outer make are meant
# for it. That some headers come without the vmlinux which BTF needs is no news.
out=$(cd "$out" && pwd)
kbuild() {
	local folder=$1
	shift
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make --no-print-directory -s \
		-C "$headers" -j "$(nproc)" M="$folder" W=1 KCFLAGS=-Werror "$@" modules \
		2> >(grep -v '^Skipping BTF generation' >&2)
}

kbuild "$out/driver" "$@"
# Versions of the driver's symbols are in the modules that use them, which kbuild does
# not link again for their sake: the kernel would refuse to load them.
if ! cmp -s "$out/driver/Module.symvers" "$out/.symvers"; then
	rm -rf "${out:?}/selftests/module"
	sync_dir "$top/selftests/module" "$out/selftests/module"
	cp "$out/driver/Module.symvers" "$out/.symvers"
fi
kbuild "$out/selftests/module" KBUILD_EXTRA_SYMBOLS="$out/driver/Module.symvers" "$@"
