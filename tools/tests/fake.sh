# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# tap.sh, and devices that are none; see ../../lib/tests/fake-system.c. Begin with the
# library to preload in $fake.
# shellcheck source=tools/tests/tap.sh
. tests/tap.sh

export LABYRINTH_FAKE="$scratch/system"
mkdir "$LABYRINTH_FAKE"
touch "$LABYRINTH_FAKE/module"
real=${labyrinth?}
export real fake
labyrinth=$scratch/labyrinth
# shellcheck disable=SC2016
printf '#!/bin/sh\nLD_PRELOAD=$fake exec "$real" "$@"\n' >"$labyrinth"
chmod +x "$labyrinth"

# device N ["KEY VALUE"...]: there is a device N, of which that is true
device()
{
	node=$LABYRINTH_FAKE/labyrinth$1
	shift
	# In one go, because the command may be reading it.
	printf '%s\n' "$@" >"$scratch/node"
	mv "$scratch/node" "$node"
}

# pages N ["PAGE"...]: what debugfs says of the pages of device N
pages()
{
	file=$LABYRINTH_FAKE/pages$1
	shift
	printf '%s\n' "slot offset pages state content pid comm" "$@" >"$scratch/node"
	mv "$scratch/node" "$file"
}
