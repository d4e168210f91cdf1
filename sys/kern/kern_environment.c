/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel environment: name=value words of the command line.
 *
 * Whoever boots a kernel believes that each word does something.  So one that
 * is malformed or given twice ends the boot, and a word that the kernel has not
 * asked for goes to process 1, whose business it then is to know it.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>

#include <machine/md_var.h>

#define	KENV_SIZE	4096
#define	KENV_WORDS	64
#define	KENV_DIGITS	17		/* no number of these overflows */

static char kenv_buf[KENV_SIZE];
static char *kenv_words[KENV_WORDS + 1];
static boolean_t kenv_read[KENV_WORDS];

static int
kenv_find(const char *name, size_t len)
{
	int i;

	for (i = 0; kenv_words[i] != NULL; ++i) {
		if (strncmp(kenv_words[i], name, len) == 0 &&
		    kenv_words[i][len] == '=')
			return (i);
	}
	return (-1);
}

static void
kenv_add(char *word)
{
	char *equals = strchr(word, '=');
	int n = 0;

	if (equals == NULL || equals == word)
		verdict_fail("kernel environment: \"%s\": expected name=value",
		    word);
	if (kenv_find(word, equals - word) >= 0)
		verdict_fail("kernel environment: \"%s\": given twice", word);
	while (kenv_words[n] != NULL)
		++n;
	if (n == KENV_WORDS)
		verdict_fail("kernel environment: more than %d words",
		    KENV_WORDS);
	kenv_words[n] = word;
}

void
kenv_init(const char *cmdline)
{
	char *p;

	if (strlcpy(kenv_buf, cmdline, sizeof(kenv_buf)) >= sizeof(kenv_buf))
		verdict_fail("kernel environment: longer than %d bytes",
		    KENV_SIZE - 1);
	for (p = kenv_buf; *p != '\0';) {
		char *word = p;

		while (*p != '\0' && *p != ' ')
			++p;
		while (*p == ' ')
			*p++ = '\0';
		if (*word != '\0')
			kenv_add(word);
	}
}

char *
kgetenv(const char *name)
{
	size_t len = strlen(name);
	int i = kenv_find(name, len);

	if (i < 0)
		return (NULL);
	kenv_read[i] = TRUE;
	return (kenv_words[i] + len + 1);
}

/*
 * The next word that nobody has asked for, from *n on.
 */
const char *
kenv_unread(int *n)
{
	while (kenv_words[*n] != NULL) {
		int i = (*n)++;

		if (!kenv_read[i])
			return (kenv_words[i]);
	}
	return (NULL);
}

/*
 * A number between low and high, decimal, 0x or 0, with an optional suffix k,
 * m, g or t.
 */
static int
kgetenv_number(const char *name, quad_t low, quad_t high, quad_t *data)
{
	const char *value = kgetenv(name);
	boolean_t bad;
	char *end;
	quad_t v;
	int shift;

	if (value == NULL)
		return (0);
	v = strtol(value, &end, 0);
	bad = end == value || end - value > KENV_DIGITS;
	switch (*end) {
	case 't': case 'T':
		shift = 40;
		break;
	case 'g': case 'G':
		shift = 30;
		break;
	case 'm': case 'M':
		shift = 20;
		break;
	case 'k': case 'K':
		shift = 10;
		break;
	default:
		shift = 0;
		break;
	}
	if (shift != 0)
		++end;
	bad |= __builtin_mul_overflow(v, 1L << shift, &v) || *end != '\0';
	if (bad || v < low || v > high)
		verdict_fail("kernel environment: %s=%s: expected a number, "
		    "%ld to %ld", name, value, low, high);
	*data = v;
	return (1);
}

int
kgetenv_int(const char *name, int *data)
{
	quad_t v;

	if (!kgetenv_number(name, INT_MIN, INT_MAX, &v))
		return (0);
	*data = v;
	return (1);
}

int
kgetenv_long(const char *name, long *data)
{
	return (kgetenv_number(name, LONG_MIN, LONG_MAX, data));
}

int
kgetenv_string(const char *name, char *data, int size)
{
	const char *value = kgetenv(name);

	if (value == NULL)
		return (0);
	if (strlcpy(data, value, size) >= (size_t)size)
		verdict_fail("kernel environment: %s: longer than %d bytes",
		    name, size - 1);
	return (1);
}

void
tunable_int_init(void *arg)
{
	const struct tunable_int *t = arg;

	TUNABLE_INT_FETCH(t->path, t->var);
}

void
tunable_str_init(void *arg)
{
	const struct tunable_str *t = arg;

	TUNABLE_STR_FETCH(t->path, t->var, t->size);
}
