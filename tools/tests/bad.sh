#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a person can get wrong, with every subcommand: one line that says what to do, and
# the exit code that the manual promises.
# usage: tests/bad.sh PATH/labyrinth PATH/fake.so, from the command's folder
# shellcheck disable=SC2034
labyrinth=$1
# shellcheck disable=SC2034
fake=$2
# shellcheck source=tools/tests/fake.sh
. tests/fake.sh

echo content >"$scratch/in"

# refuses WHAT CODE PATTERN ARGUMENT...: with one line, and nothing on the standard output
refuses()
{
	what=$1 code=$2 pattern=$3
	shift 3
	"$labyrinth" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	got=$?
	if test "$got" -ne "$code"; then
		report "exit code $got, not $code" "$1: $what"
	elif test "$(wc -l <"$scratch/err")" -ne 1 || ! grep -q "^labyrinth $1: " "$scratch/err"; then
		report "not one line that begins with the command" "$1: $what"
	elif ! grep -q -e "$pattern" "$scratch/err"; then
		report "does not say '$pattern'" "$1: $what"
	elif test -s "$scratch/out"; then
		report "something on the standard output" "$1: $what"
	else
		report ok "$1: $what"
	fi
}

# with_arguments COMMAND ARGUMENT...: the subcommand, with what it needs besides
with_arguments()
{
	command=$1
	shift
	case $command in
	copy) set -- "$@" "$scratch/in" "$scratch/new" ;;
	send) set -- "$@" "$scratch/socket" "$scratch/in" ;;
	receive) set -- "$@" "$scratch/socket" "$scratch/new" ;;
	stress | acquire) set -- "$@" -t 0 ;;
	esac
	refuses "$what" "$code" "$pattern" "$command" "$@"
}

# each CODE PATTERN COMMANDS ARGUMENT...: the same for each of the subcommands
each()
{
	code=$1 pattern=$2 commands=$3
	shift 3
	for one in $commands; do
		with_arguments "$one" "$@"
	done
}

all="list info stat map top load unload acquire copy send receive stress"
opening="info stat acquire copy send receive stress"
choosing="$opening map"

echo "TAP version 13"
for one in $all; do
	refuses "an unknown option" 2 "no option '--frobnicate'; see 'labyrinth $one --help'" \
		"$one" --frobnicate
	refuses "an unknown letter" 2 "no option '-Z'" "$one" -Z
	refuses "a value where none belongs" 2 "'--help' takes no value" "$one" --help=me
done
for one in $choosing top; do
	refuses "a device option without a device" 2 "'--device' wants a value" "$one" --device
	refuses "the same as a letter" 2 "'-d' wants a value" "$one" -d
done
for one in list info stat map stress; do
	refuses "columns that are not named" 2 "'--columns' wants a value" "$one" --columns
done
refuses "no number" 2 "'-n' wants a value" acquire -n
refuses "no file" 2 "'--module' wants a value" load --module
for one in copy send receive; do
	refuses "no argument" 2 "name the" "$one"
done
for one in list info stat map top unload acquire stress; do
	refuses "an argument too many" 2 "unexpected argument 'extra'" "$one" extra
done

what="no module"
rm "$LABYRINTH_FAKE/module"
each 3 "labyrinth load" "$choosing list"
each 3 "no labyrinth device /dev/labyrinth7: .*labyrinth load" "$choosing" -d 7

what="no module, and a column that there is not"
each 2 "there is no column 'nosuch', only " "list info stat map stress" -c nosuch

what="a module, but no device"
touch "$LABYRINTH_FAKE/module"
each 3 "drives none.*-device edu" "$choosing list"
each 3 "no labyrinth device /dev/labyrinth7: .*labyrinth list" "$choosing" -d 7

what="several devices, and none chosen"
device 0
device 1
each 2 "choose one: /dev/labyrinth0, /dev/labyrinth1 (-d N)" "$choosing"

what="a device one may not open"
device 0 "fail-open 13"
each 1 "open /dev/labyrinth0" "$opening" -d 0

what="a device that is no number and no path"
each 2 "'abc' is neither the number of a device nor a path" "$choosing" -d abc
each 2 "'' is neither the number of a device nor a path" "$choosing" -d ""

what="another file as a device"
each 3 "/dev/null is not a labyrinth device" "$choosing" -d /dev/null

what="a device that is gone"
device 0 "fail-info 19"
each 3 "no labyrinth device /dev/labyrinth0" "$opening" -d 0

what="a module that is too old"
device 0 "capabilities 0"
each 1 "the loaded module cannot copy: load a newer one" copy -d 0
each 1 "the loaded module has no tickets: load a newer one" "send receive" -d 0

what="a device that fails"
for call in acquire copy stat; do
	device 0 "fail-$call 5"
	case $call in
	acquire) each 1 "Input/output error" "acquire copy stress" -d 0 ;;
	copy) each 1 "Input/output error" copy -d 0 ;;
	stat) each 1 "Input/output error" stat -d 0 ;;
	esac
done

if test "$(id -u)" -ne 0 || test -e /sys/module/labyrinth || modinfo labyrinth >/dev/null 2>&1; then
	skip "load: no module for this kernel" "there is one, or no right to load it"
else
	refuses "no module for this kernel" 1 "no module for kernel .*make" load
fi

check "what failed has left no file" test ! -e "$scratch/new" -a ! -e "$scratch/socket"
finish
