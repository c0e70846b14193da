// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `labyrinth send` and `labyrinth receive` make of somebody else at the other end.
 * Needs no device: descriptors of /dev/null go for tickets.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../channel.h"

static unsigned int tests, failures;
static struct channel ours = { .path = "socket", .peer = "the sender", .fd = -1 };
static struct channel theirs = { .path = "socket", .peer = "the receiver", .fd = -1 };

/* Which of the calls below fails, and how. */
enum { NONE, CONNECT, BIND, LISTEN, ACCEPT };

static int refused, refused_with;

static int refuse(int which)
{
	if (refused != which)
		return 0;
	errno = refused_with;
	return 1;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size);

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	(void)fd;
	(void)address;
	(void)size;
	return refuse(CONNECT) ? -1 : 0;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	(void)fd;
	(void)address;
	(void)size;
	return refuse(BIND) ? -1 : 0;
}

int __wrap_listen(int fd, int backlog);

int __wrap_listen(int fd, int backlog)
{
	(void)fd;
	(void)backlog;
	return refuse(LISTEN) ? -1 : 0;
}

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	(void)fd;
	(void)address;
	(void)size;
	(void)flags;
	return refuse(ACCEPT) ? -1 : dup(0);
}

static void result(int passed, const char *name)
{
	printf("%sok %u - %s\n", passed ? "" : "not ", ++tests, name);
	failures += !passed;
}

static void join(void)
{
	int fds[2] = { -1, -1 };

	channel_close(&ours);
	channel_close(&theirs);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		perror("socketpair");
	ours.fd = fds[0];
	theirs.fd = fds[1];
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* Whether it is refused, and the descriptor that came with it closed. */
static int is_refused(void)
{
	struct channel_message message;
	int before = lowest_free(), ticket, code;

	code = channel_receive(&ours, &message, &ticket);
	return code == EXIT_FAILED && ticket == -1 && lowest_free() == before;
}

static void test_message_arrives(int null)
{
	struct channel_message message = { .length = 4711 };
	int sent, received, ticket;

	join();
	sent = channel_send(&theirs, &message, null);
	memset(&message, 0, sizeof(message));
	received = channel_receive(&ours, &message, &ticket);
	result(!sent && !received && ticket >= 0 && message.length == 4711 && !message.last &&
	       fcntl(ticket, F_GETFD) == FD_CLOEXEC,
	       "a message arrives, with its ticket, which is close-on-exec");
	close(ticket);
	result(!channel_acknowledge(&ours) && !channel_await_acknowledgement(&theirs),
	       "and so does the answer");
}

static void test_last(void)
{
	struct channel_message message = { .last = 1, .length = 5 };
	int sent, received, ticket;

	join();
	memset(message.sum, 'a', sizeof(message.sum));
	sent = channel_send(&theirs, &message, -1);
	memset(&message, 0, sizeof(message));
	received = channel_receive(&ours, &message, &ticket);
	result(!sent && !received && ticket == -1 && message.last && message.sum[63] == 'a',
	       "the last message arrives, with its sum");
}

static void test_refused(struct channel_message message, int ticket, const char *name)
{
	join();
	result(!channel_send(&theirs, &message, ticket) && is_refused(), name);
}

static void test_foreign_bytes(const char *name, size_t length)
{
	static const char bytes[512] = "GET / HTTP/1.1\r\n";

	join();
	result(write(theirs.fd, bytes, length) == (ssize_t)length && is_refused(), name);
}

static void test_peer_gone(void)
{
	join();
	channel_close(&theirs);
	result(is_refused(), "a sender that is gone ends it");
	result(channel_acknowledge(&ours) == EXIT_FAILED, "also while answering");
}

static void test_wrong_answer(void)
{
	join();
	result(write(ours.fd, "x", 1) == 1 &&
	       channel_await_acknowledgement(&theirs) == EXIT_FAILED,
	       "an answer that is none is refused");
}

/* Whatever the kernel says: exit code 1, and no descriptor is left open. */
static void test_no_connection(int which, const char *name)
{
	static const int errors[] = {
		ENOENT, ENOTDIR, ECONNREFUSED, EPROTOTYPE, EACCES, EROFS, EINVAL, ENOMEM,
		EADDRINUSE, EMFILE,
	};
	int before = lowest_free(), good = 1;
	struct channel channel;
	unsigned int i;

	refused = which;
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		int code;

		refused_with = errors[i];
		if (which == CONNECT)
			code = channel_connect(&channel, "no-such-socket");
		else
			code = channel_accept(&channel, "no-such-socket", true);
		channel_close(&channel);
		good &= code == EXIT_FAILED && lowest_free() == before;
	}
	refused = NONE;
	result(good, name);
}

static void test_connection(void)
{
	int before = lowest_free(), good;
	struct channel channel;

	good = !channel_connect(&channel, "no-such-socket") && channel.fd >= 0;
	channel_close(&channel);
	good &= !channel_accept(&channel, "no-such-socket", false) && channel.fd >= 0;
	channel_close(&channel);
	result(good && lowest_free() == before, "where nothing is refused, there is one");
}

int main(void)
{
	struct channel_message escapes = { .last = 1 };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* What they say on stderr would be in the way of the results. */
	if (null < 0 || !freopen("/dev/null", "w", stderr))
		return 1;
	signal(SIGPIPE, SIG_IGN);
	memset(escapes.sum, '\033', sizeof(escapes.sum));

	printf("TAP version 13\n1..18\n");
	test_message_arrives(null);
	test_last();
	test_refused((struct channel_message){ .length = 1 }, -1,
		     "a message without its ticket is refused");
	test_refused((struct channel_message){ .length = 0 }, null,
		     "a ticket without bytes is refused");
	test_refused((struct channel_message){ .length = 1, .reserved = 1 }, null,
		     "a message of a later version is refused");
	test_refused((struct channel_message){ .last = 1 }, null,
		     "a last message with a ticket is refused");
	test_refused(escapes, -1, "a sum that is none is refused");
	test_foreign_bytes("the wrong magic is refused", sizeof(struct channel_message));
	test_foreign_bytes("less than a message is refused", 3);
	test_peer_gone();
	test_wrong_answer();
	test_no_connection(CONNECT, "who cannot connect is told");
	test_no_connection(BIND, "who cannot make the socket is told");
	test_no_connection(LISTEN, "who cannot listen is told");
	test_no_connection(ACCEPT, "who cannot accept a sender is told");
	test_connection();
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", tests - failures,
	       failures);
	return failures != 0;
}
