# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Is this the machine that the lane is about? /vm/in-force has a check a line, NAME or
# NAME=VALUE. The module has just been loaded.

edu_devices() { grep -l 0x11e8 /sys/bus/pci/devices/*/device | sed 's|/device$||'; }

# each_edu ATTRIBUTE PATTERN: of every edu device
each_edu() {
	for edu in $(edu_devices); do
		grep -qxE "$2" "$edu/$1" || {
			echo "# $edu/$1: $(cat "$edu/$1")"
			return 1
		}
	done
}

our_interrupts() { grep labyrinth /proc/interrupts; }

mebibytes() { echo $(($(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo) / 1024)); }

# in_force NAME VALUE: sets $text, which says so
in_force() {
	case $1 in
	cpus)
		text="there are $2 CPUs"
		[ "$(grep -c ^processor /proc/cpuinfo)" -eq "$2" ]
		;;
	memory)
		text="there are $2 MiB, but for what the kernel keeps ($(mebibytes) left)"
		[ "$(mebibytes)" -le "$2" ] && [ "$(mebibytes)" -gt $(($2 / 2)) ]
		;;
	release)
		text="this is Linux $2"
		[ "$(uname -r | cut -d. -f1-2)" = "$2" ]
		;;
	compat)
		text="the test programs are 32-bit ones"
		[ "$(dd if=/selftests/conserve bs=1 skip=4 count=1 2>/dev/null)" = "$(printf '\1')" ]
		;;
	msi)
		text="interrupts come as messages"
		our_interrupts && ! our_interrupts | grep -qv MSI
		;;
	intx)
		text="no interrupt comes as a message"
		our_interrupts && ! our_interrupts | grep -q MSI
		;;
	threaded)
		text="the interrupt handler has a thread"
		grep -q '^irq/[0-9]*-labyr' /proc/[0-9]*/comm
		;;
	realtime)
		text="this kernel is PREEMPT_RT"
		[ "$(cat /sys/kernel/realtime)" = 1 ]
		;;
	iommu)
		text="the devices are behind an IOMMU that isolates them"
		each_edu iommu_group/type "DMA(-FQ)?"
		;;
	beyond)
		text="most memory is out of reach of $2 address bits"
		each_edu consistent_dma_mask_bits "$2" &&
			[ "$(mebibytes)" -gt $((2 << ($2 - 20))) ]
		;;
	reach)
		text="the devices use $2 address bits"
		each_edu consistent_dma_mask_bits "$2"
		;;
	kasan)
		text="KASAN is built in"
		grep -qw kasan_report /proc/kallsyms
		;;
	page-poison)
		text="pages that are free are looked at when they are taken"
		grep -qw page_poison=1 /proc/cmdline && grep -qw __kernel_poison_pages /proc/kallsyms
		;;
	fault-injection)
		text="allocations can be made to fail, and what the driver may meet"
		[ -d /sys/kernel/debug/failslab ] && [ -d /sys/kernel/debug/fail_page_alloc ] &&
			[ -d /sys/kernel/debug/labyrinth/fail_refill_irq ]
		;;
	lockdep)
		text="lockdep is on"
		grep -qE '^ *debug_locks: *1$' /proc/lockdep_stats
		;;
	kmemleak)
		text="kmemleak is on"
		echo stack=on >/sys/kernel/debug/kmemleak
		;;
	dma-debug)
		text="the DMA API is checked"
		grep -qx N /sys/kernel/debug/dma-api/disabled
		;;
	kcsan)
		text="KCSAN is on, and has passed its own test"
		# It looks whether a handler runs without the lock, and then once more with
		# it, as its comment says: a race of the kernel's alone, at every free_irq().
		echo '!__synchronize_hardirq' >/sys/kernel/debug/kcsan &&
		grep -qx 'enabled: 1' /sys/kernel/debug/kcsan &&
			dmesg | grep -q 'kcsan: selftest: 3/3 tests passed'
		;;
	*)
		text="there is a check named $1"
		false
		;;
	esac
}

printf 'TAP version 13\n1..%d\n' "$(grep -c . /vm/in-force)"
number=0 bad=0
while IFS='=' read -r name value; do
	[ -n "$name" ] || continue
	number=$((number + 1))
	if in_force "$name" "$value" >/tmp/.in-force 2>&1; then
		echo "ok $number $text"
	else
		bad=1
		sed 's/^/# /' /tmp/.in-force
		echo "not ok $number $text"
	fi
done </vm/in-force
exit "$bad"
