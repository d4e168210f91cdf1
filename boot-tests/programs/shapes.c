/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * shapes: every kind of zone and object cache that the kernel has, at work.
 *
 * Each part uses one service of the kernel, checks what it does, and then asks
 * the kernel's own statistics whether the zone or cache behind it was used: a
 * line `shape: KIND, CLIENT: N requests', and failure if N is not what the part
 * has caused at least.
 *
 * Kernel arguments: processes (24), rounds (200), seed (1), for the local
 * sockets.
 */
#include "support.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

static long
kvar(const char *name)
{
	long value;

	if (kvar_get_long(name, &value) != 0)
		test_fail(test, "%s: %s", name, strerror(errno));
	return value;
}

/*
 * Requests the kernel has counted for a zone, a cache or, once these are
 * converted, the malloc type that has taken their place.
 */
static long
requests(const char *client)
{
	static const struct {
		const char *table;
		int numbers;		/* before the count */
	} tables[] = {
		{ "vm.zone", 4 },
		{ "kern.objcache.stats", 2 },
		{ "kern.malloc", 2 },
	};
	static char text[32768];

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); ++i) {
		if (kvar_get_text(tables[i].table, text, sizeof(text)) != 0)
			continue;
		for (char *line = strtok(text, "\n"); line != NULL;
		    line = strtok(NULL, "\n")) {
			size_t len = strlen(client);
			char *s = line + len;

			if (strncmp(line, client, len) != 0 || *s != ' ')
				continue;
			while (*s == ' ')
				++s;
			if (*s < '0' || *s > '9')
				continue;	/* a longer name */
			for (int n = 0; n < tables[i].numbers; ++n)
				strtol(s, &s, 10);
			return strtol(s, NULL, 10);
		}
	}
	test_fail(test, "%s: no such zone, cache or type", client);
}

static void
used(const char *kind, const char *client, long least)
{
	long n = requests(client);

	printf("shape: %s, %s: %ld requests\n", kind, client, n);
	if (n < least)
		test_fail(test, "%s (%s): %ld requests, expected %ld", client,
		    kind, n, least);
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
	used("cache in macros of a header", "unpcb", 2 * processes);
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
	CHECK(sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0,
	    (struct sockaddr *)&other, len) == -1 && errno == ECONNREFUSED);
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
	CHECK(pipe(p) == 0);
	CHECK(send_fd(s[0], p[1]) == 0);
	close(p[1]);
	close(s[0]);
	close(s[1]);
	CHECK(read(p[0], &c, 1) == 0);		/* nor with the message */
	used("cache of static memory", "unp rights", n);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	processes = option_number("processes", 24);
	rounds = option_number("rounds", 200);
	seed = option_number("seed", 1);
	part_streams();
	part_names();
	part_rights();
	kvar("hw.physmem");
	kvar_print_text("vm.zone");
	kvar_print_text("kern.objcache.stats");
	test_pass(test);
}
