/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel environment: name=value words of the command line.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>

#include <machine/md_var.h>

#define	KENV_SIZE	4096
#define	KENV_WORDS	64

static char kenv_buf[KENV_SIZE];
static char *kenv_words[KENV_WORDS + 1];

char *const *kern_envp = kenv_words;

/*
 * Keep the words of a command line which have a `='.  What does not fit is
 * reported and ignored.
 */
void
kenv_init(const char *cmdline)
{
	char *p;
	int n = 0;

	if (strlcpy(kenv_buf, cmdline, sizeof(kenv_buf)) >= sizeof(kenv_buf))
		kprintf("kenv: command line is longer than %d bytes, "
		    "the rest is ignored\n", KENV_SIZE - 1);
	for (p = kenv_buf; *p != '\0';) {
		char *word = p;

		while (*p != '\0' && *p != ' ')
			++p;
		while (*p == ' ')
			*p++ = '\0';
		if (strchr(word, '=') == NULL)
			continue;
		if (n == KENV_WORDS) {
			kprintf("kenv: more than %d words, \"%s\" is ignored\n",
			    KENV_WORDS, word);
			continue;
		}
		kenv_words[n++] = word;
	}
}

char *
kgetenv(const char *name)
{
	size_t len = strlen(name);
	int i;

	for (i = 0; kenv_words[i] != NULL; ++i) {
		if (strncmp(kenv_words[i], name, len) == 0 &&
		    kenv_words[i][len] == '=')
			return (kenv_words[i] + len + 1);
	}
	return (NULL);
}

/*
 * A number, decimal, 0x or 0, with an optional suffix k, m, g or t.
 */
static int
kgetenv_number(const char *name, quad_t *data)
{
	const char *value = kgetenv(name);
	char *end;
	quad_t v;

	if (value == NULL || *value == '\0')
		return (0);
	v = strtol(value, &end, 0);
	switch (*end) {
	case 't': case 'T':
		v *= 1024;
		/* FALLTHROUGH */
	case 'g': case 'G':
		v *= 1024;
		/* FALLTHROUGH */
	case 'm': case 'M':
		v *= 1024;
		/* FALLTHROUGH */
	case 'k': case 'K':
		v *= 1024;
		++end;
		break;
	}
	if (*end != '\0') {
		kprintf("kenv: %s: \"%s\" is not a number, ignored\n", name,
		    value);
		return (0);
	}
	*data = v;
	return (1);
}

int
kgetenv_int(const char *name, int *data)
{
	quad_t v;

	if (!kgetenv_number(name, &v))
		return (0);
	*data = v;
	return (1);
}

int
kgetenv_long(const char *name, long *data)
{
	return (kgetenv_number(name, data));
}

int
kgetenv_string(const char *name, char *data, int size)
{
	const char *value = kgetenv(name);

	if (value == NULL)
		return (0);
	strlcpy(data, value, size);
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
