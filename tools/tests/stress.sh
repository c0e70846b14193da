#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `labyrinth stress` on a device that does what it must not: it has to notice.
# usage: tests/stress.sh PATH/labyrinth PATH/fake.so, from the command's folder
# shellcheck disable=SC2034
labyrinth=$1
# shellcheck disable=SC2034
fake=$2
# shellcheck source=tools/tests/fake.sh
. tests/fake.sh

# soon COMMAND...: at most 30 s
soon()
{
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		test $tries -lt 300 || return 1
		sleep 0.1
	done
}

workers_are()
{
	test "$(pgrep -c -P "$boss")" -eq "$1" && kill -0 "$boss"
}

# in_background ARGUMENT...: until its workers are there
in_background()
{
	# Under nohup, SIGHUP would be ignored here, and so there.
	env --default-signal=HUP,INT,TERM LD_PRELOAD="$fake" "$real" stress "$@" \
		>"$scratch/done" 2>&1 </dev/null &
	boss=$!
	soon workers_are 3
}

# ends CODE: it, and all of its workers
ends()
{
	wait "$boss"
	test $? -eq "$1" && soon nobody_left
}

nobody_left()
{
	! pgrep -f "$real stress -S 4711" >/dev/null
}

echo "TAP version 13"
device 0
try "stress says what it has done" 0 out "^pages  *[1-9][0-9]* zero on arrival" stress -t 0.5
check "and nothing else, where there is no terminal" test ! -s "$scratch/err"
try "--columns chooses rows" 0 out "^copies" stress -t 0.2 --columns copies,pages
check "and only those" test "$(wc -l <"$scratch/out")" -eq 3

device 0 "dirty 1"
try "pages with somebody's bytes are noticed: exit code 1" 1 err "got somebody's bytes" \
	stress -t 60 -w 3
one_line "and in one line, however many workers notice"
device 0 "miscopy 8"
try "a copy of something else is noticed: exit code 1" 1 err "somebody wrote into its page" \
	stress -t 60 -w 3
one_line "and in one line"
device 0 "total 65"
try "pages that do not add up are noticed: exit code 1" 1 err "do not add up" stress -t 0.2
device 0 "poisoned 1" "free 63"
try "so are poisoned ones" 1 err "poisoned" stress -t 0.2
device 0 "fail-acquire 19"
try "a device that is gone ends it: exit code 1 or 3" 3 err "is gone" stress -t 60 -w 3
one_line "and in one line"
device 0 "fail-acquire 11"
try "pages that are not to be had are no failure" 0 out "^refused  *[1-9]" stress -t 0.5

device 0
for signal in INT TERM HUP; do
	check "stress works until a signal" in_background -S 4711 -t 0 -w 3
	kill -$signal "$boss"
	check "SIG$signal ends it and its workers, with exit code 0" ends 0
	check "and what was done is reported" grep -q "^pages " "$scratch/done"
done
check "stress works until it is killed" in_background -S 4711 -t 0 -w 3
kill -KILL "$boss"
check "kill -9 ends its workers too" ends 137

# a_worker_gets SIGNAL: one of three
a_worker_gets()
{
	in_background -S 4711 -t 0 -w 3 && kill -"$1" "$(pgrep -P "$boss" | head -n 1)"
}

says_once()
{
	test "$(wc -l <"$scratch/done")" -eq 1 && grep -q -e "$1" "$scratch/done"
}

check "a worker is killed" a_worker_gets KILL
check "that ends the others too, with exit code 1" ends 1
check "and is told" says_once "a worker was killed by signal 9"
check "a worker's pages go away" a_worker_gets BUS
check "that ends the others too, with exit code 1" ends 1
check "and is told" says_once "^labyrinth stress: the device went away while"

check "the pages of stress itself go away" in_background -S 4711 -t 0 -w 3
kill -BUS "$boss"
check "that ends it and its workers, with exit code 1" ends 1
check "and is told" says_once "^labyrinth stress: the device went away while"

# in_terminal ARGUMENT...: stress, with a terminal for what it says; what it draws is in done
in_terminal()
{
	script -qfec "'$labyrinth' stress $*" /dev/null >"$scratch/done" 2>&1 </dev/null
}

draws()
{
	tr '\r' '\n' <"$scratch/done" | grep -qE -e "$1"
}

draws_nothing()
{
	! draws "[0-9] s "
}

if command -v script >/dev/null; then
	check "on a terminal" in_terminal -t 0.7
	check "progress is drawn: how long, of how long, and what was done" \
		draws "[01] s of 0.7  [1-9][0-9]* pages  [0-9]+ copies  0 tickets$"
	check "on a line of its own, before the report" draws "^pages  *[1-9]"
	check "with -q" in_terminal -t 0.7 -q
	check "there is none" draws_nothing
	check "but the report" draws "^pages  *[1-9]"
else
	skip "progress on a terminal" "script is not there"
fi

try "no workers: exit code 2" 2 err "not a number of workers" stress -w 0
try "too many workers: exit code 2" 2 err "not a number of workers, 1 to 256" stress -w 257
try "too many pages: exit code 2" 2 err "not a number of pages, 1 to 64" stress -p 65
try "words for seconds: exit code 2" 2 err "not a number of seconds" stress -t long
try "words for a seed: exit code 2" 2 err "not a seed" stress -S luck
finish
