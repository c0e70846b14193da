# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by each test program that runs the command: where its counts go in the guest.
# Whoever runs it adds to files that root has made, and says nothing if it cannot.
export GCOV_PREFIX=/tmp/gcov GCOV_ERROR_FILE=/dev/null
labyrinth --version >/dev/null 2>&1
chmod -R a+rwX /tmp/gcov
