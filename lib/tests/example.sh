#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Prints the C program of the README exactly as it stands there, for "make example".
# usage: tests/example.sh README.md
set -eu

awk '
/^```c$/ { blocks++; inside = 1; next }
/^```$/ { if (inside) ended = 1; inside = 0; next }
inside { print; lines++ }
END {
	if (blocks != 1 || !ended || !lines || lines > 40) {
		printf "%s: wanted one C program of at most 40 lines, but there are %d of %d lines\n",
			FILENAME, blocks, lines >"/dev/stderr"
		exit 1
	}
}' "$1"
