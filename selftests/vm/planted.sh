#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs test programs on a copy of the driver in which something has been changed: in
# FOLDER, edited by COMMAND, which finds the copy's sources in its current folder. The
# module is built for the lane's kernel. Ends like "run test", or with 3 where COMMAND has
# changed nothing, or what it made does not build.
#
# usage: planted.sh FOLDER LANE COMMAND PROGRAM...
set -eu

[ $# -ge 4 ] || { echo "usage: planted.sh FOLDER LANE COMMAND PROGRAM..." >&2; exit 2; }
folder=$1 lane=$2 command=$3
shift 3
vm=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$vm/../.." && pwd)
kernel=$(sed -n "s/^$lane *| *\([a-z0-9]*\).*/\1/p" "$vm/lanes")
[ -n "$kernel" ] || { echo "planted: no such lane: $lane" >&2; exit 2; }

rm -rf "${folder:?}/source"
mkdir -p "$folder/source/selftests"
folder=$(cd "$folder" && pwd)
source=$folder/source
cp -r "$top/driver" "$top/uapi" "$source"
cp -r "$top/selftests/module" "$top/selftests/vm" "$source/selftests"

(cd "$source/driver" && bash -euc "$command")
if diff -rq "$top/driver" "$source/driver" >/dev/null; then
	echo "planted: this changes nothing: $command" >&2
	exit 3
fi
if ! "$source/selftests/vm/build-module.sh" "$("$vm/paths.sh" headers "$kernel")" \
	"$folder/kbuild" >"$folder/build.log" 2>&1; then
	tail -n 20 "$folder/build.log" >&2
	echo "planted: this does not build: $command" >&2
	exit 3
fi

only=()
for program; do
	only+=(--only "$program")
done
exec "$vm/run" test --lane "$lane" --modules "$folder/kbuild" --work "$folder/vm" \
	"${only[@]}"
