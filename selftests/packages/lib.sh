# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the parts of "make check-packages" share: Debian systems that can be changed at
# will, and cases in KTAP. Each part runs where its mounts and processes end with it.

top=$(cd "$(dirname "$0")/../.." && pwd)
vm=$top/selftests/vm
archives=$("$vm/paths.sh" chroot archives)
work=$top/build/packages
debs=$work/debs
# Those who read this file use it.
# shellcheck disable=SC2034
packages=(labyrinth-dkms labyrinth-tools liblabyrinth-dev liblabyrinth1)
scratch=$work/.$(basename "$0")

[ "$(id -u)" -eq 0 ] || { echo "this needs root" >&2; exit 1; }
if [ -z "${PACKAGES_APART-}" ]; then
	rm -rf "$scratch"
	mkdir -p "$scratch" "$debs" "$archives/partial"
	PACKAGES_APART=yes unshare --mount --pid --fork --kill-child "$0" "$@"
	status=$?
	# Nothing is mounted there any more.
	rm -rf "$scratch"
	exit $status
fi

# enter_system NAME: makes $root such a system, of which what is written is thrown away.
# Packages that apt downloads stay for the next time.
enter_system() {
	local lower upper=$scratch/upper
	lower=$("$vm/paths.sh" chroot "$1")
	root=$scratch/root
	mkdir "$upper" "$scratch/overlay" "$root"
	mount -t overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$scratch/overlay" \
		overlay "$root" &&
		mount -t proc proc "$root/proc" &&
		mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts" &&
		mount --bind "$archives" "$root/var/cache/apt/archives" ||
		exit 1
	cp /etc/resolv.conf "$root/etc"
}

# inside COMMAND...: run by root in that system
inside() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive "$@"
}

# The sources, as git knows them or would add them.
copy_sources() {
	mkdir -p "$1"
	git -C "$top" ls-files -z --cached --others --exclude-standard |
		tar -c -C "$top" --null -T - | tar -x -C "$1"
}

# That system gets the packages and the sources.
give() {
	copy_sources "$root/given/sources"
	cp -r "$debs" "$root/given"
	rm -f "$root"/given/debs/*-dbgsym_*
}

number=0 bad=0

# plan COUNT
plan() { printf 'KTAP version 1\n1..%d\n' "$1"; }

# ok TEXT COMMAND...: one case; what the command says shows why it failed
ok() {
	local text=$1
	shift
	number=$((number + 1))
	if "$@" >"$scratch/said" 2>&1 </dev/null; then
		echo "ok $number $text"
	else
		bad=1
		tail -n 60 "$scratch/said" | sed 's/^/# /'
		echo "not ok $number $text"
	fi
}

all_ok() { [ "$bad" -eq 0 ]; }
