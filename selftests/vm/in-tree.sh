#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Puts the driver, its interface and its selftests into the sources of a kernel, where
# kbuild and kselftest find them. Called again it brings them up to date, and writes
# nothing that is there already.
#
# usage: in-tree.sh TREE, or make in-tree TREE=.../linux
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=selftests/vm/sync.sh
. "$here/sync.sh"

die() { printf 'in-tree: %s\n' "$*" >&2; exit 1; }

[ -n "${1-}" ] || { echo "usage: make in-tree TREE=.../linux" >&2; exit 2; }
tree=$1
driver=$tree/drivers/misc/labyrinth
uapi=$tree/include/uapi/linux/labyrinth.h
tests=$tree/tools/testing/selftests/labyrinth

# Everything is looked at before anything is written.
for f in Kbuild Kconfig drivers/misc/{Kconfig,Makefile} include/uapi/linux/types.h \
	tools/testing/selftests/{Makefile,lib.mk}; do
	[ -f "$tree/$f" ] || die "$tree holds no sources of a kernel: there is no $f"
done
[ ! -e "$driver" ] || grep -qs '^config LABYRINTH$' "$driver/Kconfig" ||
	die "$driver is another driver"

# hook FILE LINE CONDITION: adds the line, in front of the first one that awk's condition
# is true for, or at the end.
hook() {
	local file=$tree/$1 line=$2
	! grep -qxF -- "$line" "$file" || return 0
	LC_ALL=C awk -v line="$line" \
		"!done && ($3) { print line; done = 1 } { print } END { if (!done) print line }" \
		"$file" >"$file.new"
	mv "$file.new" "$file"
}

sync_dir "$top/driver" "$driver"
cmp -s "$top/uapi/linux/labyrinth.h" "$uapi" || cp "$top/uapi/linux/labyrinth.h" "$uapi"
sync_dir "$top/selftests" "$tests" config settings
# There, programs are built beside their sources.
programs=$(cd "$top/selftests" && echo '# SPDX-License-Identifier: GPL-2.0-only' &&
	printf '/%s\n' *.c | sed 's/\.c$//')
[ "$(cat "$tests/.gitignore" 2>/dev/null)" = "$programs" ] ||
	printf '%s\n' "$programs" >"$tests/.gitignore"

hook drivers/misc/Kconfig 'source "drivers/misc/labyrinth/Kconfig"' '/^endmenu/'
# The dollar signs are make's and awk's.
# shellcheck disable=SC2016
hook drivers/misc/Makefile 'obj-$(CONFIG_LABYRINTH)		+= labyrinth/' 0
# That list is sorted.
# shellcheck disable=SC2016
hook tools/testing/selftests/Makefile 'TARGETS += labyrinth' \
	'/^TARGETS \+= / && $3 > "labyrinth"'
