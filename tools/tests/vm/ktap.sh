# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What the programs share that run in the virtual machine: each case is one promise,
# a command, and what was wrong with it. The module is loaded when a program begins,
# and must be again when it ends.

export LC_ALL=C
number=0
scratch=$(mktemp -d /tmp/test.XXXXXX)
out=$scratch/.out
err=$scratch/.err

# plan COUNT
plan()
{
	printf 'KTAP version 1\n1..%d\n' "$1"
}

# promise TEXT: begins a case, and ends the one before it
promise()
{
	end_case
	text=$1
	wrong=$scratch/.wrong
	: >"$wrong"
}

end_case()
{
	[ -n "${text-}" ] || return 0
	number=$((number + 1))
	if [ -s "$wrong" ]; then
		sed 's/^/# /' "$wrong"
		echo "not ok $number $text"
	else
		echo "ok $number $text"
	fi
	text=
}

# wrong TEXT: this case has failed
wrong()
{
	{
		echo "$*"
		sed 's/^/  out: /' "$out"
		sed 's/^/  err: /' "$err"
	} >>"$wrong"
}

# run COMMAND...
run()
{
	what=$*
	"$@" >"$out" 2>"$err" </dev/null
	status=$?
}

# as_user COMMAND...: run by somebody who is not root
as_user()
{
	run su -s /bin/sh user -c "$*"
}

# exits CODE: what the last command ended with
exits()
{
	[ "$status" -eq "$1" ] || wrong "$what: exit code $status, not $1"
}

# says TEXT: its only line on stderr begins with "labyrinth" and holds TEXT
says()
{
	[ "$(wc -l <"$err")" -eq 1 ] || wrong "$what: not one line on stderr"
	grep '^labyrinth' "$err" | grep -qF -e "$1" || wrong "$what: does not say '$1'"
}

# prints TEXT: on stdout
prints()
{
	grep -qF -e "$1" "$out" || wrong "$what: does not print '$1'"
}

# is WHAT VALUE EXPECTED
is()
{
	[ "$2" = "$3" ] || wrong "$1 is '$2', not '$3'"
}

# figure KEY [DEVICE]: from the statistics
figure()
{
	labyrinth stat -d "${2:-0}" --json | tr ',{}' '\n' |
		sed -n "s/.*\"$1\" *: *\([0-9]*\).*/\1/p"
}

# is_json FILE: by the grammar of JSON: strings and other values are replaced by a byte each, then
# whole arrays and objects, from the inside out. One value must be left.
is_json()
{
	awk '
	{ text = text $0 "\n" }
	END {
		if (text ~ /[\001\002]/)
			exit 1
		gsub(/"([^"\\[:cntrl:]]|\\(["\\\/bfnrt]|u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F]))*"/,
		     "\001", text)
		gsub(/true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/, "\002", text)
		gsub(/[ \t\r\n]/, "", text)
		while (gsub(/\[(([\001\002],)*[\001\002])?\]|\{((\001:[\001\002],)*\001:[\001\002])?\}/,
			    "\002", text))
			;
		exit text != "\002"
	}' "$1"
}

# soon COMMAND...: waits until it succeeds, at most 10 s
soon()
{
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		if [ "$tries" -ge 100 ]; then
			wrong "waited in vain: $*"
			return 1
		fi
		sleep 0.1
	done
}

# is_figure KEY VALUE [DEVICE]
is_figure()
{
	[ "$(figure "$1" "${3:-0}")" = "$2" ]
}

# send SIGNAL: to every labyrinth but the one that holds pages
send()
{
	for pid in $(pidof labyrinth); do
		[ "$pid" = "${holder-}" ] || kill -"$1" "$pid"
	done
}

# signalled SIGNAL KEY VALUE COMMAND...: as run; the signal comes once KEY is VALUE
signalled()
{
	signal=$1 key=$2 value=$3
	shift 3
	{ soon is_figure "$key" "$value" && send "$signal"; } &
	run "$@"
	wait $!
}

# hold ARGUMENT...: acquires in the background, and returns when it has the pages
hold()
{
	# What an earlier one said must not be taken for its word.
	rm -f "$scratch/.held"
	labyrinth acquire "$@" >"$scratch/.held" 2>&1 </dev/null &
	holder=$!
	soon grep -q '^holding' "$scratch/.held" || cat "$scratch/.held" >>"$wrong"
}

# kill_holder: with kill -9, and waits until nobody owns anything
kill_holder()
{
	kill -KILL "$holder"
	wait "$holder" 2>/dev/null
	soon is_figure owned 0 0
	soon is_figure owned 0 1
}

# reload PARAMETER...
reload()
{
	run labyrinth unload
	exits 0
	run labyrinth load "$@"
	exits 0
}

# finish: ends the last case
finish()
{
	end_case
	rm -rf "$scratch"
}
