#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The binary interface is the one of liblabyrinth.abi: programs that are installed go on
# working. What is added on purpose goes there with "make abi".
# usage: tests/abi.sh BUILD UAPI, from the library's folder
set -u
export LC_ALL=C

build=$1
uapi=$2
# shellcheck source=lib/tests/tap.sh
. tests/tap.sh

# compare BUILD: every difference counts, also what is new. Interface is compared with
# interface, not with the library, which holds what programs cannot see as well.
compare()
{
	make -s abi O="$1" UAPI="$uapi" ABI="$scratch/new.abi" &&
		abidiff liblabyrinth.abi "$scratch/new.abi"
}

# variant FILES EXPRESSION: the library with that change to a copy of its sources
variant()
{
	rm -rf "${scratch:?}/lib"
	mkdir "$scratch/lib"
	cp -R ./*.c ./*.h ./*.map ./*.in ./*.mk Makefile include man "$scratch/lib"
	for file in $1; do
		sed -i "$2" "$scratch/lib/$file"
		! cmp -s "$file" "$scratch/lib/$file" || return
	done
	make -s -C "$scratch/lib" abi O="$scratch/lib/build" UAPI="$uapi" ABI="$scratch/new.abi"
}

same_with()
{
	variant "$@" && abidiff liblabyrinth.abi "$scratch/new.abi"
}

notices()
{
	variant "$@" && ! abidiff liblabyrinth.abi "$scratch/new.abi"
}

uapi=$(cd "$uapi" && pwd)
unset MAKEFLAGS MAKELEVEL
plan 5
if test "$(uname -m)" != x86_64; then
	for name in "the binary interface is the committed one" "2" "3" "4" "5"; do
		skip "$name" "the committed one is that of x86_64"
	done
else
	ok "the binary interface is the committed one (if it shall not be: make -C lib abi)" \
		compare "$build"
	ok "what programs cannot see may change" \
		same_with internal.h 's/^\tpid_t opener;/\tpid_t opener, other;/'
	ok "a function that is no longer there is noticed" \
		notices liblabyrinth.map '/labyrinth_buf_handle/d'
	ok "so is an argument of another type" \
		notices "include/labyrinth.h internal.h event.c" 's/int timeout_ms)/long timeout_ms)/'
	ok "so is a larger struct" \
		notices include/labyrinth.h 's/^\tuint64_t deadline_ns;/&\n\tuint64_t more;/'
fi
finish
