#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Fetches Debian packages of a kernel and unpacks them into the cache folder, or has a
# kernel of our own built from Debian's sources (those with a file in configs/). No
# root is needed and nothing is installed: neither the boot menu nor the modules of
# this machine change. The headers come from the same version as the image, so
# module and kernel always match. Remove the cache folder to get newer ones.
# Whole Debian systems, to try packages in, are root's.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=$("$here/paths.sh" cache)
# shellcheck source=selftests/vm/packages.sh
. "$here/packages.sh"

say() { printf 'set-up: %s\n' "$*"; }
die() { printf 'set-up: %s\n' "$*" >&2; exit 1; }

# What another package of the same version is called is in its Depends.
depends() {
	apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n 's/^Depends: //p' |
		tr ',|' '\n' | sed 's/^ *//; s/ .*//' | grep -E -- "$2" | head -n 1
}

candidate() { LC_ALL=C apt-cache policy "$1" | sed -n 's/^  Candidate: //p'; }

# Downloads into the current folder. As root apt would drop to its own user, who
# may not write here. Old lists name versions that the mirror no longer has: then
# root can renew the lists, anyone else is told to.
download() {
	apt-get -q -o APT::Sandbox::User=root download "$@" </dev/null && return
	return 1
}

# Both the lists and the resolved names have to be renewed together, so the
# whole step is retried once.
with_lists() {
	"$@" && return
	[ "$(id -u)" -eq 0 ] ||
		die "apt-get download failed; 'apt-get update' as root may be what is missing"
	say "renewing the package lists"
	apt-get -q update </dev/null || :
	"$@" || die "could not be fetched"
}

# META [:ARCH]. kbuild's programs run here, so they are always this machine's.
download_kernel() {
	local meta=$1 of=${2-} image release headers common kbuild
	image=$(depends "linux-image-$meta$of" '^linux-image-[0-9]') || return 1
	release=${image#linux-image-}
	release=${release%-unsigned}
	headers=linux-headers-$release
	common=$(depends "$headers$of" '^linux-headers-.*-common(-rt)?$') || return 1
	kbuild=$(depends "$headers$of" '^linux-kbuild-') || return 1
	version=$(candidate "$image$of")
	say "fetching Linux $release ($version): image and headers"
	rm -f ./*.deb
	download "$image$of" "$headers$of" "$common" "$kbuild"
}

fetch_kernel() {
	local name=$1 meta deb of=""
	case $name in
	stock) meta=amd64 ;;
	next) meta=6.12-amd64 ;;
	rt) meta=rt-amd64 ;;
	arm64) meta=arm64 of=:arm64 ;;
	*) die "no such kernel: $name" ;;
	esac
	[ ! -e "$cache/kernels/$name/vmlinuz" ] || return 0

	enter_tmp kernels
	with_lists download_kernel "$meta" $of

	mkdir root
	for deb in linux-image-*.deb; do
		# Of the image only what boots, and what depmod reads: the guest has no
		# other module than ours.
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C root --wildcards \
			'./boot/vmlinuz-*' './lib/modules/*/modules.*'
	done
	for deb in linux-headers-*.deb linux-kbuild-*.deb; do
		dpkg -x "$deb" root
	done
	mv root/boot/vmlinuz-* root/vmlinuz
	# The headers name their common part by its installed path.
	sed -i "s|/usr/src/|\$(dir \$(realpath \$(lastword \$(MAKEFILE_LIST))))../|" \
		root/usr/src/linux-headers-*/Makefile

	publish kernels "$name" "$version" root
}

enter_tmp() {
	mkdir -p "$cache/$1"
	tmp=$(mktemp -d "$cache/$1/.tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	cd "$tmp"
}

# The last step, so that what is there is whole: NAME is a link to a folder that
# has its version in its name.
publish() {
	local dir=$cache/$1 name=$2 target=$2-$3
	rm -rf "${dir:?}/$target"
	mv "$4" "$dir/$target"
	ln -sfn "$target" "$dir/$name"
	cd /
	rm -rf "$tmp"
	say "ready: $name $3"
}

download_source() {
	version=$(candidate linux-source-6.12)
	say "fetching the kernel's sources ($version)"
	rm -f ./*.deb
	download linux-source-6.12
}

# The tarball, from the installed package or from a download.
source_tar() {
	local deb
	if [ -e /usr/src/linux-source-6.12.tar.xz ]; then
		cat /usr/src/linux-source-6.12.tar.xz
	else
		for deb in linux-source-*.deb; do
			dpkg-deb --fsys-tarfile "$deb" |
				tar -xO --wildcards './usr/src/linux-source-*.tar.xz'
		done
	fi
}

get_source() {
	if [ -e /usr/src/linux-source-6.12.tar.xz ]; then
		version=$(dpkg-query -W -f '${Version}' linux-source-6.12)
	else
		with_lists download_source
	fi
}

# What an own kernel is made of, besides the sources, is part of its name.
build_kernel() {
	local name=$1 recipe
	recipe=$(cat "$here/configs/base.config" "$here/configs/$name.config" \
		"$here/build-kernel.sh" | sha256sum | cut -c 1-12)
	case $(readlink "$cache/kernels/$name" || :) in
	*"-$recipe") [ ! -e "$cache/kernels/$name/vmlinuz" ] || return 0 ;;
	esac

	enter_tmp kernels
	get_source
	say "unpacking the sources, building the kernel $name (about ten minutes)"
	mkdir source
	source_tar | tar -xJ -C source --strip-components=1
	"$here/build-kernel.sh" source "$name" root
	publish kernels "$name" "$version-$recipe" root
}

download_sysroot() {
	local arch=$1 there
	# The word splitting is meant.
	# shellcheck disable=SC2206
	there=($3)
	say "fetching a compiler, libraries and busybox for $arch"
	rm -f ./*.deb
	# shellcheck disable=SC2086
	download $2 "${there[@]/%/:$arch}"
}

# A compiler that runs here, and what its programs need there, in a folder of their own:
# gcc finds its parts relative to itself.
fetch_sysroot() {
	local arch=$1 deb what="$COMPILER_ARM64 $LIBRARIES_ARM64"
	[ "$arch" = arm64 ] || die "no such architecture: $arch"
	[ "$(cat "$cache/sysroots/$arch/packages" 2>/dev/null)" != "$what" ] || return 0

	enter_tmp sysroots
	with_lists download_sysroot "$arch" "$COMPILER_ARM64" "$LIBRARIES_ARM64"
	version=$(candidate "libc6:$arch")-$(printf %s "$what" | sha256sum | cut -c 1-12)
	mkdir root
	printf '%s\n' "$what" >root/packages
	for deb in ./*.deb; do
		dpkg -x "$deb" root
	done
	publish sysroots "$arch" "$version" root
}

# Where this machine gets Debian from.
debian() {
	# apt-get's variables, not the shell's.
	# shellcheck disable=SC2016
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' | sort -u
}

# A Debian system in a folder: "user" with what there is before our packages come, "build"
# with what it takes to build them.
fetch_chroot() {
	local name=$1 suite packages needs="" recipe
	case $name in
	user) packages=$PACKAGES_CHROOT_USER ;;
	build)
		packages=$PACKAGES_CHROOT_BUILD
		needs=$(sed '/^$/q' "$here/../../debian/control")
		;;
	*) die "no such system: $name" ;;
	esac
	recipe=$(printf %s "$packages$needs" | sha256sum | cut -c 1-12)
	case $(readlink "$cache/chroots/$name" || :) in
	*"-$recipe") return 0 ;;
	esac

	enter_tmp chroots
	# shellcheck source=/dev/null
	suite=$(. /etc/os-release && printf %s "$VERSION_CODENAME")
	say "making a Debian system to $name packages in (three minutes)"
	mkdir -p needs/debian
	printf '%s\n' "$needs" >needs/debian/control
	debian >sources
	# shellcheck disable=SC2086,SC2016
	mmdebstrap --quiet --mode=root --variant=apt --include="$(printf '%s,' $packages)" \
		${needs:+--customize-hook='copy-in needs /tmp'} \
		${needs:+--customize-hook='chroot "$1" apt-get -q -y build-dep /tmp/needs'} \
		--skip=cleanup/apt/lists "$suite" root sources || die "no Debian system"
	# Large, and nobody asks for the earlier one any more.
	rm -rf "${cache:?}/chroots/$name"-*
	publish chroots "$name" "$(cat root/etc/debian_version)-$recipe" root
}

fetch_source() {
	[ ! -e "$cache/source/scripts/checkpatch.pl" ] || return 0
	enter_tmp .
	get_source
	say "unpacking scripts and test harness (half a minute)"
	mkdir root
	source_tar | tar -xJ -C root --strip-components=1 --wildcards \
		'*/COPYING' \
		'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
		'*/scripts/const_structs.checkpatch' '*/scripts/kernel-doc' \
		'*/scripts/subarch.include' \
		'*/tools/testing/selftests/lib.mk' \
		'*/tools/testing/selftests/kselftest*'
	[ -s root/scripts/checkpatch.pl ] || die "the kernel's sources hold no checkpatch.pl"
	publish . source "$version" root
}

# All of it, for those who build in it.
fetch_tree() {
	[ ! -e "$cache/tree/Kconfig" ] || return 0
	enter_tmp .
	get_source
	say "unpacking the kernel's sources (1.6 GB, a few minutes)"
	mkdir root
	source_tar | tar -xJ -C root --strip-components=1
	publish . tree "$version" root
}

case ${1-} in
kernel:?*)
	if [ -e "$here/configs/${1#kernel:}.config" ]; then
		build_kernel "${1#kernel:}"
	else
		fetch_kernel "${1#kernel:}"
	fi
	;;
sysroot:?*) fetch_sysroot "${1#sysroot:}" ;;
chroot:?*) fetch_chroot "${1#chroot:}" ;;
source) fetch_source ;;
tree) fetch_tree ;;
*)
	printf 'usage: fetch.sh kernel:NAME | sysroot:ARCH | chroot:NAME | source | tree\n' >&2
	exit 2
	;;
esac
