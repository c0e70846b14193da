/* SPDX-License-Identifier: GPL-2.0 */
/* A second process to compete with, and a line to talk over. */
#ifndef LABYRINTH_PEER_H
#define LABYRINTH_PEER_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "labyrinth_utils.h"

struct peer {
	pid_t pid;	/* 0 in the peer itself */
	int line;	/* a SOCK_SEQPACKET socket to the other side */
};

/* Like fork(). The peer dies with its parent, so that no failure leaves pages held. */
static inline pid_t peer_fork(struct peer *peer)
{
	pid_t parent = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -1;
	peer->pid = fork();
	if (!peer->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	peer->line = pair[peer->pid ? 0 : 1];
	close(pair[peer->pid ? 1 : 0]);
	return peer->pid;
}

/* Sends a number and, unless it is negative, a file. */
static inline int peer_send(struct peer *peer, __u64 number, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header.cmsg_level = 0 };
	struct iovec data = { .iov_base = &number, .iov_len = sizeof(number) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	struct cmsghdr *header;

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.space);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	return sendmsg(peer->line, &message, MSG_NOSIGNAL) == sizeof(number) ? 0 : -1;
}

/* Receives a number, and a file if fd is not NULL. -1 once the other side is gone. */
static inline int peer_receive(struct peer *peer, __u64 *number, int *fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header.cmsg_level = 0 };
	struct iovec data = { .iov_base = number, .iov_len = sizeof(*number) };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *header;

	if (recvmsg(peer->line, &message, MSG_CMSG_CLOEXEC) != sizeof(*number))
		return -1;
	if (!fd)
		return 0;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return 0;
}

#define test_peer_send(peer, number) \
	ASSERT_EQ(0, peer_send(peer, number, -1))

#define test_peer_receive(peer)						\
({									\
	__u64 _number;							\
									\
	ASSERT_EQ(0, peer_receive(peer, &_number, NULL));		\
	_number;							\
})

/* Ends the line, then expects the peer to leave by itself and in peace. */
#define test_peer_join(peer)						\
({									\
	int _status;							\
									\
	close((peer)->line);						\
	ASSERT_EQ((peer)->pid, waitpid((peer)->pid, &_status, 0));	\
	EXPECT_TRUE(WIFEXITED(_status));				\
	EXPECT_EQ(0, WEXITSTATUS(_status));				\
})

#define test_peer_kill(peer)						\
({									\
	int _status;							\
									\
	ASSERT_EQ(0, kill((peer)->pid, SIGKILL));			\
	ASSERT_EQ((peer)->pid, waitpid((peer)->pid, &_status, 0));	\
	EXPECT_TRUE(WIFSIGNALED(_status));				\
	close((peer)->line);						\
})

#endif /* LABYRINTH_PEER_H */
