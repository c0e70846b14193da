# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What the host tests of the command share. Begin with the command's path in
# $labyrinth, and end with finish.

export LC_ALL=C
count=0
failed=0
skipped=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

report()
{
	count=$((count + 1))
	if test "$1" = ok; then
		echo "ok $count - $2"
		return
	fi
	cat "$scratch/out" "$scratch/err" 2>/dev/null | sed 's/^/# /'
	echo "not ok $count - $2 ($1)"
	failed=$((failed + 1))
}

skip()
{
	count=$((count + 1))
	skipped=$((skipped + 1))
	echo "ok $count - $1 # SKIP $2"
}

# try NAME CODE STREAM PATTERN ARGUMENT...: the exit code, and what STREAM says
try()
{
	name=$1 code=$2 stream=$3 pattern=$4
	shift 4
	"${labyrinth?}" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	got=$?
	if test "$got" -ne "$code"; then
		report "exit code $got, not $code" "$name"
	elif ! grep -q -e "$pattern" "$scratch/$stream"; then
		report "$stream does not say '$pattern'" "$name"
	else
		report ok "$name"
	fi
}

# one_line NAME: the last try said one line on stderr, beginning with the command's name
one_line()
{
	if test "$(wc -l <"$scratch/err")" -ne 1; then
		report "not one line" "$1"
	elif ! grep -q '^labyrinth' "$scratch/err"; then
		report "does not begin with the command" "$1"
	else
		report ok "$1"
	fi
}

# check NAME COMMAND...: whether it succeeds
check()
{
	name=$1
	shift
	if "$@" >"$scratch/out" 2>"$scratch/err" </dev/null; then
		report ok "$name"
	else
		report "exit code $?" "$name"
	fi
}

finish()
{
	echo "1..$count"
	echo "# Totals: pass:$((count - failed - skipped)) fail:$failed xfail:0 xpass:0 skip:$skipped error:0"
	test "$failed" -eq 0
}
