/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * signals: handlers and what they may change, masks, interrupted and
 * restarted calls, default actions, the alternate stack, broken pipes, and
 * faults that a handler repairs.
 */
#include "support.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char test[] = "signals";

static volatile sig_atomic_t caught, last;
static char *volatile fault_page;
static char altstack[16384] __attribute__((__aligned__(16)));
static volatile int on_altstack;

#define	CHECK(cond) do {						\
	if (!(cond))							\
		test_fail(test, "line %d: %s (errno %d)", __LINE__, #cond, \
		    errno);						\
} while (0)

static void
count(int sig)
{
	volatile double spoil = sig * 1.5;

	(void)spoil;
	++caught;
	last = sig;
}

static void
repair(int sig, siginfo_t *info, void *uc)
{
	char here;

	(void)sig, (void)info, (void)uc;
	on_altstack = &here >= altstack && &here < altstack + sizeof(altstack);
	++caught;
	mprotect(fault_page, PAGE_BYTES, PROT_READ | PROT_WRITE);
}

static void
catch(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	CHECK(sigaction(sig, &sa, NULL) == 0);
}

/* The exit status of a child that does what sig does by default. */
static int
child_killed_by(int sig)
{
	int status, hold[2];
	char c;
	pid_t pid;

	CHECK(pipe(hold) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		close(hold[1]);
		_exit(read(hold[0], &c, 1) == 0 ? 7 : 8);
	}
	close(hold[0]);
	CHECK(kill(pid, sig) == 0);
	if (sig == SIGCHLD || sig == SIGWINCH)
		close(hold[1]);
	CHECK(waitpid(pid, &status, 0) == pid);
	close(hold[1]);
	return status;
}

static void
test_masks(void)
{
	sigset_t set, old, pending;
	volatile double keep = 1.25;

	catch(SIGUSR1, count, 0);
	CHECK(raise(SIGUSR1) == 0 && caught == 1 && keep == 1.25);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK(caught == 1);
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
	CHECK(sigsuspend(&old) == -1 && errno == EINTR && caught == 2);
	CHECK(sigprocmask(SIG_SETMASK, NULL, &pending) == 0 &&
	    sigismember(&pending, SIGUSR1));
	CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0 && caught == 2);
}

/* A child interrupts the parent's read, then ends it by writing. */
static void
test_interrupt(int flags, int want_errno)
{
	int data[2], status;
	char c = 0;
	pid_t pid;
	ssize_t n;

	caught = 0;
	catch(SIGUSR2, count, flags);
	CHECK(pipe(data) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		usleep(100000);
		kill(getppid(), SIGUSR2);
		usleep(100000);
		_exit(write(data[1], "x", 1) != 1);
	}
	n = read(data[0], &c, 1);
	if (want_errno != 0) {
		CHECK(n == -1 && errno == want_errno);
		n = read(data[0], &c, 1);
	}
	CHECK(n == 1 && c == 'x' && caught == 1 && last == SIGUSR2);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	close(data[0]);
	close(data[1]);
}

static void
test_faults(void)
{
	struct sigaction sa = { .sa_sigaction = repair,
	    .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t ss = { .ss_sp = altstack, .ss_size = sizeof(altstack) };

	CHECK(sigaltstack(&ss, NULL) == 0);
	CHECK(sigaction(SIGSEGV, &sa, NULL) == 0);
	fault_page = mmap(NULL, PAGE_BYTES, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(fault_page != MAP_FAILED);
	caught = 0;
	fault_page[5] = 'y';
	CHECK(caught == 1 && fault_page[5] == 'y' && on_altstack);
	catch(SIGSEGV, SIG_DFL, 0);
}

static void
test_pipes(void)
{
	int data[2];

	CHECK(pipe(data) == 0);
	close(data[0]);
	caught = 0;
	catch(SIGPIPE, count, 0);
	CHECK(write(data[1], "x", 1) == -1 && errno == EPIPE && caught == 1);
	catch(SIGPIPE, SIG_IGN, 0);
	CHECK(write(data[1], "x", 1) == -1 && errno == EPIPE && caught == 1);
	close(data[1]);
}

int
main(void)
{
	int status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	test_masks();
	test_interrupt(0, EINTR);
	test_interrupt(SA_RESTART, 0);
	test_faults();
	test_pipes();

	status = child_killed_by(SIGTERM);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	status = child_killed_by(SIGKILL);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	status = child_killed_by(SIGWINCH);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	caught = 0;
	catch(SIGCHLD, count, SA_RESTART);
	status = child_killed_by(SIGINT);
	CHECK(WIFSIGNALED(status) && caught == 1 && last == SIGCHLD);
	CHECK(kill(12345, 0) == -1 && errno == ESRCH);
	CHECK(waitpid(-1, &status, 0) == -1 && errno == ECHILD);
	test_pass(test);
}
