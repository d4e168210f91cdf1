#!/bin/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Text that is sorted, compressed and added up, by busybox.  The lines that
# start with `load' must come out the same wherever this runs.
#
# Environment: lines (200000), width (0): bytes of filling in a line of some 20,
# dir (/tmp).
bb=/bin/busybox
lines=${lines:-200000}
width=${width:-0}
cd "${dir:-/tmp}" || exit 1

$bb seq 1 "$lines" | $bb awk -v width="$width" '
    BEGIN {
	for (i = 0; length(fill) < width + 1000; i++)
		fill = fill sprintf("%c%d", 97 + i % 26, i * i % 1009)
    }
    {
	key = ($1 * 1103515245 + 12345) % 2147483648
	printf "%010d %s %s\n", key, $1, substr(fill, key % 1000 + 1, width)
    }' >in
echo "load bytes $($bb wc -c <in)"
echo "load input $($bb sha256sum <in)"
echo "load gunzip $($bb gzip -c in | $bb gunzip | $bb sha256sum)"
$bb sort in >out
echo "load sort $($bb sha256sum <out)"
$bb rm out
echo "load uniq $($bb sort -r in | $bb uniq | $bb wc -l)"
echo "load sum $($bb awk '{ s[$1 % 1000] += $2 }
    END { for (i = 0; i < 1000; i++) t += s[i] * i; print t }' in)"
[ -x /bin/kvar ] && /bin/kvar vm.stats.v_page_count vm.stats.v_swappgsout \
    vm.stats.v_swappgsin kern.objcache.stats vm.lastpages
echo "KMOBJ: PASS load"
