#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Sets up what is missing, and says what it does. On a machine that has
# everything it asks dpkg once and needs neither root nor the network.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/vm/packages.sh
. "$here/packages.sh"

usage() {
	cat >&2 <<-END
	usage: setup.sh WHAT...
	  build, vm, tests, lint, bench, coverage, model, packages
	                      the packages for that purpose
	  arm64               cross compiler, emulator and libraries for that lane
	  kernel:NAME         that kernel and the headers that match it (stock, next, rt,
	                      arm64; those in configs/ are built here)
	  chroot:NAME         a Debian system to build packages in, or to use them (build,
	                      user)
	  source              checkpatch, kernel-doc, lib.mk, kselftest_harness.h
	  tree                all of the kernel's sources, and what it takes to build there
	END
	exit 2
}

say() { printf 'set-up: %s\n' "$*"; }
die() { printf 'set-up: %s\n' "$*" >&2; exit 1; }

missing_of() {
	local have p
	command -v dpkg-query >/dev/null ||
		die "this is not Debian: please install what corresponds to: $*"
	have=$(dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' "$@" 2>/dev/null |
		sed -n 's/^installed \([^:]*\).*/\1/p' || :)
	for p; do
		grep -qxF -- "$p" <<<"$have" || printf '%s\n' "$p"
	done
}

# Sets $sudo to what makes the following command root's. Without any, the arguments are
# what to tell the user.
become_root() {
	sudo=""
	[ "$(id -u)" -ne 0 ] || return 0
	if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
		sudo=sudo
		return
	fi
	printf 'set-up: %s\n' "$@" >&2
	exit 1
}

# So that apt-get knows the other architecture's packages. Nothing of it is installed.
know_architecture() {
	local sudo
	! dpkg --print-foreign-architectures | grep -qx "$1" || return 0
	become_root "$1 packages are not known to this system" \
		"please run as root: dpkg --add-architecture $1 && apt-get update"
	say "making $1 packages known to apt-get"
	$sudo dpkg --add-architecture "$1"
	$sudo apt-get -q update </dev/null || say "apt-get update had errors"
}

install_missing() {
	local list sudo
	list=$(missing_of "$@" | sort -u | tr '\n' ' ')
	list=${list% }
	[ -n "$list" ] || return 0
	become_root "these packages are missing: $list" \
		"please run as root: apt-get install --no-install-recommends $list"
	say "installing: $list"
	# INITRD=No: should a kernel image come along, Debian's hook then skips the
	# initramfs, which takes the better part of a minute and is never booted here.
	# The word splitting of $list and $sudo is meant.
	# shellcheck disable=SC2086
	{
		$sudo apt-get -q update </dev/null ||
			say "apt-get update had errors; trying with the lists there are"
		$sudo env DEBIAN_FRONTEND=noninteractive INITRD=No apt-get -q -y \
			-o Dpkg::Use-Pty=0 --no-install-recommends install $list </dev/null ||
			die "apt-get could not install: $list"
	}
}

packages="" foreign=""
fetch=()
for what; do
	case $what in
	build) packages+=" $PACKAGES_BUILD" ;;
	vm) packages+=" $PACKAGES_VM" ;;
	tests) packages+=" $PACKAGES_TESTS" ;;
	lint) packages+=" $PACKAGES_LINT" ;;
	bench) packages+=" $PACKAGES_BENCH" ;;
	arm64)
		packages+=" $PACKAGES_ARM64"
		foreign=arm64
		fetch+=(sysroot:arm64)
		;;
	coverage) packages+=" $PACKAGES_COVERAGE" ;;
	model) packages+=" $PACKAGES_MODEL" ;;
	packages) packages+=" $PACKAGES_PACKAGES" ;;
	tree)
		packages+=" $PACKAGES_TREE"
		fetch+=("$what")
		;;
	kernel:?* | chroot:?* | source)
		fetch+=("$what")
		[ ! -e "$here/configs/${what#kernel:}.config" ] || packages+=" $PACKAGES_KERNEL"
		;;
	*) usage ;;
	esac
done
[ $# -gt 0 ] || usage

[ -z "$foreign" ] || know_architecture "$foreign"
if [ -n "$packages" ]; then
	# shellcheck disable=SC2086
	install_missing $packages
fi
for what in ${fetch[@]+"${fetch[@]}"}; do
	"$here/fetch.sh" "$what"
done
