/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Formatted output: the console, and strings.
 *
 * Conversions: d i u o x X p c s %%, with flags - 0 + space #, width,
 * precision, and the sizes hh h l ll j z t q.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/thread2.h>

#include <machine/md_var.h>
#include <machine/psl.h>
#include <machine/smp.h>

#define	MAXDIGITS	24		/* of 2^64, octal, with room */

struct fmt {
	int		left;		/* - */
	int		zero;		/* 0 */
	int		alt;		/* # */
	char		sign;		/* + or space, or 0 */
	int		width;
	int		prec;		/* -1: not given */
	int		size;		/* bytes of the argument */
};

struct sink {
	void		(*putc)(int, void *);
	void		*arg;
	int		count;
};

static void
out(struct sink *s, int c)
{
	s->putc(c, s->arg);
	++s->count;
}

static void
pad(struct sink *s, int c, int n)
{
	while (n-- > 0)
		out(s, c);
}

static void
out_string(struct sink *s, const struct fmt *f, const char *str)
{
	int len, n;

	if (str == NULL)
		str = "(null)";
	len = f->prec >= 0 ? strnlen(str, f->prec) : strlen(str);
	if (!f->left)
		pad(s, ' ', f->width - len);
	for (n = 0; n < len; ++n)
		out(s, str[n]);
	if (f->left)
		pad(s, ' ', f->width - len);
}

static void
out_number(struct sink *s, const struct fmt *f, uint64_t v, int base,
    boolean_t neg, boolean_t upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	const char *prefix = "";
	char buf[MAXDIGITS], sign;
	int n = 0, zeros = 0, len;

	if (f->alt && v != 0)
		prefix = base == 16 ? (upper ? "0X" : "0x") :
		    base == 8 ? "0" : "";
	sign = neg ? '-' : f->sign;
	do {
		buf[n++] = digits[v % base];
		v /= base;
	} while (v != 0);
	if (f->prec >= 0)
		zeros = f->prec - n;
	len = n + (zeros > 0 ? zeros : 0) + (sign != 0) + strlen(prefix);
	if (f->zero && !f->left && f->prec < 0 && f->width > len) {
		zeros = f->width - len;
		len = f->width;
	}
	if (!f->left)
		pad(s, ' ', f->width - len);
	if (sign != 0)
		out(s, sign);
	while (*prefix != '\0')
		out(s, *prefix++);
	pad(s, '0', zeros);
	while (n > 0)
		out(s, buf[--n]);
	if (f->left)
		pad(s, ' ', f->width - len);
}

static const char *
parse_number(const char *p, int *n)
{
	for (*n = 0; *p >= '0' && *p <= '9'; ++p)
		*n = *n * 10 + (*p - '0');
	return (p);
}

/*
 * Format, a character at a time, to func(c, arg).  Returns their number.
 */
int
kvcprintf(const char *p, void (*func)(int, void *), void *arg, __va_list ap0)
{
	struct sink s = { func, arg, 0 };
	struct fmt f;
	__va_list ap;
	int64_t sv;
	uint64_t uv;
	int base;

	__va_copy(ap, ap0);
	for (; *p != '\0'; ++p) {
		if (*p != '%') {
			out(&s, *p);
			continue;
		}
		bzero(&f, sizeof(f));
		f.prec = -1;
		f.size = sizeof(int);
		for (++p;; ++p) {
			if (*p == '-')
				f.left = 1;
			else if (*p == '0')
				f.zero = 1;
			else if (*p == '#')
				f.alt = 1;
			else if (*p == '+' || (*p == ' ' && f.sign == 0))
				f.sign = *p;
			else
				break;
		}
		if (*p == '*') {
			f.width = __va_arg(ap, int);
			if (f.width < 0) {
				f.left = 1;
				f.width = -f.width;
			}
			++p;
		} else {
			p = parse_number(p, &f.width);
		}
		if (*p == '.') {
			if (*++p == '*') {
				f.prec = __va_arg(ap, int);
				++p;
			} else {
				p = parse_number(p, &f.prec);
			}
		}
		for (;; ++p) {
			if (*p == 'h')
				f.size /= 2;
			else if (*p == 'l' || *p == 'j' || *p == 'z' ||
			    *p == 't' || *p == 'q')
				f.size = sizeof(long);
			else
				break;
		}
		base = 10;
		switch (*p) {
		case 'd':
		case 'i':
			sv = f.size == 8 ? __va_arg(ap, long) :
			    __va_arg(ap, int);
			if (f.size == 2)
				sv = (short)sv;
			else if (f.size == 1)
				sv = (signed char)sv;
			uv = sv < 0 ? -(uint64_t)sv : (uint64_t)sv;
			out_number(&s, &f, uv, 10, sv < 0, FALSE);
			break;
		case 'p':
			f.size = sizeof(void *);
			f.alt = 1;
			base = 16;
			goto number;
		case 'x':
		case 'X':
			base = 16;
			goto number;
		case 'o':
			base = 8;
			goto number;
		case 'u':
number:
			uv = f.size == 8 ? __va_arg(ap, u_long) :
			    __va_arg(ap, u_int);
			if (f.size == 2)
				uv = (u_short)uv;
			else if (f.size == 1)
				uv = (u_char)uv;
			f.sign = 0;
			out_number(&s, &f, uv, base, FALSE, *p == 'X');
			break;
		case 'c': {
			char c[2] = { (char)__va_arg(ap, int), '\0' };

			f.prec = -1;
			if (c[0] == '\0')
				out(&s, '\0');
			else
				out_string(&s, &f, c);
			break;
		}
		case 's':
			out_string(&s, &f, __va_arg(ap, const char *));
			break;
		case '%':
			out(&s, '%');
			break;
		case '\0':
			--p;
			break;
		default:
			out(&s, '%');
			out(&s, *p);
			break;
		}
	}
	__va_end(ap);
	return (s.count);
}

struct strbuf {
	char		*p;
	size_t		left;		/* room, the NUL not counted */
};

static void
str_putc(int c, void *arg)
{
	struct strbuf *b = arg;

	if (b->left != 0) {
		*b->p++ = c;
		--b->left;
	}
}

/*
 * At most size bytes with the NUL; returns the length it would have had.
 */
int
kvsnprintf(char *str, size_t size, const char *fmt, __va_list ap)
{
	struct strbuf b = { str, size != 0 ? size - 1 : 0 };
	int n;

	n = kvcprintf(fmt, str_putc, &b, ap);
	if (size != 0)
		*b.p = '\0';
	return (n);
}

int
ksnprintf(char *str, size_t size, const char *fmt, ...)
{
	__va_list ap;
	int n;

	__va_start(ap, fmt);
	n = kvsnprintf(str, size, fmt, ap);
	__va_end(ap);
	return (n);
}

/*
 * The processor whose message is being written, and one.
 */
static volatile u_int console_owner;

/*
 * So that messages do not mix.  A processor that interrupts itself mixes,
 * and a panic waits for nobody.  Returns whether console_leave() shall be
 * called.
 */
static boolean_t
console_enter(void)
{
	u_int me;

	crit_enter();
	me = mycpuid + 1;
	while (console_owner != me && panicstr == NULL) {
		if (atomic_cmpset_int(&console_owner, 0, me))
			return (TRUE);
		if ((read_rflags() & PSL_I) == 0)
			pmap_inval_intr();
		cpu_pause();
	}
	return (FALSE);
}

static void
console_leave(boolean_t owner)
{
	if (owner)
		atomic_store_rel_int(&console_owner, 0);
	crit_exit();
}

static void
console_putc(int c, void *arg)
{
	cnputc(c);
}

int
kvprintf(const char *fmt, __va_list ap)
{
	boolean_t owner;
	int n;

	owner = console_enter();
	n = kvcprintf(fmt, console_putc, NULL, ap);
	console_leave(owner);
	return (n);
}

/*
 * As they are.
 */
void
cnwrite(const char *buf, size_t n)
{
	boolean_t owner;

	owner = console_enter();
	while (n-- > 0)
		cnputc(*buf++);
	console_leave(owner);
}

int
kprintf(const char *fmt, ...)
{
	__va_list ap;
	int n;

	__va_start(ap, fmt);
	n = kvprintf(fmt, ap);
	__va_end(ap);
	return (n);
}
