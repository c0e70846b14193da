#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What "make install" puts where: a program is built with what pkg-config says, wherever
# the library has been installed to, and "make uninstall" leaves nothing.
# usage: tests/install.sh BUILD, from the library's folder
set -u

build=$1
cc=${CC:-cc}
# shellcheck source=lib/tests/tap.sh
. tests/tap.sh

root=$scratch/root

# in_place TARGET PREFIX: wherever the make that calls us would put it
in_place()
{
	env -u MAKEFLAGS -u libdir -u includedir -u mandir -u docdir \
		make -s "$1" O="$build" DESTDIR="$root" prefix="$2"
}

# program PREFIX: as a user builds and runs it
program()
{
	printf '#include <labyrinth.h>\nint main(void) { return !labyrinth_strerror(); }\n' \
		>"$scratch/main.c"
	flags=$(PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_PATH=$root$1/lib/pkgconfig \
		pkg-config --cflags --libs liblabyrinth) || return
	# Several words.
	# shellcheck disable=SC2086
	"$cc" -o "$scratch/main" "$scratch/main.c" $flags &&
		LD_LIBRARY_PATH=$root$1/lib "$scratch/main"
}

left()
{
	! find "$root" ! -type d | grep .
}

plan 5
ok "it is installed below one prefix" in_place install /opt/one
ok "and below another, from the same build" in_place install /opt/two
ok "a program finds the first" program /opt/one
ok "a program finds the second" program /opt/two
in_place uninstall /opt/one
in_place uninstall /opt/two
ok "uninstalling leaves nothing" left
finish
