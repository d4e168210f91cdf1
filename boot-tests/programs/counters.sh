#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# What a person asks a machine: ps, top, free, uptime, vmstat.  Each answer is
# checked against something known otherwise.
PATH=/bin
fail() {
	echo "KMOBJ: FAIL counters: $*"
	exit 1
}
is() {
	[ "$2" = "$3" ] || fail "$1: got '$2', expected '$3'"
}

/bin/busybox --install -s /bin 2>/dev/null

# Processes: one that sleeps, one that is dead.
sleep 1000 &
sleeper=$!
until [ "$(cat /proc/$sleeper/wchan)" = nanslp ]; do :; done
is "its name" "$(cat /proc/$sleeper/comm)" sleep
is "its arguments" "$(tr '\0' ' ' </proc/$sleeper/cmdline)" "sleep 1000 "
is "its parent" "$(awk '/^PPid/ { print $2 }' /proc/$sleeper/status)" $$
is "ps" "$(ps -o pid,ppid,args | grep "^ *$sleeper " | sed 's/  */ /g; s/^ //')" \
    "$sleeper $$ sleep 1000"
is "init" "$(ps -o pid,comm | awk '$1 == 1 { print $2 }')" sh
is "its state" "$(awk '{ print $3 }' /proc/$sleeper/stat)" S
top -b -n 1 >/tmp/top || fail "top"
grep -q "^ *$sleeper .*sleep 1000" /tmp/top || fail "top shows no sleeper"
grep -q '^CPU: .*idle' /tmp/top || fail "top shows no CPU line"
is "a process of its own" "$(cd /proc/self && cat comm)" cat
is "the directory" "$(cd /proc/$sleeper && pwd && ls | tr '\n' ' ')" \
    "/proc/$sleeper
cmdline comm stat statm status wchan "
kill $sleeper
wait $sleeper
[ -e /proc/$sleeper ] && fail "/proc/$sleeper outlived its process"
for i in a b c d; do sleep 1000 & done
until [ "$(pidof sleep | wc -w)" = 4 ]; do :; done
is "all of them" "$(ls -d /proc/[0-9]*/comm | xargs cat 2>/dev/null |
    grep -c sleep)" 4
kill $(pidof sleep)
wait

# Nothing in /proc changes by hand.
echo 1 2>/dev/null >/proc/uptime && fail "/proc/uptime was written"
rm -r /proc/1 2>/dev/null && fail "/proc/1 was removed"
mkdir /proc/x 2>/dev/null && fail "/proc/x was made"
rmdir /proc 2>/dev/null && fail "/proc was removed"
mv /proc /tmp 2>/dev/null && fail "/proc was moved"
ln /proc/uptime /tmp/x 2>/dev/null && fail "/proc/uptime was linked"
[ -d /proc/1 ] || fail "/proc/1 is gone"

# Memory: free agrees with the kernel's own numbers.
total=$(kvar vm.stats.v_page_count | awk '{ print $3 * 4 }')
is "MemTotal" "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)" $total
is "free's total" "$(free | awk '/^Mem/ { print $2 }')" $total
is "free's swap" "$(free | awk '/^Swap/ { print $2 }')" \
    "$(awk 'NR == 2 { print $3 }' /proc/swaps)"
awk '/^MemFree/ { exit !($2 > 0 && $2 < '$total') }' /proc/meminfo ||
    fail "MemFree"
was=$(awk '/^pgfault/ { print $2 }' /proc/vmstat)
awk '/^pgfault/ { exit !($2 > '$was') }' /proc/vmstat || fail "no page fault"

# The processor: a loop is user time.
was=$(awk '/^cpu / { print $2 }' /proc/stat)
i=0
until [ "$(awk '/^cpu / { print $2 }' /proc/stat)" -gt $((was + 20)) ]; do
	awk 'BEGIN { for (i = 0; i < 10000; i++) n += i }'
done
is "cpus" "$(grep -c '^cpu[0-9]' /proc/stat)" "$(kvar hw.ncpu |
    awk '{ print $3 }')"
is "processors" "$(grep -c '^processor' /proc/cpuinfo)" "$(nproc)"
uptime | grep -q 'load average: [0-9.]*, [0-9.]*, [0-9.]*$' || fail uptime

# vmstat: the tables are whole, and the numbers move.
vmstat
vmstat 1 2 >/tmp/vmstat || fail vmstat
is "vmstat's lines" "$(wc -l </tmp/vmstat)" 3
is "vmstat's columns" "$(awk '{ print NF }' /tmp/vmstat | sort -u)" 15
vmstat -m
vmstat -z
is "open files" "$(vmstat -m | awk '$1 == "file" { print ($2 > 2), ($7 > 0) }')" \
    "1 1"
pipe_calls() {
	vmstat -m | awk '$1 == "pipe" { print $4 }'
}
was=$(pipe_calls)
[ "$was" -gt 0 ] || fail "no pipe was made"
if vmstat -m | grep -q 'ready'; then
	is "the reserve of SWAPMETA" "$(vmstat -m |
	    awk '$1 == "SWAPMETA" { print NF, ($8 > 0), ($9 >= 0) }')" "12 1 1"
else
	is "the zone of MAP ENTRYs" "$(vmstat -z |
	    awk '/^MAP ENTRY/ { print NF, ($5 > 0) }')" "8 1"
fi
/bin/kvar vm.lastpages
echo "KMOBJ: PASS counters"
