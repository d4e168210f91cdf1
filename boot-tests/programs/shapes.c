/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * shapes: every kind of zone and object cache that the kernel has, at work.
 *
 * Each part uses one service of the kernel, checks what it does, and then asks
 * the kernel's own statistics whether the zone or cache behind it was used: a
 * line `shape: KIND, CLIENT: N', where N are the requests (or destructions,
 * sleeps...) that were counted, and failure if those are fewer than the part
 * has caused.
 *
 * Kernel arguments: processes (24), rounds (200), seed (1), for the local
 * sockets; leave (0): sockets to leave open, which is a failure.
 */
#include "support.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char test[] = "shapes";

#define	CHECK(cond) do {						\
	if (!(cond))							\
		test_fail(test, "line %d: %s (errno %d)", __LINE__, #cond, \
		    errno);						\
} while (0)

static unsigned long processes, rounds, seed;

/*
 * What stands behind a name, in a text of the kernel's with a line for each; to
 * be freed, or NULL if there is no such line.
 */
static char *
behind(const char *table, const char *client)
{
	char *text = kvar_text(table), *found = NULL;
	size_t len = strlen(client);

	if (text == NULL)
		return NULL;
	for (char *line = strtok(text, "\n"); line != NULL && found == NULL;
	    line = strtok(NULL, "\n")) {
		char *s = line + len;

		if (strncmp(line, client, len) != 0 || *s != ' ')
			continue;
		while (s[1] == ' ')
			++s;
		/* Not if the name goes on: then a figure or number would. */
		if (strchr("-0123456789", s[1]) != NULL ||
		    strchr(s, '=') != NULL)
			found = strdup(s);
	}
	free(text);
	return found;
}

/* The number'th number there, from 0; -1: none. */
static long
column(const char *table, const char *client, int number)
{
	char *found = behind(table, client), *s = found;
	long n;

	if (found == NULL)
		return -1;
	while (number-- > 0)
		strtol(s, &s, 10);
	n = strtol(s, NULL, 10);
	free(found);
	return n;
}

/* A figure of the type in a cache's place, such as "out="; -1: none. */
static long
figure(const char *client, const char *name)
{
	char *found = behind("kern.kmalloc_ext", client), *s;
	long n = -1;

	if (found != NULL && (s = strstr(found, name)) != NULL)
		n = strtol(s + strlen(name), NULL, 10);
	free(found);
	return n;
}

/* Requests to a zone, a cache, or the malloc type in its place. */
static long
requests(const char *client, const char *type)
{
	long n;

	if ((n = column("vm.zone", client, 4)) < 0 &&
	    (n = column("kern.objcache.stats", client, 2)) < 0 &&
	    (n = column("kern.malloc", type, 2)) < 0)
		test_fail(test, "%s: no such zone, cache or type", client);
	return n;
}

/* Times somebody found a cache or type at its limit. */
static long
sleeps(const char *client)
{
	long n;

	if ((n = column("kern.objcache.stats", client, 4)) < 0 &&
	    (n = figure(client, "limit_sleeps=")) < 0)
		test_fail(test, "%s: no limit is known", client);
	return n;
}

/* Objects that somebody has. */
static long
in_use(const char *client)
{
	long n;

	if ((n = column("vm.zone", client, 2)) < 0 &&
	    (n = column("kern.objcache.stats", client, 1)) < 0 &&
	    ((n = figure(client, " out=")) < 0 ||
	    figure(client, " constructed=") <= 0) &&
	    (n = column("kern.malloc", client, 0)) < 0)
		test_fail(test, "%s: no such zone, cache or type", client);
	return n;
}

static void
shape(const char *kind, const char *client, long n, long least)
{
	printf("shape: %s, %s: %ld\n", kind, client, n);
	if (n < least)
		test_fail(test, "%s (%s): %ld, expected %ld at least", client,
		    kind, n, least);
}

/* A zone or cache whose malloc type has, once it is converted, its name. */
static void
used(const char *kind, const char *client, long least)
{
	shape(kind, client, requests(client, client), least);
}

static pid_t
child(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	return pid;
}

static void
reap(int n)
{
	int status;

	while (n-- > 0) {
		CHECK(wait(&status) > 0);
		if (status != 0)
			test_fail(test, "a child ended with status %#x",
			    status);
	}
}

static unsigned char
byte(unsigned long stream, size_t i)
{
	uint64_t z = (seed + stream) * 0x9e3779b97f4a7c15ULL + i;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	return z >> 32;
}

/* Write n bytes of a stream, in pieces of many sizes. */
static void
put_stream(int fd, unsigned long stream, size_t n)
{
	static unsigned char buf[10000];
	size_t at = 0, len, i;

	for (unsigned long piece = 1; at < n; ++piece) {
		len = 1 + (piece * 977 + stream * 31) % sizeof(buf);
		if (piece % 3 == 0)
			len = 1 + piece % 50;
		if (len > n - at)
			len = n - at;
		for (i = 0; i < len; ++i)
			buf[i] = byte(stream, at + i);
		CHECK(write(fd, buf, len) == (ssize_t)len);
		at += len;
	}
}

/* Read one to its end; how many bytes were right. */
static size_t
get_stream(int fd, unsigned long stream)
{
	static unsigned char buf[7001];
	size_t at = 0;
	ssize_t len;

	while ((len = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < len; ++i)
			if (buf[i] != byte(stream, at + i))
				test_fail(test, "stream %lu: byte %zu is wrong",
				    stream, at + i);
		at += len;
	}
	CHECK(len == 0);
	return at;
}

/*
 * Streams: many pairs at once, each between two processes.
 */
static void
part_streams(void)
{
	size_t bytes = rounds * 1000;
	int fds[2];

	for (unsigned long i = 0; i < processes; ++i) {
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
		if (child() == 0) {
			close(fds[0]);
			put_stream(fds[1], i, bytes);
			_exit(0);
		}
		close(fds[1]);
		if (child() == 0) {
			CHECK(get_stream(fds[0], i) == bytes);
			_exit(0);
		}
		close(fds[0]);
	}
	reap(2 * processes);
	used("zone declared in a header", "SOCKET", 2 * processes);
	used("zone under #ifdef", "SOCKAUDIT", 2 * processes);
	shape("cache in macros of a header", "unpcb",
	    requests("unpcb", "unpcb"), 2 * processes);
	used("cache with a limit, constructed, named by a macro's user",
	    "mbuf", processes);
	used("cache composed of another's objects", "mbufcl",
	    processes * bytes / 10000);
	used("cache constructed with memory of its own", "mclmeta", 1);
}

static void
name_of(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	strcpy(sun->sun_path, path);
}

/*
 * Names: a server and its clients, datagrams, records, and names made up.
 */
static void
serve(const char *path, int clients)
{
	struct sockaddr_un sun;
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c;

	name_of(&sun, path);
	CHECK(s >= 0);
	CHECK(bind(s, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	CHECK(listen(s, 4) == 0);
	if (child() != 0) {
		close(s);
		return;
	}
	for (; clients > 0; --clients) {
		struct pollfd pfd = { s, POLLIN, 0 };
		unsigned char id;

		CHECK(poll(&pfd, 1, -1) == 1 && pfd.revents == POLLIN);
		c = accept(s, NULL, NULL);
		CHECK(c >= 0);
		CHECK(recv(c, &id, 1, MSG_PEEK) == 1);
		CHECK(recv(c, &id, 1, 0) == 1);
		put_stream(c, id, 5000 + id);
		CHECK(shutdown(c, SHUT_WR) == 0);
		CHECK(read(c, &id, 1) == 0);
		close(c);
	}
	_exit(0);
}

static void
client(const char *path, unsigned char id)
{
	struct sockaddr_un sun;
	socklen_t len = sizeof(sun);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(s >= 0);
	name_of(&sun, path);
	CHECK(connect(s, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	CHECK(getpeername(s, (struct sockaddr *)&sun, &len) == 0 &&
	    strcmp(sun.sun_path, path) == 0);
	CHECK(write(s, &id, 1) == 1);
	CHECK(get_stream(s, id) == 5000UL + id);
	_exit(0);
}

static void
made_up_names(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX }, other;
	socklen_t len;
	char buf[100];
	int s[20], to = 13;

	for (int i = 0; i < 20; ++i) {
		s[i] = socket(AF_UNIX, SOCK_DGRAM, 0);
		CHECK(s[i] >= 0);
		CHECK(bind(s[i], (struct sockaddr *)&sun,
		    sizeof(sa_family_t)) == 0);
	}
	for (int i = 0; i < 20; i += 2)
		close(s[i]);
	len = sizeof(other);
	CHECK(getsockname(s[to], (struct sockaddr *)&other, &len) == 0);
	CHECK(len == 8 && memcmp(other.sun_path, "\0""0000d", 6) == 0);
	CHECK(sendto(s[1], "datagram", 8, 0, (struct sockaddr *)&other,
	    len) == 8);
	len = sizeof(other);
	CHECK(recvfrom(s[to], buf, sizeof(buf), 0, (struct sockaddr *)&other,
	    &len) == 8 && memcmp(buf, "datagram", 8) == 0);
	CHECK(len == 8 && memcmp(other.sun_path, "\0""00001", 6) == 0);
	for (int i = 1; i < 20; i += 2)
		close(s[i]);
	s[0] = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(sendto(s[0], "x", 1, 0, (struct sockaddr *)&other, len) == -1 &&
	    errno == ECONNREFUSED);
	close(s[0]);
}

static void
records(void)
{
	char buf[8000], got[8000];
	int fds[2];

	memset(buf, 'r', sizeof(buf));
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	CHECK(write(fds[0], buf, sizeof(buf)) == sizeof(buf));
	CHECK(write(fds[0], "", 0) == 0);
	CHECK(write(fds[0], "end", 3) == 3);
	CHECK(recv(fds[1], got, 10, MSG_PEEK) == 10);
	CHECK(read(fds[1], got, sizeof(got)) == sizeof(buf) &&
	    memcmp(buf, got, sizeof(buf)) == 0);
	CHECK(read(fds[1], got, sizeof(got)) == 0);
	CHECK(recv(fds[1], got, 1, MSG_TRUNC | MSG_DONTWAIT) == 1 &&
	    *got == 'e');
	CHECK(recv(fds[1], got, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	CHECK(write(fds[0], buf, 20000) == -1 && errno == EMSGSIZE);
	close(fds[0]);
	CHECK(read(fds[1], got, 1) == 0);
	CHECK(send(fds[1], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
	close(fds[1]);
}

static void
part_names(void)
{
	static const char path[] = "/tmp/server";
	int clients = 40;

	serve(path, clients);
	for (int i = 0; i < clients; ++i)
		if (child() == 0)
			client(path, i);
	reap(clients + 1);
	CHECK(unlink(path) == 0);
	made_up_names();
	records();
	used("zone given as an argument", "UNP UNIT", 10);
}

/*
 * Open files in messages: every one there is on its way, then all received.
 */
static int
send_fd(int s, int fd)
{
	char c = 'f', control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &c, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

	memset(control, 0, sizeof(control));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	return sendmsg(s, &msg, 0) == 1 ? 0 : -1;
}

static int
receive_fd(int s)
{
	char c, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &c, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cm;
	int fd;

	CHECK(recvmsg(s, &msg, 0) == 1 && c == 'f');
	cm = CMSG_FIRSTHDR(&msg);
	CHECK(cm != NULL && cm->cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(cm), sizeof(fd));
	return fd;
}

static void
part_rights(void)
{
	int s[2], p[2], n = 0, fd;
	char c;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(send_fd(s[0], s[1]) == -1 && errno == EOPNOTSUPP);
	CHECK(pipe(p) == 0);
	while (send_fd(s[0], p[1]) == 0)
		++n;
	CHECK(errno == ETOOMANYREFS);
	CHECK(n > 16 && n <= 32);
	close(p[1]);
	for (int i = 0; i < n; ++i) {
		fd = receive_fd(s[1]);
		CHECK(write(fd, "y", 1) == 1);
		close(fd);
		CHECK(read(p[0], &c, 1) == 1 && c == 'y');
	}
	CHECK(read(p[0], &c, 1) == 0);		/* none is left open */
	close(p[0]);
	CHECK(pipe(p) == 0);
	CHECK(send_fd(s[0], p[1]) == 0);
	close(p[1]);
	close(s[0]);
	close(s[1]);
	CHECK(read(p[0], &c, 1) == 0);		/* nor with the message */
	close(p[0]);
	used("cache of static memory", "unp rights", n);
}

#define	PAIRS	16
#define	FILL	100		/* writes that a wide pair takes */

/* A pair whose second socket buffers as much as it may. */
static void
wide_pair(int *fds)
{
	int size = 256 * 1024;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &size,
	    sizeof(size)) == 0);
}

/*
 * Take every buffer that is to be had without waiting; returns how many pairs
 * hold them.
 */
static int
exhaust(int fds[PAIRS][2])
{
	static char buf[2000];
	int n = 0;

	do {
		CHECK(n < PAIRS);
		wide_pair(fds[n]);
		while (send(fds[n][0], buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
		CHECK(errno == EAGAIN || errno == ENOBUFS);
		++n;
	} while (errno != ENOBUFS);
	return n;
}

static void
close_pairs(int fds[PAIRS][2], int n)
{
	while (n-- > 0) {
		close(fds[n][0]);
		close(fds[n][1]);
	}
}

/*
 * Few clusters: writers sleep until what others wrote is read.
 */
static void
part_limit(void)
{
	long limit = kvar("kern.ipc.nmbclusters"), before = sleeps("mbufcl");
	size_t bytes = 150 * 1024;
	int s[2], go[2], full[PAIRS][2], nfull;
	char c;

	kvar_set("kern.ipc.nmbclusters", 16);
	CHECK(pipe(go) == 0);
	for (unsigned long i = 0; i < PAIRS; ++i) {
		wide_pair(s);
		if (child() == 0) {
			close(go[1]);
			close(s[1]);
			put_stream(s[0], i, bytes);
			_exit(0);
		}
		close(s[0]);
		if (child() == 0) {
			close(go[1]);
			CHECK(read(go[0], &c, 1) == 0);
			CHECK(get_stream(s[1], i) == bytes);
			_exit(0);
		}
		close(s[1]);
	}
	close(go[0]);
	nfull = exhaust(full);
	while (sleeps("mbufcl") == before)
		sched_yield();
	close_pairs(full, nfull);
	close(go[1]);
	reap(2 * PAIRS);
	kvar_set("kern.ipc.nmbclusters", limit);
	shape("sleeps at a limit that was lowered", "mbufcl",
	    sleeps("mbufcl") - before, 1);
}

/*
 * A constructor that fails half-way: who does not wait is told, who waits has
 * his buffer in the end.  On one processor, whose caches are empty then; what
 * the caches of others give back meanwhile is used up first.
 */
static void
part_failure(void)
{
	long limit = kvar("kern.ipc.nmbclusters");
	long waits = kvar("kern.ipc.mbuf_waits");
	long fails = 1000000;
	int fds[PAIRS][2], s[PAIRS][2], n, i, writes = 0;
	cpu_set_t all, one;
	char buf[2000] = "";

	CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
	kvar_set("kern.ipc.nmbclusters", 4 * limit);
	kvar_set("kern.ipc.fail_clusters", fails);
	n = exhaust(fds);
	CHECK(kvar("kern.ipc.fail_clusters") < fails);
	kvar_set("kern.ipc.fail_clusters", 20);
	do {
		i = writes++ / FILL;
		CHECK(i < PAIRS);
		if (writes % FILL == 1)
			wide_pair(s[i]);
		CHECK(write(s[i][0], buf, sizeof(buf)) == sizeof(buf));
	} while (kvar("kern.ipc.fail_clusters") != 0);
	for (i = 0; i < writes; ++i)
		CHECK(recv(s[i / FILL][1], buf, sizeof(buf), MSG_WAITALL) ==
		    sizeof(buf));
	shape("constructor that fails half-way", "mbufcl",
	    kvar("kern.ipc.mbuf_waits") - waits, 1);
	kvar_set("kern.ipc.nmbclusters", limit);
	CHECK(sched_setaffinity(0, sizeof(all), &all) == 0);
	close_pairs(fds, n);
	close_pairs(s, (writes + FILL - 1) / FILL);
}

/*
 * A peek shares the clusters of what a reader takes meanwhile: both see what
 * was sent.
 */
static void
part_peek(void)
{
	size_t bytes = rounds * 2000, n;
	char got[3000];
	int s[2];

	wide_pair(s);
	if (child() == 0) {
		close(s[1]);
		put_stream(s[0], 1, bytes);
		_exit(0);
	}
	close(s[0]);
	if (child() == 0) {
		while (recv(s[1], got, sizeof(got), MSG_PEEK) > 0)
			;
		_exit(0);
	}
	n = get_stream(s[1], 1);
	CHECK(n == bytes);
	close(s[1]);
	reap(2);
	printf("shapes: %ld clusters shared, %ld outlived their mbuf\n",
	    kvar("kern.ipc.mbuf_copies"), kvar("kern.ipc.mbuf_orphans"));
	CHECK(kvar("kern.ipc.mbuf_copies") > 0);
}

/*
 * Buffers are given up when somebody can use them: a limit that was lowered
 * makes idle ones go, and so does a shortage of memory.
 */
static void
part_reclaim(void)
{
	long limit = kvar("kern.ipc.nmbclusters");
	long drains = kvar("kern.ipc.mbuf_drains");
	long trims = kvar("kern.ipc.mbuf_trims");
	long min = kvar("vm.stats.v_free_min");
	int s[2], fds[PAIRS][2], n;
	char buf[2000] = "";
	struct region r;

	n = exhaust(fds);
	close_pairs(fds, n);
	kvar_set("kern.ipc.nmbclusters", limit / 2);
	n = exhaust(fds);
	close_pairs(fds, n);
	kvar_set("kern.ipc.nmbclusters", limit);
	drains = kvar("kern.ipc.mbuf_drains") - drains;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	region_map(&r, "pushed out", 8 * MIB, seed);
	region_dirty(&r);
	do {
		kvar_set("vm.inject.leave_free", min / 2);
		CHECK(write(s[0], buf, sizeof(buf)) == sizeof(buf));
		CHECK(read(s[1], buf, sizeof(buf)) == sizeof(buf));
	} while (kvar("kern.ipc.mbuf_trims") == trims);
	kvar_set("vm.inject.leave_free", -1);
	CHECK(region_verify(&r) == 0);
	close(s[0]);
	close(s[1]);
	shape("objcache_reclaimlist", "mbufcl, mbuf", drains, 1);
	shape("objcache_dtor", "mbufcl", kvar("kern.ipc.mbuf_trims") - trims,
	    1);
}

/*
 * Timers: one each for many processes, and one that goes on.
 */
static volatile sig_atomic_t alarms;

static void
on_alarm(int sig)
{
	(void)sig;
	++alarms;
}

static void
part_timers(void)
{
	struct itimerval itv = { { 0, 20000 }, { 0, 20000 } }, left;
	struct sigaction sa = { .sa_handler = on_alarm };
	int status;

	for (int i = 0; i < 20; ++i)
		if (child() == 0) {
			alarm(1);
			for (;;)
				pause();
		}
	for (int i = 0; i < 20; ++i)
		CHECK(wait(&status) > 0 && WIFSIGNALED(status) &&
		    WTERMSIG(status) == SIGALRM);
	CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &itv, NULL) == 0);
	while (alarms < 5)
		pause();
	CHECK(getitimer(ITIMER_REAL, &left) == 0 &&
	    left.it_interval.tv_usec == 20000);
	memset(&itv, 0, sizeof(itv));
	CHECK(setitimer(ITIMER_REAL, &itv, NULL) == 0);
	CHECK(alarm(100) == 0 && alarm(0) == 100);
	used("zone that panics rather than fail", "ITIMER", 21);
}

/*
 * Waiting for many files, in several instances; what is closed is forgotten.
 */
#define	FILES	18

static void
part_epoll(void)
{
	struct epoll_event ev = { .events = EPOLLIN }, got[8];
	int ep[5], p[FILES][2], seen = 0, n;

	for (int i = 0; i < FILES; ++i)
		CHECK(pipe(p[i]) == 0);
	for (int j = 0; j < 5; ++j) {
		ep[j] = epoll_create1(EPOLL_CLOEXEC);
		CHECK(ep[j] >= 0);
		for (int i = 0; i < FILES; ++i) {
			ev.data.u32 = i;
			CHECK(epoll_ctl(ep[j], EPOLL_CTL_ADD, p[i][0],
			    &ev) == 0);
		}
		CHECK(epoll_ctl(ep[j], EPOLL_CTL_ADD, p[0][0], &ev) == -1 &&
		    errno == EEXIST);
		CHECK(epoll_wait(ep[j], got, 8, 0) == 0);
	}
	used("zone in a structure, destroyed with it", "EPOLL", FILES);
	if (child() == 0) {
		for (int i = 0; i < FILES; i += 3)
			CHECK(write(p[i][1], "e", 1) == 1);
		_exit(0);
	}
	while (seen < FILES / 3) {
		n = epoll_wait(ep[1], got, 8, -1);
		CHECK(n > 0);
		for (int i = 0; i < n; ++i) {
			char c;

			CHECK(got[i].events == EPOLLIN &&
			    got[i].data.u32 % 3 == 0);
			CHECK(read(p[got[i].data.u32][0], &c, 1) == 1);
			++seen;
		}
	}
	reap(1);
	for (int i = 0; i < FILES; ++i) {
		close(p[i][0]);
		close(p[i][1]);
	}
	CHECK(epoll_wait(ep[2], got, 8, 0) == 0);
	for (int j = 0; j < 5; ++j)
		close(ep[j]);
}

/*
 * Programs: each brings more arguments than an allocator's slab would hold.
 */
static void
part_exec(char *self)
{
	static char arg[100 * 1024];
	char *argv[] = { self, arg, NULL };
	char *envp[] = { "test=echo", NULL };

	memset(arg, 'a', sizeof(arg) - 1);
	for (int i = 0; i < 10; ++i)
		if (child() == 0) {
			execve(self, argv, envp);
			_exit(100);
		}
	reap(10);
	used("cache with a back end of its own, large objects", "exec-args",
	    10);
}

/* What those do. */
static int
echo(int argc, char **argv)
{
	if (argc != 2 || strlen(argv[1]) != 100 * 1024 - 1)
		return 1;
	return argv[1][0] != 'a' || argv[1][100 * 1024 - 2] != 'a';
}

/* Pages that requests in the record of disk I/O, not read so far, wrote. */
static long
pages_written(int fd)
{
	char buf[4096], *line, *next;
	long written = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		for (line = buf; (next = strchr(line, '\n')) != NULL;
		    line = next + 1) {
			char disk[16], cmd;
			long at, offset, bytes;
			int error;

			CHECK(sscanf(line, "%ld %15s %c %ld %ld %d", &at, disk,
			    &cmd, &offset, &bytes, &error) == 6);
			CHECK(error == 0 && strcmp(disk, "vbd0") == 0);
			if (cmd == 'W')
				written += bytes / (long)PAGE_BYTES;
		}
		CHECK(*line == '\0');
	}
	CHECK(n == 0);
	return written;
}

/*
 * Memory is pushed out, and the record of disk I/O tells of every page of it.
 */
static void
part_trace(void)
{
	long min = kvar("vm.stats.v_free_min"), start, pages, written = 0;
	int fd = open("/dev/biotrace", O_RDONLY);
	struct region r;

	CHECK(fd >= 0);
	kvar_set("kern.biotrace.on", 1);
	start = kvar("vm.stats.v_swappgsout");
	region_map(&r, "traced", 8 * MIB, seed);
	region_dirty(&r);
	do {
		kvar_set("vm.inject.leave_free", min / 2);
		usleep(20000);
		written += pages_written(fd);
	} while (kvar("vm.stats.v_swappgsout") - start < 512);
	kvar_set("vm.inject.leave_free", -1);
	CHECK(region_verify(&r) == 0);

	/* What has been started will be done, and then recorded. */
	pages = kvar("vm.stats.v_swappgsout") - start;
	while (written < pages) {
		CHECK(kvar("kern.biotrace.dropped") == 0);
		written += pages_written(fd);
		sched_yield();
	}
	kvar_set("kern.biotrace.on", 0);
	close(fd);
	printf("shapes: %ld pages written, all of them in the record\n", pages);
	used("zone of an interrupt thread", "BIOTRACE", 10);
}

/*
 * What any program uses.
 */
static void
part_rest(void)
{
	used("static zone, retried with less", "SWAPMETA", 1);
	used("zone registered at boot, ZONE_INTERRUPT", "PV ENTRY", 100);
	used("zone registered at boot, ZONE_SPECIAL", "MAP ENTRY", 100);
	used("static zone", "PROC", 2 * processes);
	used("zone in a structure", "TMPFS node", 10);
	used("simple cache, declared in a header", "namei", 10);
	used("cache whose objects keep their state", "vmspace",
	    2 * processes);
	used("cache composed of another's objects", "pipebuf", 10);
	shape("cache on malloc, with a limit", "disk-msg-cache",
	    requests("disk-msg-cache", "disk"), 1);
}

/*
 * When everything is closed nothing is left.
 */
static void
part_leaks(void)
{
	const char *const clients[] = {
		"SOCKET", "SOCKAUDIT", "unpcb", "UNP UNIT", "mbuf", "mbufcl",
		"BIOTRACE",
	};
	unsigned long leave = option_range("leave", 0, 0, 1000);
	int fd = open("/dev/biotrace", O_RDONLY);
	long n;

	pages_written(fd);
	close(fd);
	while (leave-- > 0)
		CHECK(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); ++i)
		if ((n = in_use(clients[i])) != 0)
			test_fail(test, "%s: %ld are left", clients[i], n);
	CHECK(column("vm.zone", "EPOLL", 0) == -1);
	CHECK(column("kern.malloc", "EPOLL", 0) == -1);
}

int
main(int argc, char **argv)
{
	if (strcmp(option_word("test", ""), "echo") == 0)
		return echo(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	processes = option_range("processes", 24, 1, 1000);
	rounds = option_range("rounds", 200, 1, 1000000);
	seed = option_number("seed", 1);
	part_streams();
	part_names();
	part_rights();
	part_limit();
	part_failure();
	part_peek();
	part_reclaim();
	part_timers();
	part_epoll();
	part_exec(argv[0]);
	part_trace();
	part_rest();
	part_leaks();
	kvar_print_text("vm.zone");
	kvar_print_text("kern.objcache.stats");
	test_pass(test);
}
