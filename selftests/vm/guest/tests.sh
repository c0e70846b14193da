# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Runs the programs named in /selftests/programs, each line: name, seconds. After
# each one the pages are counted and the kernel log is read.

cd /selftests || exit 1

# Puts right what a test that was killed has left: a test module with its pages, a device
# without its driver. Else the programs after it would fail for that. Whoever leaves such
# things has failed, though all its tests have passed: then this is false.
put_right() {
	left=0
	for module in labyrinth_client_test labyrinth_stray_test; do
		[ -d "/sys/module/$module" ] || continue
		echo "# $one has left $module loaded"
		rmmod "$module"
		left=1
	done
	module_loaded || return "$left"
	for edu in /sys/bus/pci/devices/*; do
		grep -qx 0x11e8 "$edu/device" || continue
		[ ! -e "$edu/driver" ] || continue
		echo "# $one has left ${edu##*/} unbound"
		# This waits, where it is just being unbound.
		echo "${edu##*/}" >/sys/bus/pci/drivers/labyrinth/bind
		left=1
	done
	return "$left"
}

# run_one NAME SECONDS COMMAND...
run_one() {
	one=$1 limit=$2
	shift 2
	klog_mark "$one"
	tell "begin $one"
	start=$(now)
	timeout -s KILL "$limit" "$@" >&5 2>&1 </dev/null 5>&-
	status=$?
	seconds=$(awk -v a="$start" -v b="$(now)" 'BEGIN { print b - a }')
	# Whatever it left behind would disturb the next one: all but us ends here.
	kill -9 -1 2>/dev/null
	if [ -x /selftests/conserve ] && { [ "${vm_module?}" = 0 ] || module_loaded; }; then
		tell "conserve begin"
		timeout -s KILL 30 /selftests/conserve >&5 2>&1 </dev/null 5>&-
		tell "conserve $?"
	fi
	if [ "$vm_module" = 1 ] && ! put_right >&5 2>&1 && [ "$status" -eq 0 ]; then
		status=1
	fi
	klog_check
	tell "end $one $status $seconds"
}

# step NAME: one of step.sh's
step() {
	run_one "$1" 240 /vm/step.sh "$1"
	count=$((count + 1))
}

count=0
if [ "$vm_module" = 1 ]; then
	step load
	step lane
fi
while read -r name limit <&7; do
	if [ "$vm_module" = 1 ] && ! module_loaded; then
		load_module >&5 2>&1
	fi
	run_one "$name" "$limit" "/selftests/$name"
	count=$((count + 1))
done 7</selftests/programs
if [ "$vm_module" = 1 ]; then
	step unload
fi
tell "done $count"
