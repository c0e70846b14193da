#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The library's interface: header, symbol map and exported symbols agree, and the
# header is clean in every language it promises. Needs no device.
# usage: tests/interface.sh BUILD UAPI, from the library's folder
set -u
export LC_ALL=C

build=$1
uapi=$2
cc=${CC:-cc}
cxx=${CXX:-c++}
header=include/labyrinth.h
# shellcheck source=lib/tests/tap.sh
. tests/tap.sh

declared()
{
	# A prototype starts in the first column; the map and comments do not.
	sed -n 's/^[a-z][a-z0-9_ ]*[ *]\(labyrinth_[a-z0-9_]*\)(.*/\1/p' "$header" | sort
}

mapped()
{
	sed -n 's/^\t\(labyrinth_[a-z0-9_]*\);$/\1/p' liblabyrinth.map | sort
}

exported()
{
	nm -D --defined-only "$build/liblabyrinth.so.1" |
		awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort
}

stray_globals()
{
	! nm --defined-only -g "$build/liblabyrinth.a" |
		awk 'NF == 3 && $3 !~ /^(lib)?labyrinth_/ { print $3 }' | grep .
}

documented()
{
	declared | while read -r function; do
		grep -q "^ \* $function() - " "$header" || {
			echo "$function has no kernel-doc"
			return 1
		}
	done
}

# compile COMPILER OPTION...: the header alone, every warning an error
compile()
{
	"$@" -Wall -Wextra -Werror -pedantic -fsyntax-only -Iinclude -isystem "$uapi"
}

uses_header()
{
	printf '#include <labyrinth.h>\n'
	printf 'int main(void)\n{\n\treturn labyrinth_strerror() == NULL;\n}\n'
}

soname()
{
	readelf -d "$build/liblabyrinth.so" | grep -q 'SONAME.*\[liblabyrinth\.so\.1\]'
}

links_as_cxx()
{
	uses_header >"$scratch/main.cc"
	"$cxx" -Iinclude -I"$uapi" -o "$scratch/main" "$scratch/main.cc" \
		"$build/liblabyrinth.a" && "$scratch/main"
}

uses_header >"$scratch/main.c"
declared >"$scratch/declared"
mapped >"$scratch/mapped"
exported >"$scratch/exported"

plan 14
ok "the header declares functions" test -s "$scratch/declared"
ok "header and symbol map name the same functions" \
	diff "$scratch/declared" "$scratch/mapped"
ok "exactly the mapped symbols are exported" diff "$scratch/mapped" "$scratch/exported"
ok "the static library defines no foreign global names" stray_globals
ok "every function has kernel-doc" documented
ok "the soname is liblabyrinth.so.1" soname
for standard in c99 c11 c17; do
	ok "the header compiles as $standard" \
		compile "$cc" "-std=$standard" -x c "$scratch/main.c"
done
for standard in c++11 c++17 c++20; do
	ok "the header compiles as $standard" \
		compile "$cxx" "-std=$standard" -x c++ "$scratch/main.c"
done
ok "a C++ program links and runs" links_as_cxx
ok "the pkg-config file is complete" sh -c "! grep -n '@' '$build/liblabyrinth.pc'"
finish
