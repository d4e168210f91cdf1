#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# What a shell script wants from a kernel: pipes, files, signals, statuses.
PATH=/bin
fail() {
	echo "KMOBJ: FAIL shell: $*"
	exit 1
}
is() {
	[ "$2" = "$3" ] || fail "$1: got '$2', expected '$3'"
}

for applet in awk cat cut date grep head ln ls mkdir mv od readlink rm rmdir \
    seq sleep sort stat tail tr true wc xargs yes; do
	/bin/busybox ln -s busybox /bin/$applet || fail "ln $applet"
done

is "a pipe" "$(for i in 1 2 3; do echo $i; done | sort -r | tr '\n' ' ')" \
    "3 2 1 "
is "a broken pipe" "$(yes | head -n 2 | wc -l)" 2
is "many lines" "$(seq 1 5000 | grep 7 | wc -l)" "$(seq 1 5000 |
    awk '/7/ { n++ } END { print n }')"

mkdir -p /tmp/a/b || fail mkdir
cd /tmp/a/b || fail cd
is pwd "$(pwd)" /tmp/a/b
echo one >f
echo two >>f
is "a file" "$(cat f | tr '\n' ' ')" "one two "
mv f ../g && ln -s g ../l
is "a link" "$(readlink ../l) $(tail -n 1 ../l)" "g two"
is "a size" "$(stat -c %s ../g)" 8
is "a listing" "$(ls .. | tr '\n' ' ')" "b g l "
rmdir .. 2>/dev/null && fail "rmdir of a directory that is not empty"
cd / && rm -r /tmp/a || fail rm
[ -e /tmp/a ] && fail "/tmp/a is still there"
is "zeroes" "$(head -c 3 /dev/zero | od -An -tx1 | tr -d ' ')" 000000
cat </dev/null >/dev/null || fail /dev/null

(exit 7)
is "a status" $? 7
sleep 100 &
kill $!
wait $! 2>/dev/null
is "a killed child" $? 143
trap 'hit=yes' USR1
kill -USR1 $$
is "a trap" "$hit" yes
is "a here document" "$(cat <<END
$((6 * 7))
END
)" 42
is "xargs" "$(seq 1 100 | xargs -n 10 | wc -l)" 10
is "a subshell's variable" "$(x=1; (x=2); echo $x)" 1
/bin/nothing 2>/dev/null
is "no such program" $? 127
/bin/kvar vm.lastpages
echo "KMOBJ: PASS shell"
