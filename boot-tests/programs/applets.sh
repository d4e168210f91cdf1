#!/bin/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A long script for busybox's applets.  What it prints between the first `==' and
# the verdict must be the same wherever it runs.
#
# Environment: dir (/tmp), an empty directory.
bb=/bin/busybox
if [ "$1" != body ]; then
	# Never a terminal: ls and others look.
	$bb sh "$0" body 2>/dev/null | $bb cat
	[ -x /bin/kvar ] && /bin/kvar vm.lastpages
	echo "KMOBJ: PASS applets"
	exit
fi
dir=${dir:-/tmp}
mkdir -p "$dir/bin" 2>/dev/null || $bb mkdir -p "$dir/bin"
$bb --install -s "$dir/bin" || exit 1
PATH=$dir/bin
export PATH
LC_ALL=C
export LC_ALL
cd "$dir" || exit 1
umask 022

section() {
	echo "== $*"
}
status() {
	"$@"
	echo "status $?"
}

section text
seq 1 2000 >n
status wc n
head -n 3 n; tail -n 3 n; tail -c 5 n; tail -n +1998 n
sort -rn n | head -n 2
awk '{ s += $1 } END { print s, NR }' n
awk 'BEGIN { for (i = 0; i < 3; i++) printf "%5.2f|%-4d|%x\n", i / 3, i, i * 77 }'
sed -n '/^19.*5$/p' n | tr '\n' ' '; echo
sed 's/\([0-9]\)\([0-9]\)/\2\1/g; 5q' n
grep -c 7 n; grep -n '^20*$' n; grep -v '[0-8]' n; grep -o '99*' n | uniq -c
status grep -q nothing n
tr 0-9 a-j <n | tail -n 2
cut -c 1-2 n | uniq | wc -l
paste n n | awk 'NR % 500 == 0'
seq 1 10 | tac | nl | tail -n 2
printf 'b 2\na 1\nc 3\nb 2\n' >t
sort t; sort -u t; sort -k 2 -r t; uniq -d t; sort t | uniq -c
seq 1 5 | shuf | sort -n | tr '\n' ,; echo
echo 'The quick brown fox' | rev
echo 'one two three' | fold -w 5 -s
printf 'a\tb\n' | expand -t 4; echo 'a       b' | unexpand -a
echo hello | od -c; echo hello | hexdump -C; echo hello | xxd
echo hello | base64; echo aGVsbG8K | base64 -d
diff t n | head -n 3; status cmp -s t n; status cmp t t
seq 1 3 | tee tee.1 tee.2 | wc -l; cat tee.1 tee.2 | wc -c
dd if=n bs=100 skip=2 count=3 2>/dev/null | sha1sum
dd if=/dev/zero of=z bs=4k count=16 2>/dev/null; wc -c <z
dd if=n of=z bs=10 seek=100 count=3 conv=notrunc 2>/dev/null; sha256sum z
md5sum n; sha512sum n | cut -c 1-20; crc32 n
expr 6 \* 7; expr substr abcdef 2 3; factor 360; echo '2^40; scale=5; 1/7' | bc
echo '5 3 * p' | dc
status test 3 -lt 5; status [ -d /nowhere ]; status false
basename /a/b/c.d .d; dirname /a/b/c

section packing
gzip -c n | gunzip | cmp - n && echo gzip
bzip2 -c n | bunzip2 | cmp - n && echo bzip2
gzip -k n && zcat n.gz | wc -l && gunzip -f n.gz
mkdir -p tree/a/b tree/c
cp n tree/a/n; cp t tree/a/b/t; ln -s ../a/n tree/c/link; : >tree/empty
tar cf tree.tar tree; tar tf tree.tar | sort
mkdir out && tar xf tree.tar -C out && diff -r tree out/tree && echo tar
tar cz tree | tar tz | wc -l
(cd tree && find . | sort | cpio -o -H newc 2>/dev/null) >tree.cpio
mkdir out2 && (cd out2 && cpio -id 2>/dev/null <../tree.cpio) &&
    diff -r tree out2 && echo cpio

section files
ls -1 tree tree/a; ls -l tree/a/n | awk '{ print $1, $5 }'
ls -F tree; ls -a tree/c
stat -c '%n %s %f %F %h' tree/a/n tree/c/link; stat -c '%n %f %F %h' tree/c
readlink tree/c/link; cat tree/c/link | wc -l; realpath tree/c/link | sed "s|$dir||"
find tree -type f | sort; find tree -name '*n*' | sort
find tree -type f -size +1k; find tree -empty; find tree -type l -exec ls {} \;
find tree -type f | sort | xargs wc -l; seq 1 7 | xargs -n 3 echo
find tree -type f -print0 | sort -z | xargs -0 -n 1 basename
chmod 640 tree/a/n; stat -c %a tree/a/n; chmod -R u+x,go-r tree/a; stat -c %a tree/a/n
touch -d '2001-02-03 04:05:06' tree/a/n; date -u -r tree/a/n '+%Y-%m-%d %H:%M:%S'
touch -r tree/a/n tree/a/m; stat -c %Y tree/a/m
touch -d '2001-02-03 04:05:07' t2; [ t2 -nt tree/a/n ]; echo newer $?
cp -p tree/a/n copy; [ copy -ot t2 ]; echo older $?
cp -r tree tree2; diff -r tree tree2 && echo copied
mv tree2 tree3; mv tree3/a/n tree3/c; ls tree3/a tree3/c
ln n hard; stat -c %h n; rm hard; stat -c %h n
status rmdir tree3 2>/dev/null; rm -r tree3; ls -d tree*
truncate -s 100000 sparse; wc -c <sparse; truncate -s 10 sparse; wc -c <sparse
mkdir -p d1/d2/d3; rmdir -p d1/d2/d3; ls -d d1 2>/dev/null; echo gone
f=$(mktemp -p . tmp.XXXXXX); [ -f "$f" ] && echo mktemp; rm "$f"
du -a tree | wc -l; [ "$(df . | wc -l)" -ge 2 ] && echo df
sync; echo synced
printf '#!/bin/busybox sh\necho script $0 $*\n' >s; chmod +x s; ./s 1 2
status ./nowhere 2>/dev/null; status ./n 2>/dev/null
patch t <<'P'
--- t
+++ t
@@ -1,2 +1,2 @@
-b 2
+b 4
 a 1
P
cat t
printf '1\n2\n3\n' >e; printf '2d\nw\nq\n' | ed -s e 2>/dev/null || ed e <<E >/dev/null
2d
w
q
E
cat e

section shell
for i in a b c; do echo $i; done | while read x; do echo "<$x>"; done
x=$(echo $(echo nested $(echo deeper))); echo "$x"
case abc in a*) echo star;; esac
f() { local y=$1; [ $y -le 0 ] && return 3; f $((y - 1)); }
f 20; echo $?
set -- one 'two three' four; echo $# "$2"; shift; echo "$*"
cat <<A
here $((1 + 2)) ${x%er} ${#x} ${undefined:-default}
A
(exit 5); echo $?; ! true; echo $?
{ echo out; echo err >&2; } 2>&1 >/dev/null | cat
exec 3>fd3; echo three >&3; exec 3>&-; cat fd3
exec 4<n; read a <&4; read b <&4; echo $a $b; exec 4<&-
# Not fd3: the host's cat may have lent its page to the pipe, not copied it.
cp fd3 fd4; echo replaced 1<>fd4; cat fd4
trap 'echo trapped' USR1; kill -USR1 $$; trap - USR1
(trap 'echo bye' EXIT; exit 2); echo $?
sleep 0 & wait $!; echo waited $?
(sleep 100 & echo $! >pid; wait) & sleep 0; until [ -s pid ]; do :; done
kill $(cat pid); wait; echo killed
sh -c 'kill -TERM $$'; echo $?
yes | head -n 1000 | wc -l; (yes; echo not reached) | head -n 1
timeout 1 sleep 20; echo timeout $?
echo a b c | (read p q; echo $q; cat)
env -i A=1 $(which env); env | grep -c LC_ALL
i=0; while [ $i -lt 100 ]; do i=$((i + 1)); [ $((i % 2)) = 0 ] && continue; done; echo $i
seq 1 50 | while read k; do echo $k | cat | cat | cat; done | awk '{ s += $1 } END { print s }'
time true 2>/dev/null; times >/dev/null; echo timed
ulimit -n >/dev/null && echo limits
nohup echo nohup 2>/dev/null; setsid echo setsid
id -u; which sed | sed "s|$dir||"
printf '%s %d %c %05.1f\n' str 42 x 3.14159
echo "$((0x1f & 7)) $((1 << 20)) $((-7 / 2)) $((-7 % 3))"
command -v nowhere; echo $?
eval 'y=5; echo $y'; unset y; echo "[$y]"
sort <<S | head -n 1
z
y
S

section large
i=0; while [ $i -lt 200 ]; do echo $i >f.$i; i=$((i + 1)); done
ls f.* | wc -l; cat f.* | sort -n | md5sum; rm f.*
seq 1 100000 | shuf | sort -n | md5sum
seq 1 100000 | sort -r | gzip | gunzip | sort -n | tail -n 1
awk 'BEGIN { for (i = 0; i < 50000; i++) a[i] = i * i; for (i in a) s += a[i]; print s }'
seq 1 20000 | xargs echo | wc -w
head -c 1000000 /dev/zero | tr '\0' x | fold -w 1000 | wc -l
head -c 300000 /dev/zero | sha256sum
cd /; rm -rf "$dir"/*; echo "left: $(/bin/busybox ls "$dir" | /bin/busybox wc -l)"
