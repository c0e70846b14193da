/* SPDX-License-Identifier: GPL-2.0 */
/* What else can be done with the files: mapping, reading, closing, and odd calls. */
#ifndef FUZZ_VIEWS_H
#define FUZZ_VIEWS_H

#include <sys/uio.h>
#include <sys/wait.h>

#include "fuzz_calls.h"

#define FUZZ_VIEW_LENGTH(fuzz)	((fuzz)->info.arena_length)

/* Takes a mapping of the whole arena out of the table: nobody else changes it then. */
static inline char *fuzz_take_view(struct fuzzer *z)
{
	struct fuzz *fuzz = z->fuzz;

	return (char *)atomic_exchange(&fuzz->views[fuzz_pick(z, 0, ARRAY_COUNT(fuzz->views) - 1)],
				       0);
}

static inline void fuzz_put_view(struct fuzzer *z, char *view)
{
	struct fuzz *fuzz = z->fuzz;
	char *old;

	old = (char *)atomic_exchange(&fuzz->views[fuzz_pick(z, 0, ARRAY_COUNT(fuzz->views) - 1)],
				      (uintptr_t)view);
	if (old)
		munmap(old, FUZZ_VIEW_LENGTH(fuzz));
}

/* The arena, or some range, right or wrong, shared, private or executable. */
static inline void fuzz_map(struct fuzzer *z)
{
	static const int protections[] = { PROT_READ, PROT_READ | PROT_WRITE, PROT_NONE,
					   PROT_READ | PROT_EXEC };
	int prot = protections[fuzz_pick(z, 0, 7) % (fuzz_once_in(z, 4) ? 4 : 2)];
	__u64 length = FUZZ_VIEW_LENGTH(z->fuzz), offset = 0;
	int flags = fuzz_once_in(z, 8) ? MAP_PRIVATE : MAP_SHARED;
	char *view;

	if (fuzz_once_in(z, 2)) {
		offset = fuzz_offset(z) / page_size() * page_size();
		length = page_size() * fuzz_pick(z, 1, fuzz_once_in(z, 4) ? 20 : 1);
	}
	if (fuzz_once_in(z, 4))
		flags |= MAP_POPULATE;
	view = mmap(NULL, (size_t)length, prot, flags, fuzz_device(z), (off_t)offset);
	fuzz_judge(z, FUZZ_MMAP, view == MAP_FAILED ? -1 : 0);
	if (view == MAP_FAILED)
		return;
	if (flags & MAP_PRIVATE || prot & PROT_EXEC) {
		fprintf(stderr, "# mmap with flags %#x, prot %#x was allowed\n", flags,
			prot);
		_exit(KSFT_FAIL);
	}
	if (length == FUZZ_VIEW_LENGTH(z->fuzz)) {
		fuzz_put_view(z, view);
		return;
	}
	touch(view, TOUCH_WRITE);
	munmap(view, length);
}

/* Ends the fuzzer if something was allowed that never is. */
static inline void fuzz_refused(const char *what, bool refused)
{
	if (refused)
		return;
	fprintf(stderr, "# %s was allowed\n", what);
	_exit(KSFT_FAIL);
}

/* False if it is of no use any more. */
static inline bool fuzz_change_view(struct fuzzer *z, char *view)
{
	size_t page_offset = fuzz_offset(z) % FUZZ_VIEW_LENGTH(z->fuzz);
	char *page = view + page_offset / page_size() * page_size();
	size_t some = page_size() * fuzz_pick(z, 1, 4);
	unsigned char present[4];

	if (page + some > view + FUZZ_VIEW_LENGTH(z->fuzz))
		some = page_size();
	switch (fuzz_pick(z, 0, 9)) {
	case 0:
		mprotect(page, some, PROT_NONE);
		break;
	case 1:
		mprotect(page, some, PROT_READ | PROT_WRITE);
		break;
	case 2:
		fuzz_refused("PROT_EXEC", mprotect(page, some, PROT_READ | PROT_EXEC));
		break;
	case 3:
		fuzz_refused("mremap to another place",
			     mremap(page, some, some + page_size(), MREMAP_MAYMOVE) == MAP_FAILED);
		break;
	case 4:
		fuzz_refused("MADV_DOFORK", madvise(page, some, MADV_DOFORK));
		break;
	case 5:
		madvise(page, some, (int)fuzz_pick(z, 0, 25));
		break;
	case 6:		/* a hole, with something in it lest somebody else moves in */
		if (mmap(page, some, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			 0) == MAP_FAILED)
			break;
		touch(view, TOUCH_READ);
		touch(page + some, TOUCH_READ);
		return false;
	case 7:
		mincore(page, some, present);
		msync(page, some, MS_SYNC);
		break;
	case 8:
		if (!mlock(page, some))
			munlock(page, some);
		break;
	default:
		touch(page, fuzz_once_in(z, 2) ? TOUCH_WRITE : TOUCH_READ);
		break;
	}
	return true;
}

static inline void fuzz_view(struct fuzzer *z)
{
	char *view = fuzz_take_view(z);

	if (!view)
		return;
	if (!fuzz_change_view(z, view) || fuzz_once_in(z, 8))
		munmap(view, FUZZ_VIEW_LENGTH(z->fuzz));
	else
		fuzz_put_view(z, view);
}

/* Without taking it: it may go, and anything may come to lie there. So only a look. */
static inline void fuzz_look(struct fuzzer *z)
{
	struct fuzz *fuzz = z->fuzz;
	char *view = (char *)atomic_load(&fuzz->views[fuzz_pick(z, 0,
						       ARRAY_COUNT(fuzz->views) - 1)]);

	if (!view || fuzz_once_in(z, 2))
		view = fuzz->arena;
	touch(view + fuzz_offset(z) % FUZZ_VIEW_LENGTH(fuzz), TOUCH_READ);
}

static inline void fuzz_read(struct fuzzer *z)
{
	char events[4 * sizeof(struct labyrinth_event)] = "";
	void *at = fuzz_place(z, events, sizeof(events));
	size_t size = fuzz_once_in(z, 4) ? fuzz_pick(z, 0, 96) : sizeof(events);
	int fd = fuzz_device(z);
	ssize_t got;

	/* Another thread may read the event before us, and then we wait for the next. */
	if (fd < 0 || (!(poll_now(fd) & POLLIN) && !fuzz_once_in(z, 8)))
		return;
	got = read(fd, at, size);
	fuzz_judge(z, FUZZ_READ, got < 0 ? -1 : 0);
}

/* Closes a file that others are using, and opens another in its place. */
static inline void fuzz_reopen(struct fuzzer *z)
{
	int slot = fuzz_pick(z, FUZZ_LASTING + 1, FUZZ_FOREIGN - 1);
	int flags = slot == FUZZ_READ_ONLY ? O_RDONLY : O_RDWR;
	unsigned int nth = slot >= FUZZ_SECOND;

	if (slot == FUZZ_NONBLOCK)
		flags |= O_NONBLOCK;
	if (fuzz_once_in(z, 4))
		slot = fuzz_pick(z, FUZZ_TICKETS, FUZZ_OTHERS - 1);
	if (slot >= FUZZ_TICKETS)
		fuzz_put_fd(z, slot, -1);
	else
		fuzz_put_fd(z, slot, raw_open(nth, flags));
}

/* A child has the files too, and may not use them; nor is a page in it. */
static inline void fuzz_fork(struct fuzzer *z)
{
	struct labyrinth_info info;
	int status, fd = atomic_load(&z->fuzz->fds[FUZZ_LASTING]);
	sigset_t ticks;
	pid_t pid;

	/* A slow machine never gets to the end of a fork that is interrupted. */
	sigemptyset(&ticks);
	sigaddset(&ticks, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &ticks, NULL);
	pid = fork();
	if (!pid) {
		if (touch(z->fuzz->arena + page_size() * 2, TOUCH_READ) != SIGSEGV)
			_exit(1);
		_exit(!raw_info(fd, &info) || errno != EPERM ? 2 : 0);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid)
		fuzz_refused("a child's access", WIFEXITED(status) && !WEXITSTATUS(status));
	pthread_sigmask(SIG_UNBLOCK, &ticks, NULL);
}

/* What other drivers allow, and this one has no use for. */
static inline void fuzz_odd(struct fuzzer *z)
{
	char *page = z->fuzz->arena + fuzz_offset(z) % FUZZ_VIEW_LENGTH(z->fuzz);
	/* Not closed by another thread, and its number not given to a pipe. */
	int fd = atomic_load(&z->fuzz->fds[FUZZ_LASTING]), pipes[2];
	char bytes[64];
	struct iovec here = { bytes, sizeof(bytes) }, there = { page, sizeof(bytes) };

	switch (fuzz_pick(z, 0, 7)) {
	case 0:
		fuzz_refused("pread", pread(fd, bytes, sizeof(bytes), 0) < 0);
		break;
	case 1:
		fuzz_refused("write", write(fd, bytes, sizeof(bytes)) < 0);
		break;
	case 2:
		fuzz_refused("ftruncate", ftruncate(fd, 4096) < 0);
		break;
	case 3:
		posix_fadvise(fd, 0, 0, (int)fuzz_pick(z, 0, 5));
		fsync(fd);
		break;
	case 4:		/* as ptrace() would look at it */
		fuzz_refused("process_vm_readv",
			     process_vm_readv(getpid(), &here, 1, &there, 1, 0) < 0);
		break;
	case 5:
		if (!pipe2(pipes, O_NONBLOCK | O_CLOEXEC)) {
			(void)!write(pipes[1], page, sizeof(bytes));
			(void)!read(pipes[0], page, sizeof(bytes));
			fuzz_refused("vmsplice", vmsplice(pipes[1], &there, 1, 0) < 0);
			close(pipes[0]);
			close(pipes[1]);
		}
		break;
	case 6:
		poll_now(fuzz_device(z));
		break;
	default:
		fcntl(fuzz_device(z), F_SETFL, fuzz_once_in(z, 2) ? O_NONBLOCK : 0);
		break;
	}
}

#endif /* FUZZ_VIEWS_H */
