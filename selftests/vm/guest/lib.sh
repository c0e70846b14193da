# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What the guest's scripts share: talking to the runner, and reading the kernel log.

# A line for the runner. It begins on a line of its own, whatever a killed program
# left behind, and carries the nonce that only this boot knows. A child writes it: in the
# shell itself a write that the end of another child interrupts is not taken up again.
tell() { (printf '\n@%s %s\n' "${vm_nonce?}" "$*" >&5); }

now() { cut -d' ' -f1 /proc/uptime; }

load_module() {
	if [ -x /usr/local/bin/labyrinth ]; then
		labyrinth load
	else
		modprobe labyrinth
	fi
}

module_loaded() { [ -d /sys/module/labyrinth ]; }

# What a healthy kernel never says. A segfault of a program is none of these.
KLOG_BAD='WARNING:|BUG:|BUG |Oops|Call [Tt]race:|cut here
general protection fault[,:]|invalid opcode: |double fault|nable to handle kernel
KASAN|KCSAN|UBSAN|KFENCE|unreferenced object|kmemleak: .*(suspected|disabled)|ODEBUG disabled
possible (circular|recursive) locking|inconsistent lock state|irq lock inversion
suspicious RCU|rcu.*(stall|self-detected)|Voluntary context switch within RCU
scheduling while atomic|sleeping function called|lockup|blocked for more than
DMA-API:|nobody cared|DMAR:.*fault|AMD-Vi:.*FAULT
softirq: huh|debugfs: .*already present
page allocation failure|refcount_t:|list_(add|del) corruption|Bad page|Bad rss'

klog_mark() {
	klog_line="labyrinth-vm: begin $1 $(now)"
	echo "$klog_line" >/dev/kmsg
	klog_marker=${klog_marker:-$klog_line}
}

# The kernel itself has races that it can live with. A report of KCSAN counts if our module
# is in it; of the others, the lines that would make them one are left out.
klog_ours() {
	awk '
		/BUG: KCSAN:/ { held = 1; ours = 0; n = 0 }
		!held { print; next }
		{ block[++n] = $0 }
		/\[labyrinth/ { ours = 1 }
		/====================/ { end_block() }
		END { end_block() }
		function end_block(  i) {
			for (i = 1; i <= n; i++)
				if (ours || block[i] !~ /KCSAN/)
					print block[i]
			held = n = 0
		}'
}

# A test that makes the kernel report something announces it, with a regular expression.
# From there to its next line, what matches is left out; that nothing does is a complaint.
klog_unexpected() {
	awk '
		sub(/.*labyrinth-test: reports to come: /, "") { expected = $0; seen = 0; next }
		/labyrinth-test: no more reports/ {
			if (!seen)
				print "WARNING: no such report came: " expected
			expected = ""
			next
		}
		expected != "" && $0 ~ expected { seen = 1; next }
		{ print }'
}

# Tells what the kernel has complained of since the last time, or the first klog_mark: the
# end of one is the beginning of the next, so that nothing is said in between. Where the
# marker has already left the ring, all of the ring counts. Out-of-tree (4096) and unsigned
# (8192) are the only taints that our module brings by itself.
klog_check() {
	klog_checks=$((${klog_checks:-0} + 1))
	klog_end="labyrinth-vm: check $klog_checks at $(now)"
	echo "$klog_end" >/dev/kmsg
	dmesg | awk -v from="$klog_marker" -v to="$klog_end" '
		index($0, to) { exit }
		index($0, from) { n = 0; next }
		{ line[++n] = $0 }
		END { for (i = 1; i <= n; i++) print line[i] }' | klog_ours | klog_unexpected >/tmp/.klog
	klog_marker=$klog_end
	klog_taint=$(($(cat /proc/sys/kernel/tainted) & ~(4096 | 8192)))
	if grep -qE "$KLOG_BAD" /tmp/.klog; then
		tell "klog dirty"
		grep -E -A 30 "$KLOG_BAD" /tmp/.klog | head -n 60 |
			while IFS= read -r l; do tell "kline $l"; done
	elif [ "$klog_taint" -ne 0 ]; then
		tell "klog dirty"
		tell "kline the kernel is tainted: $klog_taint"
	else
		tell "klog clean"
	fi
	rm -f /tmp/.klog
}
