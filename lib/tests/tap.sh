# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# What the library's shell tests share. Begin with: plan NUMBER; end with: finish.

count=0
failed=0
skipped=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

plan()
{
	echo "TAP version 13"
	echo "1..$1"
}

# ok NAME COMMAND...: one test; what the command prints shows why it failed
ok()
{
	name=$1
	shift
	count=$((count + 1))
	if "$@" >"$scratch/output" 2>&1; then
		echo "ok $count - $name"
	else
		sed 's/^/# /' "$scratch/output"
		echo "not ok $count - $name"
		failed=$((failed + 1))
	fi
}

skip()
{
	count=$((count + 1))
	skipped=$((skipped + 1))
	echo "ok $count - $1 # SKIP $2"
}

finish()
{
	echo "# Totals: pass:$((count - failed - skipped)) fail:$failed xfail:0 xpass:0 skip:$skipped error:0"
	test "$failed" -eq 0
}
