#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Everything that is printed as JSON is as schema/ says, and --columns is obeyed.
# usage: tests/json.sh PATH/labyrinth PATH/fake.so, from the command's folder
# shellcheck disable=SC2034
labyrinth=$1
# shellcheck disable=SC2034
fake=$2
# shellcheck source=tools/tests/fake.sh
. tests/fake.sh

# Debian's package is for Debian's python, which need not be the first one in PATH.
for python in python3 /usr/bin/python3; do
	"$python" -c 'import jsonschema' 2>/dev/null && break
done

# conforms COMMAND [ARGUMENT...]
conforms()
{
	schema=schema/$1.json
	"$labyrinth" "$@" --json >"$scratch/json" 2>"$scratch/said" || [ $? -eq 1 ] || return
	"$python" -W ignore -m jsonschema -i "$scratch/json" "$schema" >&2
}

# keys_of COMMAND COLUMNS: in the order they come
keys_of()
{
	"$labyrinth" "$1" -d 0 -j -c "$2" | sed -n 's/^ *"\([a-z_]*\)": [^[].*/\1/p' | tr '\n' ' '
}

prints()
{
	test "$("$labyrinth" "$@")" = "$expected"
}

refuses()
{
	! "$python" -W ignore -m jsonschema -i "$1" "$2"
}

echo "TAP version 13"
device 0 "free 40" "copies 12345678901234567890"
pages 0 "0 0 1 free zero 0 -" "1 8192 4 owned - 4711 \"my\\\\ program" \
	"5 65536 1 free sentinel 0 -" "6 73728 1 quarantined - 0 -"

check "info --json is as its schema says" conforms info
check "stat --json is as its schema says" conforms stat
check "map --json is as its schema says" conforms map
check "list --json is as its schema says" conforms list
device 0
check "stress --json is as its schema says" conforms stress -t 0.2
device 0 "free 40" "copies 12345678901234567890"
echo content >"$scratch/in"
check "copy --json is as its schema says" conforms copy "$scratch/in" "$scratch/copied"
pages 0
check "map --json of a pool without pages too" conforms map
device 1 "fail-open 13"
check "list --json with a device that may not be opened too" conforms list
rm "$LABYRINTH_FAKE/labyrinth1"

echo '{"devices": [{"number": 0}]}' >"$scratch/wrong"
check "what lacks a key is refused" refuses "$scratch/wrong" schema/list.json
echo '{"buffers": [], "more": 1}' >"$scratch/wrong"
check "what has a key too many is refused" refuses "$scratch/wrong" schema/map.json

pages 0 "0 0 1 free zero 0 -"
for columns in copies,device,free device; do
	check "stat --columns $columns has these keys in this order" \
		test "$(keys_of stat $columns)" = "$(echo $columns | tr ',' ' ') "
done
device 0 "capabilities 255"
check "no line of info is too long for a terminal, with all that a module can do" \
	test -z "$("$labyrinth" info | grep -E '.{81}')"
expected="NAME                            VALUE MEANING
capabilities copy,partial,contiguous, what the loaded module does
              populate,tickets,fence,
                  sentinel,user-quota"
check "a long list goes on in the next line" \
	test "$("$labyrinth" info --columns capabilities | sed 's/ *$//')" = "$expected"
device 0 "free 40" "copies 12345678901234567890"
check "info --columns too" test "$(keys_of info max_copy,page_size)" = "max_copy page_size "
check "map --columns too" test "$(keys_of map pid,slot,state)" = "pid slot state "
expected="FREE DEVICE          NUMBER
  40 /dev/labyrinth0      0"
check "a table has them too, written in any case" prints list --columns Free,DEVICE,number
expected="PID SLOT
  -    0"
check "map with --columns is a table" prints map --columns pid,slot
expected="NAME VALUE MEANING
free    40 pages of nobody"
check "stat with --columns has these rows" prints stat --columns free

# accepts COMMAND [ARGUMENT...]: every column that its --help names
accepts()
{
	"$labyrinth" "$@" --json --columns "$("$labyrinth" "$1" --help |
		sed '1,/^columns:/d; s/^  \([a-z_]*\) .*/\1/' | paste -sd ,)" >"$scratch/json" &&
		"$python" -W ignore -m jsonschema -i "$scratch/json" "schema/$1.json"
}

for command in list info stat map; do
	check "$command accepts every column of its --help" accepts "$command"
	try "$command refuses an unknown column, and says which there are" 2 err \
		"there is no column 'frees', only [a-zA-Z_]*," $command --columns frees
	one_line "and in one line"
	try "also as JSON" 2 err "there is no column 'frees'" $command --json --columns frees
	check "and prints nothing else" test ! -s "$scratch/out"
	try "$command refuses no column" 2 err "there is no column ''" $command --columns ''
done
device 0
check "stress accepts every column of its --help" accepts stress -t 0.1
try "a column named twice is refused" 2 err "named twice" stat --columns free,total,free
finish
