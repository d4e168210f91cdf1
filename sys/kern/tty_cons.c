/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The console as a terminal.
 *
 * Output is polled.  Input comes from the interrupt thread of the serial
 * line, is edited and echoed there as the termios flags say, and becomes
 * readable by lines (ICANON) or bytes.  tty_spin protects the input.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/kernel.h>
#include <sys/proc.h>
#include <sys/spinlock2.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <vfs/tmpfs/tmpfs.h>

#include <machine/md_var.h>

#define	TCGETS		0x5401
#define	TCSETS		0x5402
#define	TCSETSF		0x5404
#define	TIOCGPGRP	0x540f
#define	TIOCSPGRP	0x5410
#define	TIOCGWINSZ	0x5413

#define	ICRNL		0000400
#define	OPOST_ONLCR	0000005
#define	CREAD_CS8	0000277
#define	ISIG		0000001
#define	ICANON		0000002
#define	ECHO		0000010

#define	CTRL(c)		((c) & 0x1f)
#define	DEL		0x7f

#define	CONSOLE_IRQ	4
#define	CONSOLE_CHUNK	256
#define	TTY_BUFSIZE	1024

struct termios {
	uint32_t	c_iflag;
	uint32_t	c_oflag;
	uint32_t	c_cflag;
	uint32_t	c_lflag;
	uint8_t		c_line;
	uint8_t		c_cc[19];
};

static struct termios tty_termios = {
	ICRNL, OPOST_ONLCR, CREAD_CS8, ISIG | ICANON | ECHO, 0,
	{ CTRL('C'), CTRL('\\'), DEL, CTRL('U'), CTRL('D'), 0, 1 }
};
static pid_t tty_pgid = 1;

static struct spinlock tty_spin = SPINLOCK_INITIALIZER(tty_spin, "tty");
static char tty_buf[TTY_BUFSIZE];
static u_int tty_head;			/* next byte to read */
static u_int tty_ready;			/* readable up to here */
static u_int tty_tail;			/* received up to here */
static int tty_eofs;			/* ^D on empty lines */

static void
tty_echo(int c)
{
	char ch;

	if ((tty_termios.c_lflag & ECHO) == 0)
		return;
	if (c == DEL) {
		cnwrite("\b \b", 3);
	} else {
		ch = c;
		cnwrite(&ch, 1);
	}
}

/*
 * One byte received.  Returns a signal to send, or 0.
 */
static int
tty_input(int c)
{
	int canon = tty_termios.c_lflag & ICANON;

	if (c == '\r' && (tty_termios.c_iflag & ICRNL))
		c = '\n';
	if (c == CTRL('C') && (tty_termios.c_lflag & ISIG))
		return (SIGINT);
	if (canon && (c == DEL || c == '\b')) {
		if (tty_tail != tty_ready) {
			--tty_tail;
			tty_echo(DEL);
		}
		return (0);
	}
	if (canon && c == CTRL('D')) {
		if (tty_tail == tty_ready)
			++tty_eofs;
		tty_ready = tty_tail;
		return (0);
	}
	if (tty_tail - tty_head == TTY_BUFSIZE)
		return (0);
	tty_buf[tty_tail++ % TTY_BUFSIZE] = c;
	tty_echo(c);
	if (!canon || c == '\n')
		tty_ready = tty_tail;
	return (0);
}

/*
 * Serial interrupt thread.
 */
static void
tty_intr(void *arg)
{
	int c, sig;

	while ((c = cncheckc()) >= 0) {
		spin_lock(&tty_spin);
		sig = tty_input(c);
		spin_unlock(&tty_spin);
		if (sig != 0)
			pgsignal(tty_pgid, sig);
	}
	wakeup(&tty_ready);
	pollwakeup();
}

static void
tty_attach(void *dummy)
{
	register_int(CONSOLE_IRQ, tty_intr, NULL, "console");
	cnintr_enable();
}
SYSINIT(tty, SI_SUB_DRIVERS, SI_ORDER_ANY, tty_attach, NULL);

static int
cons_read(struct file *fp, struct uio *uio, int flags)
{
	char line[CONSOLE_CHUNK];
	size_t n, max = szmin(uio->uio_resid, sizeof(line));
	int error = 0;

	spin_lock(&tty_spin);
	while (tty_head == tty_ready && tty_eofs == 0 && error == 0) {
		if (fp->f_flag & O_NONBLOCK)
			error = EAGAIN;
		else
			error = ssleep(&tty_ready, &tty_spin, PCATCH, "ttyin",
			    0);
	}
	for (n = 0; n < max && tty_head != tty_ready && error == 0; ) {
		line[n++] = tty_buf[tty_head++ % TTY_BUFSIZE];
		if (line[n - 1] == '\n')
			break;
	}
	if (error == 0 && n == 0 && tty_eofs > 0)
		--tty_eofs;
	spin_unlock(&tty_spin);
	return (error != 0 ? error : uiomove(line, n, uio));
}

static int
cons_write(struct file *fp, struct uio *uio, int flags)
{
	char buf[CONSOLE_CHUNK];
	size_t n;
	int error;

	while (uio->uio_resid != 0) {
		n = szmin(uio->uio_resid, sizeof(buf));
		error = uiomove(buf, n, uio);
		if (error)
			return (error);
		cnwrite(buf, n);
	}
	return (0);
}

static int
cons_ioctl(struct file *fp, u_long com, void *udata, struct proc *p)
{
	static const uint16_t winsize[4] = { 24, 80, 0, 0 };
	struct termios t;
	int error, pgid;

	switch ((uint32_t)com) {
	case TCGETS:
		spin_lock(&tty_spin);
		t = tty_termios;
		spin_unlock(&tty_spin);
		return (copyout(&t, udata, sizeof(t)));
	case TCSETS:
	case TCSETS + 1:
	case TCSETSF:
		error = copyin(udata, &t, sizeof(t));
		if (error == 0) {
			spin_lock(&tty_spin);
			tty_termios = t;
			if ((t.c_lflag & ICANON) == 0)
				tty_ready = tty_tail;
			spin_unlock(&tty_spin);
		}
		return (error);
	case TIOCGPGRP:
		pgid = tty_pgid;
		return (copyout(&pgid, udata, sizeof(pgid)));
	case TIOCSPGRP:
		error = copyin(udata, &pgid, sizeof(pgid));
		if (error == 0)
			tty_pgid = pgid;
		return (error);
	case TIOCGWINSZ:
		return (copyout(winsize, udata, sizeof(winsize)));
	default:
		return (ENOTTY);
	}
}

static int
cons_poll(struct file *fp, int events)
{
	int revents = events & POLLOUT;

	if (tty_head != tty_ready || tty_eofs != 0)
		revents |= events & POLLIN;
	return (revents);
}

static int
cons_stat(struct file *fp, struct stat *st)
{
	tmpfs_getattr(fp->f_node, st);
	return (0);
}

static int
cons_close(struct file *fp)
{
	return (0);
}

const struct fileops cons_fileops = {
	.fo_read = cons_read,
	.fo_write = cons_write,
	.fo_ioctl = cons_ioctl,
	.fo_poll = cons_poll,
	.fo_stat = cons_stat,
	.fo_close = cons_close,
};
