#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A system log over a local datagram socket, by busybox's own syslogd and
# logger: many writers at once, and not a message lost.
PATH=/bin
fail() {
	echo "KMOBJ: FAIL local: $*"
	exit 1
}

for applet in cat grep kill logger ls seq sort stat syslogd tr uniq wc; do
	/bin/busybox ln -s busybox /bin/$applet || fail "ln $applet"
done

syslogd -n -O /tmp/messages &
daemon=$!
until [ -S /dev/log ]; do
	kill -0 $daemon || fail "syslogd did not start"
done
for writer in 1 2 3 4; do
	for n in $(seq 1 20); do
		logger -t "writer$writer" "message $n"
	done &
	writers="$writers $!"
done
wait $writers
for tries in $(seq 1 500); do
	[ "$(grep -c writer /tmp/messages)" = 80 ] && break
done
for writer in 1 2 3 4; do
	n=$(grep "writer$writer" /tmp/messages | sort | uniq | grep -c message)
	[ "$n" = 20 ] || fail "writer $writer: $n messages of 20"
done
kill $daemon
wait $daemon
logger lost 2>/dev/null
[ "$(grep -c lost /tmp/messages)" = 0 ] || fail "a message to nobody arrived"
/bin/kvar vm.lastpages
echo "KMOBJ: PASS local"
