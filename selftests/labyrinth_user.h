/* SPDX-License-Identifier: GPL-2.0 */
/* Being somebody else than root, with a limit on locked memory. */
#ifndef LABYRINTH_USER_H
#define LABYRINTH_USER_H

#include <glob.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "labyrinth_peer.h"

#define USER		1000
#define NEIGHBOUR	1001
#define MAX_DEVICES	8

/* The access rights of the device files, while everybody may open them. */
struct modes {
	glob_t devices;
	mode_t modes[MAX_DEVICES];
};

static inline void modes_open(struct __test_metadata *_metadata, struct modes *modes)
{
	struct stat stat;
	size_t i;

	ASSERT_EQ(0, glob("/dev/labyrinth*", 0, NULL, &modes->devices));
	ASSERT_GE(MAX_DEVICES, modes->devices.gl_pathc);
	for (i = 0; i < modes->devices.gl_pathc; i++) {
		ASSERT_EQ(0, lstat(modes->devices.gl_pathv[i], &stat));
		modes->modes[i] = stat.st_mode & 07777;
		ASSERT_EQ(0, chmod(modes->devices.gl_pathv[i], 0666));
	}
}

static inline void modes_restore(struct modes *modes)
{
	size_t i;

	for (i = 0; i < modes->devices.gl_pathc; i++)
		chmod(modes->devices.gl_pathv[i], modes->modes[i]);
}

static inline int set_memlock(rlim_t bytes)
{
	const struct rlimit limit = { bytes, bytes };

	return setrlimit(RLIMIT_MEMLOCK, &limit);
}

/* Root becomes somebody without privileges who may lock that many pages. */
static inline int become(uid_t uid, rlim_t pages)
{
	rlim_t bytes = pages == RLIM_INFINITY ? pages : pages * page_size();

	if (set_memlock(bytes) || setgroups(0, NULL) ||
	    setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		return -1;
	/* A change of the user has undone it. */
	return prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Like peer_fork(); the peer is that user. */
#define test_fork_as(peer, uid, pages)					\
({									\
	ASSERT_LE(0, peer_fork(peer));					\
	if (!(peer)->pid)						\
		ASSERT_EQ(0, become(uid, pages));			\
	(peer)->pid;							\
})

#endif /* LABYRINTH_USER_H */
