/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * String functions.
 */
#include <sys/param.h>
#include <sys/systm.h>

int
memcmp(const void *a, const void *b, size_t n)
{
	const u_char *p = a, *q = b;

	for (; n != 0; --n, ++p, ++q) {
		if (*p != *q)
			return (*p - *q);
	}
	return (0);
}

int
bcmp(const void *a, const void *b, size_t n)
{
	return (memcmp(a, b, n));
}

size_t
strlen(const char *s)
{
	size_t n;

	for (n = 0; s[n] != '\0'; ++n)
		;
	return (n);
}

size_t
strnlen(const char *s, size_t max)
{
	size_t n;

	for (n = 0; n < max && s[n] != '\0'; ++n)
		;
	return (n);
}

int
strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		++a;
		++b;
	}
	return ((u_char)*a - (u_char)*b);
}

int
strncmp(const char *a, const char *b, size_t n)
{
	for (; n != 0; --n, ++a, ++b) {
		if (*a != *b)
			return ((u_char)*a - (u_char)*b);
		if (*a == '\0')
			break;
	}
	return (0);
}

size_t
strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);
	size_t n;

	if (size != 0) {
		n = len < size ? len : size - 1;
		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return (len);
}

size_t
strlcat(char *dst, const char *src, size_t size)
{
	size_t have = strnlen(dst, size);

	return (have + strlcpy(dst + have, src, size - have));
}

char *
strchr(const char *s, int c)
{
	for (;; ++s) {
		if (*s == (char)c)
			return (__DECONST(char *, s));
		if (*s == '\0')
			return (NULL);
	}
}

char *
strrchr(const char *s, int c)
{
	const char *last = NULL;

	for (;; ++s) {
		if (*s == (char)c)
			last = s;
		if (*s == '\0')
			return (__DECONST(char *, last));
	}
}

int
ffsl(long v)
{
	return (__builtin_ffsl(v));
}

int
flsl(long v)
{
	return (v == 0 ? 0 : 64 - __builtin_clzl(v));
}
