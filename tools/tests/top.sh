#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `labyrinth top` in a real terminal: what it shows, its keys, a new size of the window, and
# that it leaves the terminal as it was, however it ends.
# usage: tests/top.sh PATH/labyrinth PATH/fake.so, from the command's folder
# shellcheck disable=SC2034
labyrinth=$1
# shellcheck disable=SC2034
fake=$2
pane=top
# shellcheck source=tools/tests/terminal.sh
. tests/terminal.sh

# last_line_is TEXT: or begins like that
last_line_is()
{
	screen | tail -n 1 | grep -q "^$1"
}

# begin [ARGUMENT...]: top in a terminal of 100 by 20, in which a line was written before
begin()
{
	rm -f "$scratch/code"
	cat >"$scratch/run" <<-END
		#!/bin/sh
		trap : INT
		echo written before
		stty -g >"$scratch/before"
		${environment-} "$labyrinth" top $*
		echo \$? >"$scratch/code.new"
		stty -g >"$scratch/after"
		mv "$scratch/code.new" "$scratch/code"
		exec cat
	END
	chmod +x "$scratch/run"
	terminal new-session -d -s top -x 100 -y 20 "exec $scratch/run"
	soon shows "^labyrinth top"
}

cursor_shown()
{
	test "$(terminal display-message -t top -p '#{cursor_flag}')" = 1
}

# ended NAME CODE: the command has ended with CODE, and the terminal is as it was
ended()
{
	check "$1: it ends" soon test -e "$scratch/code"
	check "$1: with exit code $2" test "$(cat "$scratch/code")" = "$2"
	check "$1: the terminal's settings are as before" cmp "$scratch/before" "$scratch/after"
	check "$1: its screen too" soon shows "^written before"
	check "$1: and nothing is left on it" shows_not "DEVICE"
	check "$1: the cursor is to be seen" soon cursor_shown
	terminal kill-session -t top
}

# order_is PID...: of those who have pages
order_is()
{
	test "$(screen |
		sed -nE 's/.* (owned|ticketed) +([0-9]+)  .*/\2/p' | tr '\n' ' ')" = "$* "
}

# order_by_name "NAME...": of those who have pages, from the top of the screen
order_by_name()
{
	test "$(screen |
		sed -nE 's/^labyrinth[0-9]+ +[0-9]+  [a-z]+ +[0-9-]+ +//p' | tr '\n' ' ')" = "$1 "
}

device 0 "free 40" "owned 20"
pages 0 "0 0 1 free zero 0 -" "1 8192 4 owned - 4711 writer" "2 65536 1 owned - 99 reader" \
	"3 73728 8 ticketed - 300 giver"

begin
check "top shows each pool" soon shows "^labyrinth0 +64 +40 +20 "
check "and who has pages" soon shows "^labyrinth0 +4  owned +4711  writer"
check "and which are in tickets" shows "^labyrinth0 +8  ticketed +300  giver"
check "but nobody who has none" shows_not "free  "
check "most pages come first" soon order_is 300 4711 99
terminal send-keys -t top s
check "the key s sorts by pid" soon order_is 99 300 4711
terminal send-keys -t top r
check "the key r reverses that" soon order_is 4711 300 99
terminal send-keys -t top s
check "the key s again sorts by command" soon order_is 4711 99 300

device 0 "free 41"
check "new figures come without a key" soon shows "^labyrinth0 +64 +41 "
device 1 "free 7"
pages 1
check "a new device comes too" soon shows "^labyrinth1 +64 +7 "
rm "$LABYRINTH_FAKE/labyrinth1" "$LABYRINTH_FAKE/pages1"
check "one that is gone goes" soon shows_not "^labyrinth1"
terminal resize-window -t top -x 60 -y 8
check "a smaller window has the keys in its last line" \
	soon last_line_is "q quit"
check "and no half of a figure" soon shows "^DEVICE +TOTAL +FREE +OWNED +TICKET +KERNEL +WAIT +ACQ/s$"
terminal resize-window -t top -x 110 -y 20
check "a larger one has more figures" soon shows "IRQ/s +WORKER/s"
rm "$LABYRINTH_FAKE/labyrinth0"
check "without any device it goes on, and says so" soon shows "^no labyrinth device"
device 0
terminal send-keys -t top q
ended "q" 0

# The counters rise by 10 for every tenth of a second or so.
cat >"$scratch/feed" <<'END'
n=0
while test -e "$1/module"; do
	n=$((n + 10))
	printf 'irq_refill_pages %s\ncopies %s\ncopied_bytes %s00000\n' $n $n $n >"$1/new"
	mv "$1/new" "$1/labyrinth0"
	sleep 0.1
done
END
sh "$scratch/feed" "$LABYRINTH_FAKE" &
feeder=$!
begin -i 0.5
check "refills and copies are shown by the second" \
	soon shows "^labyrinth0 .* [1-9][0-9.]* +[1-9][0-9.]* +[1-9][0-9]*K +[1-9][0-9.]* "
kill $feeder
wait $feeder 2>/dev/null
device 0
terminal send-keys -t top C-c
ended "Ctrl-C" 0

begin
terminal send-keys -t top Escape
ended "Escape" 0
begin
kill -TERM "$(pgrep -P "$(terminal display-message -t top -p '#{pane_pid}')")"
ended "SIGTERM" 0

begin --sort pid --reverse
check "--sort and --reverse choose the order" soon order_is 4711 300 99
check "colours on a terminal" has_escape "36m"
terminal send-keys -t top q
ended "q" 0
environment="NO_COLOR=1" begin
check "none with NO_COLOR" has_no_escape "[0-9;]*3[0-7]m"
terminal send-keys -t top q
ended "q" 0

# is_colored COLOUR TEXT: the number of the colour
is_colored()
{
	screen -e | grep -q "\[[0-9;]*3$1m *$2"
}

is_not_colored()
{
	! is_colored "$@"
}

device 0 "free 41" "waiters 5"
device 1
pages 0 "0 0 1 owned - 20 b" "1 8192 2 ticketed - 10 a" "2 16384 1 kernel - 0 -"
pages 1 "0 0 1 owned - 5 c" "1 8192 9 quarantined - 30 d"
begin -i 4
check "those who wait are yellow" soon is_colored 3 5
check "but not nobody" is_not_colored 3 0
check "the order by pages" order_by_name "d a - c b"
for order in "pid|- c a b d" "command|- a b c d" "state|c b a - d" "device|a - b d c"; do
	test "${order%|*}" = pages || terminal send-keys -t top s
	check "the key s goes on to ${order%|*}" soon last_line_is "q quit   s sort: ${order%|*} "
	check "and that is the order" soon order_by_name "${order#*|}"
done
terminal resize-window -t top -x 114 -y 20
device 0 "low 65" "poisoned 6" "quarantined 7"
check "too few free pages are red" soon is_colored 1 64
check "poisoned ones too" soon is_colored 1 6
check "quarantined ones are yellow" soon is_colored 3 7
terminal resize-window -t top -x 100 -y 10
check "a low window shows the first of them" soon order_by_name "a -"
terminal send-keys -t top Down
check "the key down shows those below" soon order_by_name "- b"
terminal send-keys -t top Down Down Down Down
check "as far as there are any" soon order_by_name "d c"
terminal send-keys -t top Up
check "the key up goes back by one at once" soon order_by_name "b d"
terminal send-keys -t top Up Up Up
check "as far as the first" soon order_by_name "a -"
terminal send-keys -t top -l +
check "the key + doubles the interval" soon shows "every 8 s"
terminal send-keys -t top -l ++++
check "up to 64 s" soon shows "every 64 s"
terminal send-keys -t top -l -- ---------
check "the key - halves it" soon shows "every 0.125 s"
terminal send-keys -t top -l -- --
check "down to an eighth of a second" soon shows "every 0.125 s"
terminal send-keys -t top Q
ended "Q" 0
rm "$LABYRINTH_FAKE/labyrinth1" "$LABYRINTH_FAKE/pages1"

device 0 "fail-open 13"
rm "$LABYRINTH_FAKE/pages0"
begin
check "a device that may not be opened says so in its line" soon shows "^labyrinth0 .* open"
terminal send-keys -t top q
ended "q" 0

# in_terminal CODE TEXT ARGUMENT...: one line, and no screen of its own
in_terminal()
{
	code=$1 text=$2
	shift 2
	rm -f "$scratch/code"
	cat >"$scratch/run" <<-END
		#!/bin/sh
		$* 2>"$scratch/err"
		echo \$? >"$scratch/code"
	END
	chmod +x "$scratch/run"
	terminal new-session -d "$scratch/run"
	soon test -e "$scratch/code" && test "$(cat "$scratch/code")" = "$code" &&
		test "$(wc -l <"$scratch/err")" = 1 && grep -q -e "$text" "$scratch/err"
}

device 0
check "a type of terminal that nobody knows: one line, exit code 1" \
	in_terminal 1 "set TERM" TERM=no-such-terminal "$labyrinth" top
check "a device that is not there: one line, exit code 3" \
	in_terminal 3 "/dev/labyrinth7" "$labyrinth" top -d 7
rm "$LABYRINTH_FAKE/labyrinth0"
check "no device at all: one line, exit code 3" \
	in_terminal 3 "no labyrinth device" "$labyrinth" top
device 0
check "an input that is no terminal: one line, exit code 2" \
	in_terminal 2 "the input is no terminal" "$labyrinth" top "</dev/null"
try "an output that is no terminal: exit code 2" 2 err "the output is no terminal" top
one_line "and one line"
try "words for an interval: exit code 2" 2 err "number of seconds" top -i often
try "an interval too short: exit code 2" 2 err "number of seconds" top -i 0.01
try "an unknown key to sort by: exit code 2" 2 err "none of pages, pid," top --sort size
finish
