// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Errors of this domain in words: what is the matter, with figures, and what to do.
 *
 * Only ever called after a failure, so it may ask the kernel for INFO and STAT.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "internal.h"

struct figures {
	struct labyrinth_info info;
	struct labyrinth_stat stat;
	char pool[320];			/* who has the pages, as a phrase */
};

static size_t add_term(char *text, size_t used, size_t size, uint64_t pages,
		       const char *what)
{
	int length;

	if (!pages || used >= size)
		return used;
	length = snprintf(text + used, size - used, "%s%llu %s", used ? ", " : "",
			  (unsigned long long)pages, what);
	return length < 0 ? used : used + length;
}

static void describe_pool(struct figures *f)
{
	const struct labyrinth_stat *s = &f->stat;
	size_t size = sizeof(f->pool);
	size_t used = 0;

	f->pool[0] = '\0';
	used = add_term(f->pool, used, size, s->owned, "owned by open files");
	used = add_term(f->pool, used, size, s->ticketed, "in tickets");
	used = add_term(f->pool, used, size, s->kernel, "owned by the kernel");
	used = add_term(f->pool, used, size, s->quarantined, "quarantined");
	used = add_term(f->pool, used, size, s->poisoned, "poisoned");
	used = add_term(f->pool, used, size, s->free, "free");
	used = add_term(f->pool, used, size, s->reserve, "of them in reserve");
	add_term(f->pool, used, size, s->waiters, "waiting in line");
	if (!f->pool[0])
		snprintf(f->pool, size, "none yet");
}

static bool get_figures(struct labyrinth_device *dev, struct figures *f)
{
	memset(f, 0, sizeof(*f));
	f->info.size = sizeof(f->info);
	f->stat.size = sizeof(f->stat);
	if (ioctl(dev->fd, LABYRINTH_INFO, &f->info) < 0 ||
	    ioctl(dev->fd, LABYRINTH_STAT, &f->stat) < 0)
		return false;
	describe_pool(f);
	return true;
}

int liblabyrinth_fail_call(struct labyrinth_device *dev, int error, const char *call)
{
	switch (error) {
	case EPERM:
		return liblabyrinth_fail(error,
			"%s works only in the process that opened it: open it again after fork()",
			dev->path);
	case ENODEV:
		return liblabyrinth_fail(error,
			"%s is gone: it was unplugged, or unbound from its driver",
			dev->path);
	case ENOTTY:
	case EOPNOTSUPP:
		return liblabyrinth_fail(error,
			"the loaded labyrinth module does not do %s like this: load a newer one",
			call);
	case ENOENT:
		return liblabyrinth_fail(error,
			"%s: a buffer is not owned (any more): it was released before", call);
	case EINTR:
		return liblabyrinth_fail(error, "%s: interrupted by a signal", call);
	default:
		return liblabyrinth_fail(error, "%s on %s: %m", call, dev->path);
	}
}

static int fail_invalid_acquire(const struct figures *f,
				const struct labyrinth_acquire *request)
{
	unsigned long long pages = (unsigned long long)request->count << (request->order & 31);

	if (!request->count || request->count > f->info.max_batch)
		return liblabyrinth_fail(EINVAL,
			"one call acquires 1 to %u buffers, not %u: acquire them in batches",
			f->info.max_batch, request->count);
	if (request->order > f->info.max_order)
		return liblabyrinth_fail(EINVAL,
			"the order of a buffer is 0 to %u on this device, not %u",
			f->info.max_order, request->order);
	if (!request->order && pages > f->info.max_request && !request->flags)
		return liblabyrinth_fail(EINVAL,
			"one call waits for at most %u pages, not %llu: ask for fewer, or without waiting",
			f->info.max_request, pages);
	return liblabyrinth_fail(EINVAL, "the request to acquire %u buffers is not valid",
				 request->count);
}

static int fail_quota(const struct figures *f, unsigned long long pages)
{
	unsigned long long charged = f->stat.charged;

	if (charged + pages > f->info.file_quota)
		return liblabyrinth_fail(EDQUOT,
			"over the quota of an open file: it has %llu pages, wants %llu more, and may have %u; release some, or load the module with a larger quota=",
			charged, pages, f->info.file_quota);
	return liblabyrinth_fail(EDQUOT,
		"over the quota of a user: all files of this user together may have %u pages of the device; release some, or ask the administrator to raise it",
		f->info.user_quota);
}

static int fail_memory(const struct figures *f, unsigned long long pages,
		       unsigned int order)
{
	unsigned long long max = f->stat.max;

	if (pages + f->stat.reserve > max)
		return liblabyrinth_fail(ENOMEM,
			"%llu pages can never be had: the pool holds at most %llu, %llu of them in reserve; load the module with a larger max=",
			pages, max, (unsigned long long)f->stat.reserve);
	if (order)
		return liblabyrinth_fail(ENOMEM,
			"no memory for buffers of %u pages in one piece, %llu pages in all: the pool has %llu of at most %llu (%s), or the system's memory is fragmented; ask for a lower order, or for fewer",
			1U << order, pages, (unsigned long long)f->stat.total, max, f->pool);
	return liblabyrinth_fail(ENOMEM,
		"no memory for %llu pages: the pool has %llu of at most %llu (%s), and the system has no more memory the device can reach",
		pages, (unsigned long long)f->stat.total, max, f->pool);
}

int liblabyrinth_fail_acquire(struct labyrinth_device *dev, int error,
			      const struct labyrinth_acquire *request)
{
	unsigned long long pages = (unsigned long long)request->count << (request->order & 31);
	struct figures f;

	if (!get_figures(dev, &f))
		return liblabyrinth_fail_call(dev, error, "acquiring");

	switch (error) {
	case EINVAL:
		return fail_invalid_acquire(&f, request);
	case EDQUOT:
		return fail_quota(&f, pages);
	case ENOMEM:
		return fail_memory(&f, pages, request->order);
	case ENOBUFS:
		return liblabyrinth_fail(error,
			"%llu more pages are over RLIMIT_MEMLOCK: raise it (ulimit -l), or release some",
			pages);
	case EAGAIN:
	case ETIMEDOUT:
		if (!f.stat.free)
			return liblabyrinth_fail(error,
				"no page is free: of %llu, %s; release some, wait for longer, or load the module with a larger max= (now %llu)",
				(unsigned long long)f.stat.total, f.pool,
				(unsigned long long)f.stat.max);
		return liblabyrinth_fail(error,
			"%llu pages cannot be had now: of %llu pages, %s; release some, wait for longer, or load the module with a larger max= (now %llu)",
			pages, (unsigned long long)f.stat.total, f.pool,
			(unsigned long long)f.stat.max);
	default:
		return liblabyrinth_fail_call(dev, error, "acquiring");
	}
}

int liblabyrinth_fail_copy(struct labyrinth_device *dev, int error,
			   const struct labyrinth_copy *copy)
{
	switch (error) {
	case EINVAL:
		return liblabyrinth_fail(error,
			"cannot copy %llu bytes from offset %llu to offset %llu: a range is empty, longer than the device copies at once, outside its buffer, or overlaps the other",
			(unsigned long long)copy->length,
			(unsigned long long)copy->src_offset,
			(unsigned long long)copy->dst_offset);
	case EAGAIN:
		return liblabyrinth_fail(error,
			"all %u places for copies are taken: read events to free some",
			dev->copy_depth);
	case ECANCELED:
		return liblabyrinth_fail(error,
			"the copy was cancelled, because one of its buffers was released");
	case ETIMEDOUT:
		return liblabyrinth_fail(error, "%s did not finish the copy in time",
					 dev->path);
	default:
		return liblabyrinth_fail_call(dev, error, "copying");
	}
}

/* Two opens of a device can have the same path, which would say nothing if named twice. */
int liblabyrinth_fail_apart(const char *call, const struct labyrinth_device *first,
			    const struct labyrinth_device *second)
{
	if (!strcmp(first->path, second->path))
		return liblabyrinth_fail(EXDEV,
			"cannot %s buffers of two opens of %s: they must be of the same one",
			call, first->path);
	return liblabyrinth_fail(EXDEV,
		"cannot %s buffers of %s and %s: they must be of the same open device",
		call, first->path, second->path);
}

int liblabyrinth_fail_give(struct labyrinth_device *dev, int error, unsigned int count)
{
	switch (error) {
	case EBUSY:
		return liblabyrinth_fail(error,
			"cannot give a buffer that the device copies from or to, or a nested KVM guest uses: wait for its end");
	case EINVAL:
		return liblabyrinth_fail(error,
			"cannot give these %u buffers: a ticket holds 1 to %u, each of them once",
			count, dev->max_batch);
	case ENOTTY:
		return liblabyrinth_fail(error,
			"the loaded labyrinth module has no tickets: load a newer one");
	case EMFILE:
	case ENFILE:
		return liblabyrinth_fail(error, "no file descriptor for the ticket: %m");
	default:
		return liblabyrinth_fail_call(dev, error, "giving");
	}
}

static int fail_take_quota(struct labyrinth_device *dev, int error)
{
	struct figures f;

	if (error == ENOBUFS)
		return liblabyrinth_fail(error,
			"the ticket holds more pages than RLIMIT_MEMLOCK lets this user have: raise it (ulimit -l), or release some; the ticket keeps them");
	if (!get_figures(dev, &f))
		return liblabyrinth_fail_call(dev, error, "taking");
	return liblabyrinth_fail(error,
		"the ticket holds more pages than the quota lets this process have: it has %llu, and an open file may have %u; release some, the ticket keeps them",
		(unsigned long long)f.stat.charged, f.info.file_quota);
}

int liblabyrinth_fail_take(struct labyrinth_device *dev, int error,
			   const struct labyrinth_take *take, unsigned int max)
{
	switch (error) {
	case EINVAL:
		return liblabyrinth_fail(error, "descriptor %d is not a ticket", take->ticket_fd);
	case ENOENT:
		return liblabyrinth_fail(error,
			"the ticket is empty: its buffers were taken already");
	case EXDEV:
		return liblabyrinth_fail(error,
			"the ticket is of another device than %s", dev->path);
	case EBUSY:
		return liblabyrinth_fail(error,
			"somebody else is taking this ticket's buffers right now");
	case ENOSPC:
		return liblabyrinth_fail(error,
			"the ticket holds %u buffers, but there is room for %u only",
			take->count, max);
	case EDQUOT:
	case ENOBUFS:
		return fail_take_quota(dev, error);
	case ENOTTY:
		return liblabyrinth_fail(error,
			"the loaded labyrinth module has no tickets: load a newer one");
	default:
		return liblabyrinth_fail_call(dev, error, "taking");
	}
}

static int fail_open_permission(const char *path, int error)
{
	struct stat node;

	if (stat(path, &node) < 0)
		return liblabyrinth_fail(error, "cannot open %s: %m", path);
	return liblabyrinth_fail(error,
		"may not open %s: only user %u and group %u may (mode %04o); become one of them, or root",
		path, node.st_uid, node.st_gid, node.st_mode & 07777);
}

int liblabyrinth_fail_open(const char *path, int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return fail_open_permission(path, error);
	case ENOENT:
	case ENODEV:
	case ENXIO:
		if (!liblabyrinth_module_loaded())
			return liblabyrinth_fail(error,
				"no labyrinth device %s: is the module loaded? (labyrinth load)",
				path);
		return liblabyrinth_fail(error,
			"no labyrinth device %s: the module is loaded, but drives no such device (labyrinth list)",
			path);
	case ENOTTY:
		return liblabyrinth_fail(error, "%s is not a labyrinth device", path);
	default:
		return liblabyrinth_fail(error, "cannot open %s: %m", path);
	}
}
