#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Configures and builds a kernel of our own, from unpacked sources, and lays out in
# FOLDER what fetch.sh makes of Debian's: vmlinuz, lib/modules, usr/src/linux-headers-*.
#
# usage: build-kernel.sh SOURCES NAME FOLDER    (NAME: configs/NAME.config)
set -eu

[ $# -eq 3 ] || { echo "usage: build-kernel.sh SOURCES NAME FOLDER" >&2; exit 2; }
source=$1 name=$2
configs=$(cd "$(dirname "$0")" && pwd)/configs
mkdir -p "$3"
out=$(cd "$3" && pwd)

kmake() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$source" -j "$(nproc)" "$@"
}

# Every line of a fragment must have survived olddefconfig.
check_config() {
	local line lost=0
	while IFS= read -r line; do
		case $line in
		CONFIG_* | '# CONFIG_'*' is not set') ;;
		*) continue ;;
		esac
		grep -qxF -- "$line" "$source/.config" && continue
		case $line in
		\#*) line=${line#\# } line=${line% is not set}
			grep -q "^$line=" "$source/.config" || continue
			line="# $line is not set" ;;
		esac
		printf 'set-up: the kernel %s has lost: %s\n' "$name" "$line" >&2
		lost=1
	done < <(cat "$configs/base.config" "$configs/$name.config")
	return "$lost"
}

# Shows that something goes on: which folder is being compiled, every few seconds.
progress() {
	awk -v name="$name" '
		BEGIN { srand(); last = srand() }
		{ n++; srand(); now = srand()
		  if (now - last >= 20) {
			printf "set-up: kernel %s: %d objects, now %s\n", name, n, $2
			fflush(); last = now } }'
}

kmake tinyconfig >/dev/null
cat "$configs/base.config" "$configs/$name.config" >>"$source/.config"
kmake olddefconfig 2>/dev/null
check_config

env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$source" -j "$(nproc)" \
	LOCALVERSION="-labyrinth-$name" bzImage modules 2>"$out/build.log" | progress || :
# Without a single module, modpost leaves the symbols under this name only.
if [ ! -s "$source/Module.symvers" ] && [ -s "$source/vmlinux.symvers" ]; then
	cp "$source/vmlinux.symvers" "$source/Module.symvers"
fi
release=$(cat "$source/include/config/kernel.release" 2>/dev/null || :)
if [ ! -s "$source/arch/x86/boot/bzImage" ] || [ ! -s "$source/Module.symvers" ]; then
	tail -n 20 "$out/build.log" >&2
	printf 'set-up: the kernel %s could not be built\n' "$name" >&2
	exit 1
fi

cp "$source/arch/x86/boot/bzImage" "$out/vmlinuz"
cp "$source/.config" "$out/config"
rm "$out/build.log"
kmake LOCALVERSION="-labyrinth-$name" INSTALL_MOD_PATH="$out" modules_install >/dev/null
rm -f "$out/lib/modules/$release/build" "$out/lib/modules/$release/source"
headers=$out/usr/src/linux-headers-$release
mkdir -p "$headers"
(cd "$source" && env -u MAKEFLAGS srctree=. objtree=. SRCARCH=x86 CC=gcc HOSTCC=gcc \
	MAKE=make KCONFIG_CONFIG=.config sh scripts/package/install-extmod-build "$headers")
