# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Copies folders of sources, for those who build from a copy. Sourced.

# sync_dir FROM TO [FILE...]: C, kbuild's files, and the files named. Only what is new is
# written, so that only that is compiled again; sources that are gone here go there too.
sync_dir() {
	local from=$1 to=$2 f
	shift 2
	mkdir -p "$to"
	for f in "$from"/*.[ch] "$from"/Makefile "$from"/Kconfig "${@/#/$from/}"; do
		[ -f "$f" ] || continue
		cmp -s "$f" "$to/${f##*/}" || cp "$f" "$to/"
	done
	for f in "$to"/*.[ch]; do
		[ ! -f "$f" ] || [ -f "$from/${f##*/}" ] || [[ $f == *.mod.c ]] || rm "$f"
	done
}
