#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `labyrinth map` in a real terminal: that its rows fit, whatever the width, and its colours.
# usage: tests/map.sh PATH/labyrinth PATH/fake.so, from the command's folder
# shellcheck disable=SC2034
labyrinth=$1
# shellcheck disable=SC2034
fake=$2
pane=map
# shellcheck source=tools/tests/terminal.sh
. tests/terminal.sh

# in_terminal COLUMNS COMMAND: runs it in a terminal of that width, which has room for all of it
in_terminal()
{
	rm -f "$scratch/code"
	cat >"$scratch/run" <<-END
		#!/bin/sh
		PATH=$scratch:\$PATH
		$2
		echo \$? >"$scratch/code.new"
		mv "$scratch/code.new" "$scratch/code"
		exec cat
	END
	chmod +x "$scratch/run"
	terminal kill-session -t map 2>/dev/null
	terminal new-session -d -s map -x "$1" -y 400 "exec $scratch/run"
	soon test -e "$scratch/code" && test "$(cat "$scratch/code")" = 0
}

# drawn NAME COLUMNS COMMAND: the screen is what comes in, and no line is broken in two
drawn()
{
	cat >"$scratch/expected"
	check "$1" in_terminal "$2" "$3"
	check "$1: all of it, and no row too long" soon screen_is
}

# drawn_narrowly NAME COLUMNS COMMAND: likewise, but the terminal may break lines
drawn_narrowly()
{
	cat >"$scratch/expected"
	check "$1" in_terminal "$2" "$3"
	check "$1: all of it" soon screen_is -J
}

# screen_is [OPTION...]: but for blanks at the end of a line, and empty lines below
screen_is()
{
	lines=$(screen "$@" | sed 's/ *$//')
	echo "$lines" >"$scratch/screen"
	diff "$scratch/expected" "$scratch/screen"
}

# dots COUNT
dots()
{
	printf "%$1s" "" | tr ' ' .
}

# is_colored CODE TEXT: it begins with that, whatever the terminal puts between them
is_colored()
{
	screen -e | grep -q "$escape\\[$1m\\($escape\\[[0-9;]*m\\)*$2"
}
escape=$(printf '\033')

legend()
{
	cat <<-END

		  WHAT               PAGES  PID COMM
		. free                  69    - -
		A owned                  9 4711 writer
		1 ticketed, given by     1   99 reader
		* kernel                 1    - -
		? quarantined            1   99 reader
		= one buffer with the page before it
	END
}

# A slot each for every state, and a buffer of eight pages; the rest is free.
set -- "0 0 1 owned - 4711 writer" "1 8192 1 ticketed - 99 reader" "2 16384 1 kernel - 0 -"
for slot in $(seq 3 71); do
	set -- "$@" "$slot $((slot * 8192)) 1 free zero 0 -"
done
set -- "$@" "72 589824 1 quarantined - 99 reader" "1024 8388608 8 owned - 4711 writer"
device 0
pages 0 "$@"

drawn "80 columns: 64 pages in a row" 80 "labyrinth map" <<END
/dev/labyrinth0: 81 pages

   0  A1*$(dots 61)
  64  $(dots 8)?
1024  A=======
$(legend)
END
drawn "69 columns have no room for the last of 64: 32" 69 "labyrinth map" <<END
/dev/labyrinth0: 81 pages

   0  A1*$(dots 29)
  32  $(dots 32)
  64  $(dots 8)?
1024  A=======
$(legend)
END
drawn "70 columns have just enough" 70 "labyrinth map" <<END
/dev/labyrinth0: 81 pages

   0  A1*$(dots 61)
  64  $(dots 8)?
1024  A=======
$(legend)
END
drawn "140 columns: 128 pages in a row" 140 "labyrinth map" <<END
/dev/labyrinth0: 81 pages

   0  A1*$(dots 69)?
1024  A=======
$(legend)
END
drawn_narrowly "12 columns, less than the shortest row takes" 12 "labyrinth map" <<END
/dev/labyrinth0: 81 pages

   0  A1*$(dots 5)
$(for first in 8 16 24 32 40 48 56 64; do printf '%4s  %s\n' $first "$(dots 8)"; done)
  72  ?
1024  A=======
$(legend)
END
drawn_narrowly "a table keeps all of its columns" 20 "labyrinth map --list" <<END
SLOT  OFFSET PAGES STATE       CONTENT  PID COMM
$(for page; do
	echo "$page" | awk '{ printf "%4s %7s %5s %-11s %-7s %4s %s\n", $1, $2, $3, $4, $5, $6 ? $6 : "-", $7 }'
done)
END

check "with colours" in_terminal 80 "labyrinth map"
check "the pages of a process have its colour" soon is_colored 36 'A='
check "and so has its row below" is_colored 36 'A.* owned'
check "what another has given away is reversed" is_colored 7 1
check "in that one's own colour" is_colored 32 1
check "what nobody should find is red" is_colored 31 '?'
check "free pages are faint" is_colored 2 '\.\.\.'
check "but not the number of the slot before" is_colored '\(0\|39\|49\)' ' *64'
check "a colour ends before the end of the row" is_colored '\(0\|39\|49\)' '1024'
check "an empty NO_COLOR is none" in_terminal 80 "NO_COLOR= labyrinth map"
check "and there are colours" soon is_colored 36 'A='
check "with NO_COLOR" in_terminal 80 "NO_COLOR=1 labyrinth map"
check "all is there" soon shows '^= one buffer'
check "and there are none" has_no_escape '[0-9;]*m'
drawn "what goes through a pipe is as wide as on 80 columns" 140 "labyrinth map | cat" <<END
/dev/labyrinth0: 81 pages

   0  A1*$(dots 61)
  64  $(dots 8)?
1024  A=======
$(legend)
END
check "and has no colours" has_no_escape '[0-9;]*m'
finish
