#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the command says and answers where there is no device: help, versions, wrong
# usage, missing device and module, files it cannot use.
# usage: tests/command.sh PATH/labyrinth, from the command's folder
set -u
# shellcheck disable=SC2034
labyrinth=$1
# shellcheck source=tools/tests/tap.sh
. tests/tap.sh

commands="list info stat map top load unload acquire copy send receive stress"
device_present=no
for node in /dev/labyrinth[0-9]*; do
	test -e "$node" && device_present=yes
done
module_present=no
modinfo labyrinth >/dev/null 2>&1 && module_present=yes
test -e /sys/module/labyrinth && module_present=yes

without_device()
{
	if test "$device_present" = yes; then
		skip "$1" "this machine has a device"
	else
		try "$@"
	fi
}

left_over()
{
	for left in "$work"/*.??????; do
		if test -e "$left"; then
			report "$left is left" "$1"
			return
		fi
	done
	report ok "$1"
}

echo "TAP version 13"
try "--help lists the commands" 0 out "^  acquire " --help
try "--version" 0 out "^labyrinth [0-9]" --version
try "so does the word alone" 0 out "^  acquire " help
try "and that for the version" 0 out "^labyrinth [0-9]" version
# first_letters COMMAND: of its long options, those that several have
first_letters()
{
	"$labyrinth" "$1" --help | grep -oE '^  -., --[a-z]' | cut -c 7- | sort | uniq -d
}

no_trailing_blank()
{
	! "$labyrinth" "$1" --help | grep ' $'
}

fits_a_terminal()
{
	! "$labyrinth" "$1" --help | grep '.\{81\}'
}

for command in $commands; do
	try "$command --help" 0 out "^usage: labyrinth $command" "$command" --help
	try "$command -h" 0 out "^usage: labyrinth $command" "$command" -h
	check "no line of it ends in a blank" no_trailing_blank "$command"
	check "nor is too long for a terminal" fits_a_terminal "$command"
	check "no two options have a beginning in common" test -z "$(first_letters "$command")"
	try "$command --version" 0 out "^labyrinth $command [0-9]" "$command" --version
	try "$command refuses an unknown option" 2 err "labyrinth $command --help" \
		"$command" --no-such-option
done

try "no command is wrong usage" 2 err "no command given"
try "an unknown command is wrong usage" 2 err "no command 'frobnicate'" frobnicate
try "an unknown option too, and it says where options are due" 2 err \
	"no option '--frobnicate' here: options come after the command" --frobnicate
one_line "and in one line"
try "and one of a command before it" 2 err "no option '--json' here" --json list
for command in list info stat map top unload acquire stress; do
	try "$command refuses an argument" 2 err "unexpected argument 'extra'" "$command" extra
done
try "acquire refuses no pages" 2 err "number of pages, 1 or more" acquire -n 0
try "acquire refuses a negative number" 2 err "number of pages" acquire -n -5
try "acquire refuses a number too large" 2 err "number of pages" acquire -n 99999999999
try "acquire refuses words for seconds" 2 err "number of seconds" acquire -t soon
try "acquire refuses an empty text" 2 err "no text" acquire --write ""
try "acquire refuses words for an order" 2 err "not an order" acquire --order big
try "acquire refuses an order too large" 2 err "not an order" acquire --order 32
try "copy wants two files" 2 err "name the file" copy /etc/passwd
try "copy refuses three files" 2 err "name the file" copy a b c
for command in send receive; do
	try "$command wants a socket" 2 err "name the socket" "$command"
	try "$command refuses an empty name" 2 err "name the socket" "$command" ""
	try "$command refuses two files" 2 err "name the socket" "$command" a b c
done
try "load refuses what is not a parameter" 2 err "NAME=VALUE" load max

for command in list info stat map acquire stress; do
	without_device "$command without a device is exit code 3" 3 err \
		"labyrinth $command: no labyrinth device" "$command"
done
try "a device number that is not there is exit code 3" 3 err "/dev/labyrinth4000000" \
	info -d 4000000
one_line "and it says so in one line"
try "a device path that is not there is exit code 3" 3 err "/nonexistent" \
	stat -d /nonexistent
try "also for what does not open it" 3 err "/dev/labyrinth4000000" map -d 4000000
try "by path too" 3 err "/nonexistent" map --json -d /nonexistent
try "and another device" 3 err "/dev/null is not a labyrinth device" map -d /dev/null
try "another device is exit code 3" 3 err "/dev/null is not a labyrinth device" \
	info -d /dev/null

if test "$module_present" = yes; then
	skip "load without a module" "this machine has the module"
	skip "and it says so in one line" "this machine has the module"
	skip "unload of what is not loaded" "this machine has the module"
else
	try "load without a module fails, and says how to get it" 1 err "make" load
	one_line "and it says so in one line"
	try "unload of what is not loaded is done" 0 out "not loaded" unload
fi
if test -e /sys/module/labyrinth; then
	skip "load of a file that is not there" "the module is loaded"
else
	try "load of a file that is not there fails" 1 err "/nonexistent.ko" \
		load --module /nonexistent.ko
fi

mkdir "$scratch/work"
work=$scratch/work
echo content >"$work/in"
echo before >"$work/out"
ln -s in "$work/link"
try "copy of a file that is not there" 1 err "cannot read $work/none" \
	copy "$work/none" "$work/out"
try "copy of a directory" 1 err "is a directory" copy "$work" "$work/out"
try "copy onto a directory" 1 err "is a directory" copy "$work/in" "$work"
try "copy onto itself" 1 err "itself" copy "$work/in" "$work/in"
try "copy onto itself through a link" 1 err "itself" copy "$work/in" "$work/link"
try "copy into a directory that is not there" 1 err "there is no directory" \
	copy "$work/in" "$work/none/out"
without_device "copy without a device is exit code 3" 3 err \
	"labyrinth copy: no labyrinth device" copy "$work/in" "$work/out"
try "copy with a device that is not there is exit code 3" 3 err "4000000" \
	copy -d 4000000 "$work/in" "$work/out"
try "send of a file that is not there" 1 err "cannot read $work/none" \
	send "$work/socket" "$work/none"
try "send of a directory" 1 err "is a directory" send "$work/socket" "$work"
try "receive onto a directory" 1 err "is a directory" receive "$work/socket" "$work"
try "receive into a directory that is not there" 1 err "there is no directory" \
	receive "$work/socket" "$work/none/out"
without_device "send without a device is exit code 3" 3 err \
	"labyrinth send: no labyrinth device" send "$work/socket" "$work/in"
without_device "receive without a device is exit code 3" 3 err \
	"labyrinth receive: no labyrinth device" receive "$work/socket" "$work/out"
one_line "and it says so in one line"
left_over "what failed leaves no temporary file"
if test "$(cat "$work/out")" = before; then
	report ok "what failed leaves OUT as it was"
else
	report "OUT was changed" "what failed leaves OUT as it was"
fi
"$labyrinth" --help >/dev/full 2>"$scratch/err"
if test $? -eq 1 && grep -q "cannot write the output" "$scratch/err"; then
	report ok "output that cannot be written is a failure"
else
	report "not noticed" "output that cannot be written is a failure"
fi

finish
