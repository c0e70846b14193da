#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The manual: that every exported function has a page, and that the pages are written well.
# usage: tests/man.sh FOLDER, from the library's folder
set -u
export LC_ALL=C.UTF-8

folder=$1
# shellcheck source=lib/tests/tap.sh
. tests/tap.sh

exported()
{
	sed -n 's/^\t\(labyrinth_[a-z0-9_]*\);$/\1/p' liblabyrinth.map
}

# By its own name, and named in that page.
has_page()
{
	for function in $(exported); do
		sed -n '/^\.SH NAME/,/^\.SH SYN/p' "$folder/$function.3" |
			tr -d '\\&' | grep -qE "(^|[ ,])${function}[ ,]" || {
			echo "$function has no page"
			return 1
		}
	done
}

no_other_page()
{
	for page in "$folder"/labyrinth_*.3; do
		function=$(basename "$page" .3)
		exported | grep -qx "$function" || {
			echo "$function has a page, but is not exported"
			return 1
		}
	done
}

# What scdoc puts before every paragraph is no fault of the text.
well_written()
{
	mandoc -Tlint -W warning "$1" >"$scratch/lint"
	! grep -v 'skipping paragraph macro' "$scratch/lint" &&
		test -z "$(man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 >/dev/null)"
}

all_well_written()
{
	for page in "$folder"/*.[1-9]; do
		well_written "$page" || {
			echo "$page is not"
			return 1
		}
	done
}

# tells_of WORD PAGE
tells_of()
{
	man -E UTF-8 -l "$folder/$2" | grep -qF -e "$1"
}

# Which struct goes with which ioctl, by the names that both have.
has_synopsis()
{
	for call in INFO STAT ACQUIRE RELEASE COPY GIVE TAKE; do
		struct=labyrinth_$(echo $call | tr '[:upper:]' '[:lower:]')
		tells_of "int ioctl(int fd, LABYRINTH_$call, struct $struct *arg);" labyrinth.4 &&
			tells_of "The argument of LABYRINTH_$call." labyrinth.4 || return
	done
}

# meaning CONSTANT: what labyrinth(4) says of it
meaning()
{
	MANWIDTH=1000 man -E UTF-8 -l "$folder/labyrinth.4" | sed '1,/^CONSTANTS/d' |
		sed -n "/^ *$1$/{n;s/^ *//p}"
}

# One without a comment of its own is left out, and takes none from the lines below.
takes_no_other_comment()
{
	mkdir -p "$scratch/pages"
	sed '/^#define LABYRINTH_TYPE\t/a/* Of what comes next. */' \
		../uapi/linux/labyrinth.h >"$scratch/header.h"
	python3 man/manpages node "$scratch/header.h" "$scratch/pages" &&
		grep -q 'LABYRINTH\\_CAP\\_COPY' "$scratch/pages/labyrinth.4.scd" &&
		! grep 'LABYRINTH\\_TYPE\|what comes next' "$scratch/pages/labyrinth.4.scd"
}

constants_are_right()
{
	test -z "$(meaning LABYRINTH_TYPE)" &&
		test "$(meaning LABYRINTH_CAP_COPY)" = "LABYRINTH_COPY and events" &&
		test "$(meaning LABYRINTH_EVENT_COPY)" = "a COPY has ended"
}

# The first sentence is that of the comment, also where a page is of one function only.
described()
{
	for page in "$folder"/labyrinth_*.3; do
		man -E UTF-8 -l "$page" | sed -n '/^DESCRIPTION/,/^[RES][A-Z]/p' |
			grep -q '^  *[A-Z].*[a-z]' || {
			echo "$page tells nothing"
			return 1
		}
	done
}

# As long as a terminal is 80 columns wide.
fits()
{
	for page in "$folder"/labyrinth_*.3; do
		MANWIDTH=80 man -E UTF-8 -l "$page" | sed '/^DESCRIPTION/,$d' | grep '.\{81\}' && {
			echo "$page is too wide"
			return 1
		}
	done
	return 0
}

# lines: without the space in and between them
lines()
{
	tr -d '[:blank:]' | grep .
}

shows_program()
{
	MANWIDTH=120 man -E UTF-8 -l "$folder/liblabyrinth.3" |
		sed '1,/^EXAMPLES/d; /Longer ones/,$d' | lines >"$scratch/shown"
	tests/example.sh ../README.md | lines | diff - "$scratch/shown"
}

# summary_is FUNCTION SUMMARY: what apropos prints for each of the names in its page
summary_is()
{
	test "$(lexgrog "$folder/$1.3" | sed 's/.* - //; s/"$//' | sort -u)" = "$2"
}

# library HEADER LIST: its pages
library()
{
	mkdir -p "$scratch/pages"
	python3 man/manpages library "$1" "$2" ../README.md "$scratch/pages"
}

refuses_no_summary()
{
	sed 's/^labyrinth_copy .*/labyrinth_copy labyrinth_copy_start/' man/pages >"$scratch/list"
	! library include/labyrinth.h "$scratch/list"
}

refuses_unlisted()
{
	grep -v labyrinth_strerror man/pages >"$scratch/list"
	! library include/labyrinth.h "$scratch/list"
}

refuses_undocumented()
{
	sed 's/^ \* labyrinth_strerror() - .*/ * Nothing./' include/labyrinth.h >"$scratch/header.h"
	! library "$scratch/header.h" man/pages
}

refuses_nameless_ioctl()
{
	sed '/^#define LABYRINTH_COPY\t/s|/\*.*\*/||' ../uapi/linux/labyrinth.h >"$scratch/header.h"
	! cmp -s ../uapi/linux/labyrinth.h "$scratch/header.h" &&
		! python3 man/manpages node "$scratch/header.h" "$scratch/pages"
}

plan 21
ok "every exported function has a page" has_page
ok "no other function has one" no_other_page
ok "mandoc and man find nothing wrong with any page" all_well_written
ok "each page of a function describes it" described
ok "each synopsis fits a terminal" fits
ok "apropos tells the same of all functions of a page" \
	summary_is labyrinth_copy_start "let the device copy between two buffers"
ok "and of an only one what its comment says" \
	summary_is labyrinth_devices_list "find the devices there are"
ok "the overview names the rules for threads" tells_of "Threads." liblabyrinth.3
ok "and shows the README's program" shows_program
ok "who reads of a struct of the kernel's is told where it is described" \
	tells_of "struct labyrinth_event is described in labyrinth(4)" labyrinth_events_read.3
ok "the device's page names every ioctl's struct" tells_of "struct labyrinth_take" labyrinth.4
ok "and begins with a line for each" has_synopsis
ok "and tells of what read() fails with" tells_of "there is no room for one event" labyrinth.4
ok "and what each constant with a meaning means" constants_are_right
ok "and takes no comment for that of another line" takes_no_other_comment
ok "the overview of the system is there" tells_of "Terms" labyrinth.7
ok "the header and the list make all pages" library include/labyrinth.h man/pages
ok "a function without a page stops the build" refuses_unlisted
ok "a function without a comment stops the build" refuses_undocumented
ok "so do several functions without a common summary" refuses_no_summary
ok "so does an ioctl that does not name its struct" refuses_nameless_ioctl
finish
