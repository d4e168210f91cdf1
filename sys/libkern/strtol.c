/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers from strings.
 */
#include <sys/param.h>
#include <sys/systm.h>

static int
digit(int c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'Z')
		return (c - 'A' + 10);
	return (INT_MAX);
}

/*
 * Base 0 means by prefix: 0x, 0 or decimal.  *endp becomes the first
 * character not used, s itself if there is no number.
 */
u_long
strtoul(const char *s, char **endp, int base)
{
	const char *p = s, *start;
	boolean_t neg = FALSE;
	u_long v = 0;

	while (*p == ' ' || *p == '\t' || *p == '\n')
		++p;
	if (*p == '-' || *p == '+')
		neg = *p++ == '-';
	if ((base == 0 || base == 16) && p[0] == '0' &&
	    (p[1] == 'x' || p[1] == 'X') && digit(p[2]) < 16) {
		p += 2;
		base = 16;
	} else if (base == 0) {
		base = *p == '0' ? 8 : 10;
	}
	for (start = p; digit(*p) < base; ++p)
		v = v * base + digit(*p);
	if (endp != NULL)
		*endp = __DECONST(char *, p == start ? s : p);
	return (neg ? -v : v);
}

long
strtol(const char *s, char **endp, int base)
{
	return ((long)strtoul(s, endp, base));
}
