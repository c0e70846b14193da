# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The demo: what steps.sh (../demo.sh) prints goes to the runner, which shows it to the user.
klog_mark demo
export vm_nonce
timeout -s KILL 120 /vm/steps.sh >&5 2>&1 </dev/null
status=$?
kill -9 -1 2>/dev/null
klog_check
tell "done $status"
