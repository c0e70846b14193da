# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Runs the parts of the bench. Every line between begin and end is a result. vm_bench
# says what is wanted: full, quick (what the committed figures have), scaling or profile.
: "${vm_bench:=full}"

count=0
quick=""
pci=/sys/bus/pci
peer=0000:00:17.0

# part NAME COMMAND...: the limit is for one that hangs; in this machine's time, an idle
# second passes in no time.
part() {
	part=$1
	shift
	klog_mark "$part"
	tell "begin $part"
	timeout -s KILL 100000 "$@" >&5 2>&1 </dev/null 5>&-
	status=$?
	klog_check
	tell "end $part $status"
	count=$((count + 1))
}

# measure PART ARGUMENT...: $quick is an option or nothing.
# shellcheck disable=SC2086
measure() { part "$1" /bench $quick "$@"; }

# KiB in the kernel's own allocations, large and small; the pool's pages are none of these.
kernel_memory() {
	awk '/^(SUnreclaim|VmallocUsed):/ { sum += $2 } END { print sum }' /proc/meminfo
}

# A pool of that many pages, on one device only. The first one is the smallest.
measure_pool() {
	echo 0 >$pci/drivers_autoprobe
	modprobe labyrinth max="$1" high="$1" >&5 2>&1
	before=$(kernel_memory)
	echo 0000:00:10.0 >$pci/drivers/labyrinth/bind
	grown=$(($(kernel_memory) - before))
	: "${small:=$grown}"
	part "pool-$1" /bench pool "$1" $((grown - small))
	rmmod labyrinth
	echo 1 >$pci/drivers_autoprobe
}

# The last device changes hands, so that a handler without a pool can be measured.
measure_refill() {
	echo $peer >$pci/drivers/labyrinth/unbind
	echo labyrinth_bench >$pci/devices/$peer/driver_override
	echo $peer >$pci/drivers/labyrinth_bench/bind
	measure refill
	echo $peer >$pci/drivers/labyrinth_bench/unbind
	echo >$pci/devices/$peer/driver_override
	echo $peer >$pci/drivers/labyrinth/bind
}

measure_all() {
	modprobe labyrinth >&5 2>&1
	modprobe labyrinth_bench >&5 2>&1
	for name in pages steps peers passing openers; do
		measure $name
	done
	measure_refill
	measure copies 8
	measure level
	rmmod labyrinth_bench
	rmmod labyrinth
	for pages in 16 64 256 1024 4096 16384; do
		measure_pool $pages
	done
}

measure_quickly() {
	quick=-q
	modprobe labyrinth >&5 2>&1
	modprobe labyrinth_bench >&5 2>&1
	for name in pages passing refill; do
		measure $name
	done
}

case $vm_bench in
full) measure_all ;;
quick) measure_quickly ;;
*)	# a part by its name: scaling or profile, which need nothing else
	modprobe labyrinth >&5 2>&1
	measure "$vm_bench"
	;;
esac
tell "done $count"
