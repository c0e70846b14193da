#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The demo, run inside the VM by guest/demo.sh. Its output is what the user
# sees. A step counts only when it ends in step_ok, which tells the runner so with
# the nonce of this boot; the first step that goes wrong ends the demo.
set -u
: "${vm_nonce:?}"

number=0
title() {
	number=$((number + 1))
	printf '\n%d. %s\n' "$number" "$1"
	shift
	for line; do printf '   %s\n' "$line"; done
}

indent() { sed 's/^/      /'; }

# Shows a command as one would type it, and what it prints; keeps its status.
show() {
	printf '      $ %s\n' "$*"
	"$@" >/tmp/shown 2>&1
	status=$?
	indent </tmp/shown
	return $status
}

step_ok() {
	printf '   => %s\n' "$1"
	printf '\n@%s step ok %s\n' "$vm_nonce" "$number"
}

fail() {
	printf '   => NOT SHOWN: %s\n' "$1"
	printf '\n@%s step failed %s\n' "$vm_nonce" "$number"
	exit 1
}

reload() {
	labyrinth unload >/tmp/shown 2>&1 || { indent </tmp/shown; fail "the module does not unload"; }
	labyrinth load "$@" >/tmp/shown 2>&1 || { indent </tmp/shown; fail "the module does not load"; }
}

# Waits until a background command has said that it holds its pages.
wait_for() {
	tries=0
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || { indent <"$1"; fail "the first program did not get its pages"; }
		sleep 0.1
	done
}

stat_of() {
	labyrinth stat -d 0 --json | tr ',{}' '\n' |
		sed -n "s/.*\"$1\" *: *\([0-9]*\).*/\1/p" | head -n 1
}

labyrinth load max=1 low=1 high=1 reserve=0 >/tmp/shown 2>&1 ||
	{ indent </tmp/shown; fail "the module does not load"; }

title "Two programs compete for one page." \
	"The pool is made just one page large. The first program takes that page, so" \
	"the second one must be refused, and is told why."
echo "      $ labyrinth acquire -d 0 -n 1 &"
labyrinth acquire -d 0 -n 1 >/tmp/first 2>&1 &
first=$!
wait_for /tmp/first holding
indent </tmp/first
if show labyrinth acquire -d 0 -n 1 --nowait; then
	fail "the second program got a page too"
fi
kill -0 "$first" 2>/dev/null || fail "the first program lost its page"
[ "$(stat_of owned)" = 1 ] || fail "the driver does not count exactly one owned page"
step_ok "refused; the page stayed with its one owner"
kill -INT "$first"
wait "$first"

title "A program that holds secrets is killed with kill -9." \
	"All eight pages of the pool hold its text. Nobody tidies up but the kernel. The" \
	"next owner gets the same eight pages, for there are no others."
reload max=8 low=1 high=8 reserve=0 quota=8
echo "      $ labyrinth acquire -d 0 -n 8 --write SECRET &"
labyrinth acquire -d 0 -n 8 --write SECRET >/tmp/first 2>&1 &
first=$!
wait_for /tmp/first "text written"
indent </tmp/first
show kill -9 "$first"
wait "$first" 2>/dev/null
show labyrinth acquire -d 0 -n 8 -t 0 || fail "the pages did not come back zeroed"
grep -q 'every byte zero' /tmp/shown || fail "the pages were not checked"
[ "$(stat_of total)" = 8 ] || fail "the pool is not the same eight pages"
step_ok "all eight pages came back, every byte zero"

title "A real file goes through the device, page by page." \
	"64 KiB of the labyrinth command itself: into one owned page, through the device's" \
	"DMA engine into another, and out. The device takes 0.2 s for every 4095 bytes."
reload
head -c 65536 /usr/local/bin/labyrinth >/tmp/file
show labyrinth copy /tmp/file /tmp/file.out -d 0 || fail "the copy failed"
show sha256sum /tmp/file /tmp/file.out
a=$(sha256sum </tmp/file)
b=$(sha256sum </tmp/file.out)
if [ "$a" != "$b" ] || [ "$(wc -c </tmp/file)" -ne 65536 ]; then
	fail "the files differ"
fi
step_ok "equal SHA-256: nothing was lost on the way"

title "The pool refills itself in the interrupt handler." \
	"A program takes pages until the pool runs low. The driver makes the device raise" \
	"its interrupt, and the handler allocates more with GFP_ATOMIC."
show labyrinth acquire -d 0 -n 200 -t 1 || fail "200 pages were not to be had"
irq_pages=$(stat_of irq_refill_pages)
labyrinth stat -d 0 | grep irq | indent
[ "${irq_pages:-0}" -gt 0 ] || fail "no page came from the interrupt handler"
step_ok "$irq_pages pages were allocated in the interrupt handler"

labyrinth unload >/tmp/shown 2>&1 || { indent </tmp/shown; exit 1; }
