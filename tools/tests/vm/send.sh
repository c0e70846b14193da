# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# Sending and receiving in the background, and all of ktap.sh.
# shellcheck source=tools/tests/vm/ktap.sh
. /selftests/ktap.sh

# shellcheck disable=SC2034
ticket=262144			# bytes of a whole one

# Not by the name: the socket of a killed receiver may still be there. Only the kernel
# knows (10000: __SO_ACCEPTCON) whether somebody listens.
somebody_listens()
{
	grep -q ' 00010000 .* socket$' /proc/net/unix
}

# start_receive ARGUMENT...: in the background, until it listens on "socket"
start_receive()
{
	labyrinth receive "$@" >"$scratch/.received" 2>"$scratch/.receive-err" </dev/null 8>&- &
	receiver=$!
	soon somebody_listens || cat "$scratch/.receive-err" >>"$wrong"
}

# receive_exits CODE TEXT: and its messages are now those of the last command
receive_exits()
{
	wait "$receiver"
	status=$?
	what="labyrinth receive"
	# Not what it says when it begins to wait.
	grep -v 'waiting for' "$scratch/.receive-err" >"$err"
	exits "$1"
	[ -z "${2-}" ] || says "$2"
}

# start_send: in the background, from a pipe that feed() fills and stop_feeding ends
start_send()
{
	mkfifo pipe
	exec 9<>pipe
	exec 7<pipe
	exec 8>pipe
	exec 9>&-
	rm pipe
	labyrinth send -d 0 socket <&7 >/dev/null 2>"$scratch/.send-err" 7<&- 8>&- &
	sender=$!
	exec 7<&-
}

feed()
{
	head -c "$1" /dev/zero >&8
}

send_exits()
{
	exec 8>&-
	wait "$sender"
	status=$?
	what="labyrinth send"
	cp "$scratch/.send-err" "$err"
	exits "$1"
	[ -z "${2-}" ] || says "$2"
}
