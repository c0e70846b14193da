#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What the guest does itself, as test programs: so it is reported, timed, and the kernel
# log is read after it, like after any other.
# shellcheck source=selftests/vm/guest/lib.sh
. /vm/lib.sh

# Where the kernel looks for memory that nobody points to any more. What is younger than
# five seconds does not count.
leaks() {
	leak_log=/sys/kernel/debug/kmemleak
	[ -e "$leak_log" ] || return 1
	# Once it has run out of memory, it does not look any more.
	if ! { echo scan && sleep 6 && echo scan; } >"$leak_log"; then
		echo "# kmemleak has given up"
		return 0
	fi
	sed 's/^/# /' "$leak_log" | head -n 200 | tee /tmp/.leaks
	[ -s /tmp/.leaks ]
}

[ "$1" != lane ] || exec sh /vm/lane.sh
printf 'TAP version 13\n1..1\n'
case $1 in
load)
	load_module 2>&1 | sed 's/^/# /'
	text="labyrinth.ko loads and serves both devices"
	[ -e /dev/labyrinth0 ] && [ -e /dev/labyrinth1 ]
	status=$?
	;;
unload)
	text="labyrinth.ko unloads, and leaves nothing"
	leaked=no
	! leaks || leaked=yes
	if [ -x /usr/local/bin/labyrinth ]; then
		labyrinth unload 2>&1 | sed 's/^/# /'
	else
		rmmod labyrinth 2>&1 | sed 's/^/# /'
	fi
	! module_loaded && [ "$leaked" = no ] && ! leaks
	status=$?
	;;
*)
	exit 2
	;;
esac
if [ "$status" -eq 0 ]; then
	echo "ok 1 $text"
else
	echo "not ok 1 $text"
	exit 1
fi
