# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# fake.sh, and a real terminal. Begin with the name of the terminal in $pane.
# shellcheck source=tools/tests/fake.sh
. tests/fake.sh

echo "TAP version 13"
if ! command -v tmux >/dev/null; then
	report "tmux is not there: selftests/vm/setup.sh tests" "${pane?} runs in a terminal"
	finish
	exit
fi

# Nobody's own settings or shell, and no server of anybody's.
terminal()
{
	SHELL=/bin/sh tmux -S "$scratch/tmux" -f /dev/null "$@"
}

cleanup()
{
	terminal kill-server 2>/dev/null
	rm -rf "$scratch"
}
trap cleanup EXIT

# So that the server stays while terminals come and go.
terminal new-session -d -s keeper cat

# screen [OPTION...]: what is to be seen on it
screen()
{
	terminal capture-pane -t "$pane" -p "$@"
}

# soon COMMAND...: at most 30 s
soon()
{
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		if test $tries -ge 300; then
			screen >&2
			return 1
		fi
		sleep 0.1
	done
}

# shows PATTERN: on the screen
shows()
{
	screen | grep -qE -e "$1"
}

shows_not()
{
	! shows "$1"
}

# has_escape PATTERN: the screen needs such a sequence to be drawn
has_escape()
{
	screen -e | grep -q "$(printf '\033')\\[$1"
}

has_no_escape()
{
	! has_escape "$1"
}
