/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * vmstat [-m | -z] [interval [count]]: what the VM does, for people.
 *
 *	-m	malloc types; the slabs of those of kmalloc_obj(); and for those
 *		that the shims look after, slabs ready and the fewest there ever
 *		were, one-page slabs, requests refused and served by blocking
 *	-z	zones
 *	else	the machine: since boot, then every interval seconds
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define	NAME_WIDTH	18		/* of kern.malloc's first column */

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: vmstat [-m | -z] [interval [count]]\n");
	exit(2);
}

/*
 * The line of kern.kmalloc_ext about a type, or NULL.  There, blanks in a name
 * are underscores.
 */
static const char *
ext_line(const char *ext, const char *name, size_t len)
{
	for (; ext != NULL && *ext != '\0'; ext = strchr(ext, '\n')) {
		size_t i;

		ext += *ext == '\n';
		for (i = 0; i < len; ++i)
			if (ext[i] != (name[i] == ' ' ? '_' : name[i]))
				break;
		if (i == len && ext[i] == ' ')
			return ext;
	}
	return NULL;
}

static const char *
ext_value(const char *line, const char *name, char *buf, size_t size)
{
	const char *end = strchr(line, '\n'), *s = line;
	size_t len = strlen(name);

	while ((s = strchr(s, ' ')) != NULL && (end == NULL || s < end)) {
		if (strncmp(++s, name, len) == 0 && s[len] == '=') {
			snprintf(buf, size, "%.*s",
			    (int)strcspn(s + len + 1, " \n"), s + len + 1);
			return buf;
		}
	}
	return "-";
}

static void
malloc_types(void)
{
	static const char *const columns[] = { "ready", "low", "minis",
	    "refusals", "blocking" };
	const size_t ncolumns = sizeof(columns) / sizeof(columns[0]);
	char *types = kvar_text("kern.malloc"), *line, *next;
	char *ext = kvar_text("kern.kmalloc_ext");

	if (types == NULL)
		exit(1);
	for (line = types; *line != '\0'; line = next) {
		size_t len = NAME_WIDTH;
		const char *more;
		char value[32];

		next = line + strcspn(line, "\n");
		printf("%.*s", (int)(next - line), line);
		next += *next == '\n';
		while (len > 0 && line[len - 1] == ' ')
			--len;
		more = ext_line(ext, line, len);
		for (size_t i = 0; i < ncolumns; ++i) {
			if (line == types && ext != NULL)
				printf(" %8s", columns[i]);
			else if (more != NULL)
				printf(" %8s", ext_value(more, columns[i],
				    value, sizeof(value)));
		}
		printf("\n");
	}
	free(types);
	free(ext);
}

static void
zones(void)
{
	char *text = kvar_text("vm.zone");

	if (text == NULL)
		exit(1);
	fputs(text, stdout);
	free(text);
}

enum { FLT, COW, PI, PO, FR, SR, IN, SY, CS, NCOUNTERS };

static const char *const counters[NCOUNTERS] = {
	"v_vm_faults", "v_cow_faults", "v_swappgsin", "v_swappgsout", "v_dfree",
	"v_pdpages", "v_intr", "v_syscall", "v_swtch",
};

struct sample {
	long	counter[NCOUNTERS];
	long	user, sys, idle;	/* clock ticks */
};

static long
stat_long(const char *name)
{
	char full[64];
	long value = 0;

	snprintf(full, sizeof(full), "vm.stats.%s", name);
	kvar_get_long(full, &value);
	return value;
}

static void
take(struct sample *s)
{
	FILE *f = fopen("/proc/stat", "r");
	long intr = 0;

	for (int i = 0; i < NCOUNTERS; ++i)
		s->counter[i] = stat_long(counters[i]);
	s->user = s->sys = s->idle = 0;
	if (f != NULL) {
		if (fscanf(f, "cpu %ld %*d %ld %ld %*d %ld", &s->user,
		    &s->sys, &s->idle, &intr) == 4)
			s->sys += intr;
		fclose(f);
	}
}

static void
line(const struct sample *from, const struct sample *to)
{
	long ticks = to->user + to->sys + to->idle - from->user - from->sys -
	    from->idle;

	if (ticks == 0)
		ticks = 1;
	printf("%7ld %7ld %7ld", stat_long("v_free_count"),
	    stat_long("v_active_count"), stat_long("v_inactive_count"));
	for (int i = 0; i < NCOUNTERS; ++i)
		printf(" %7ld", to->counter[i] - from->counter[i]);
	printf(" %2ld %2ld %2ld\n", (to->user - from->user) * 100 / ticks,
	    (to->sys - from->sys) * 100 / ticks,
	    (to->idle - from->idle) * 100 / ticks);
}

static void
machine(long interval, long count)
{
	struct sample s[2];
	int now = 1;

	memset(s, 0, sizeof(s));
	printf("%7s %7s %7s %7s %7s %7s %7s %7s %7s %7s %7s %7s us sy id\n",
	    "free", "active", "inact", "flt", "cow", "pi", "po", "fr", "sr",
	    "in", "sy", "cs");
	for (;;) {
		take(&s[now]);
		line(&s[!now], &s[now]);
		fflush(stdout);
		if (interval == 0 || --count == 0)
			return;
		sleep(interval);
		now = !now;
	}
}

int
main(int argc, char **argv)
{
	int c, what = 0;

	while ((c = getopt(argc, argv, "mz")) != -1) {
		if (c == '?' || what != 0)
			usage();
		what = c;
	}
	argc -= optind;
	argv += optind;
	if (argc > 2 || (argc > 0 && what != 0))
		usage();
	if (what == 'm')
		malloc_types();
	else if (what == 'z')
		zones();
	else
		machine(argc > 0 ? atol(argv[0]) : 0,
		    argc > 1 ? atol(argv[1]) : 0);
	return 0;
}
