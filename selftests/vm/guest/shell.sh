# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# An interactive shell on the console.

exec </dev/console >/dev/console 2>&1
[ "${vm_module?}" != 1 ] || load_module
cat <<END

Labyrinth on Linux $(uname -r), two edu devices, you are root.
  labyrinth list                          the devices
  labyrinth stat -d 0                     where the pages are
  labyrinth acquire -d 0 -n 4 -t 60 &     hold four pages for a minute
  labyrinth top                           watch it, live
  ls /selftests                           the test programs; each runs by itself
  vm-host device_del edu1                 unplug the second (device_add edu1)
Leave with 'poweroff', or Ctrl-A X.

END
cd /tmp || exit 1
export TERM="${vm_term:-linux}"
[ "${vm_rows:-0}" -eq 0 ] || stty rows "$vm_rows" cols "${vm_columns?}" </dev/console
ENV=/vm/shell.rc PS1='labyrinth:\w# ' setsid cttyhack sh
tell "done 0"
