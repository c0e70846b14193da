/* SPDX-License-Identifier: GPL-2.0 */
/* What one process of a storm holds of one device, and what must be in it. */
#ifndef STORM_PAGES_H
#define STORM_PAGES_H

#include "storm_model.h"

#define STORM_HELD	32	/* buffers of one file */
#define STORM_PAGES	64	/* pages in them */
#define STORM_COPIES	2	/* under way */
#define STORM_COPY_MOST	8192

/* One owned buffer. */
struct storm_held {
	struct labyrinth_buffer buffer;
	unsigned char *content;	/* that it must have */
	char *alone;		/* its own mapping, or NULL */
	unsigned int busy;	/* copies under way that name it */
};

/* A copy under way. Its buffers may have been released since. */
struct storm_copy {
	__u64 user_data;
	__u64 src;		/* handle */
	__u64 dst;
	__u32 dst_offset;
	__u32 length;
	bool fence;
	unsigned char bytes[STORM_COPY_MOST];	/* that are to arrive */
};

struct storm_file {
	unsigned int device;
	int fd;			/* -1: closed, or gone */
	__u32 epoch;
	struct labyrinth_info info;
	char *arena;		/* NULL: not mapped */
	char *dead;		/* a mapping of a buffer that is no longer owned */
	struct storm_held held[STORM_HELD];
	unsigned int count;
	unsigned int pages;
	struct storm_copy copies[STORM_COPIES];	/* in the order of submission */
	unsigned int copying;
	__u64 stale_handle;
	__u64 stale_offset;
};

static inline __u64 storm_me(const struct storm_process *p, const struct storm_file *f)
{
	return storm_owner_process(f->epoch, p->number);
}

static inline bool storm_open(struct storm_process *p, struct storm_file *f)
{
	__u32 epoch = atomic_load(&p->storm->epochs[f->device]);
	char path[32];

	snprintf(path, sizeof(path), "/dev/labyrinth%u", f->device);
	f->fd = open(path, O_RDWR | O_CLOEXEC);
	if (f->fd < 0) {
		if (!p->storm->may_go ||
		    (errno != ENOENT && errno != ENODEV && errno != ENXIO))
			storm_fail(p, "%s: open: %s", path, strerror(errno));
		return false;
	}
	/* It cannot be had at all while the epoch changes. */
	if (epoch != atomic_load(&p->storm->epochs[f->device]) ||
	    raw_info(f->fd, &f->info)) {
		if (!p->storm->may_go)
			storm_fail(p, "%s: INFO: %s", path, strerror(errno));
		close(f->fd);
		f->fd = -1;
		return false;
	}
	f->epoch = epoch;
	return true;
}

static inline void storm_forget(struct storm_file *f, unsigned int i)
{
	struct storm_held *held = &f->held[i];

	if (held->alone)
		munmap(held->alone, held->buffer.length);
	free(held->content);
	f->pages -= held->buffer.length / page_size();
	f->stale_handle = held->buffer.handle;
	f->stale_offset = held->buffer.offset;
	*held = f->held[--f->count];
}

/* Ends all references to the file, and with them what it owns. */
static inline void storm_drop_file(struct storm_file *f)
{
	while (f->count)
		storm_forget(f, 0);
	if (f->dead)
		munmap(f->dead, page_size());
	f->dead = NULL;
	if (f->arena)
		munmap(f->arena, f->info.arena_length);
	f->arena = NULL;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->copying = 0;
	f->stale_offset = 0;
	f->stale_handle = 0;
}

/*
 * A call has failed. If that is because the device has gone, which must be allowed,
 * the file is finished with: nothing of it can be touched, its events come to an end.
 */
static inline bool storm_gone(struct storm_process *p, struct storm_file *f)
{
	int error = errno;
	struct labyrinth_event event;
	unsigned int i;

	if (error != ENODEV || !p->storm->may_go)
		return false;
	atomic_fetch_add(&p->storm->deaths, 1);
	/* Removal marks the device dead first, and takes the mappings away last. */
	for (i = 0; i < f->count && f->arena; i++) {
		char *page = f->arena + f->held[i].buffer.offset;

		if (!wait_until(touch(page, TOUCH_READ) == SIGBUS))
			storm_fail(p, "a page of a device that is gone can be read");
	}
	for (i = 0; i < f->copying; i++) {
		if (raw_event(f->fd, &event))
			storm_fail(p, "event %u of %u is lost with the device: %s", i,
				   f->copying, strerror(errno));
		if (event.user_data != f->copies[i].user_data)
			storm_fail(p, "events of a device that is gone in the wrong order");
		if (event.result && event.result != -ENODEV && event.result != -ECANCELED)
			storm_fail(p, "result of a copy: %d", event.result);
	}
	if (raw_event(f->fd, &event) != -1 || errno != ENODEV)
		storm_fail(p, "no ENODEV after the last event: %s", strerror(errno));
	storm_drop_file(f);
	return true;
}

/* As memcmp(), of memory that may be taken away: -1 if it has been. */
static inline int storm_compare(const void *mapped, const void *wanted, size_t length)
{
	if (sigsetjmp(fault_return, 1))
		return -1;
	return !!memcmp(mapped, wanted, length);
}

static inline int storm_fill(void *mapped, const void *content, size_t length)
{
	if (sigsetjmp(fault_return, 1))
		return -1;
	memcpy(mapped, content, length);
	return 0;
}

/* A page of ours was answered with a signal: the device must be gone. */
static inline void storm_faulted(struct storm_process *p, struct storm_file *f,
				 __u64 offset)
{
	struct labyrinth_info info;

	if (!raw_info(f->fd, &info) || !storm_gone(p, f))
		storm_fail(p, "device %u: own page at %#llx cannot be touched", f->device,
			   (unsigned long long)offset);
}

static inline bool storm_map_arena(struct storm_process *p, struct storm_file *f)
{
	if (f->arena)
		return true;
	f->arena = raw_map(f->fd, PROT_READ | PROT_WRITE, f->info.arena_length, 0);
	if (f->arena != MAP_FAILED)
		return true;
	f->arena = NULL;
	if (!storm_gone(p, f))
		storm_fail(p, "mmap of the arena: %s", strerror(errno));
	return false;
}

/* Whether a buffer has the content it must have. False once the device has gone. */
static inline bool storm_check(struct storm_process *p, struct storm_file *f,
			       const struct storm_held *held, const char *when)
{
	__u64 offset = held->buffer.offset;
	char *at = held->alone;
	int result;

	/* Who copies does not know how far it is. */
	if (held->busy)
		return true;
	if (!at && !storm_map_arena(p, f))
		return false;
	if (!at || storm_once_in(p, 2))
		at = f->arena ? f->arena + offset : at;
	result = storm_compare(at, held->content, held->buffer.length);
	if (result > 0)
		storm_fail_content(p, when, f->device, offset, at, held->content,
				   held->buffer.length);
	if (result < 0)
		storm_faulted(p, f, offset);
	return !result;
}

/* Gives a buffer a new content. False once the device has gone. */
static inline bool storm_write(struct storm_process *p, struct storm_file *f,
			       struct storm_held *held)
{
	char *at = held->alone;

	if (held->busy)
		return true;
	if (!at && !storm_map_arena(p, f))
		return false;
	if (!at || (f->arena && storm_once_in(p, 2)))
		at = f->arena + held->buffer.offset;
	storm_stamp_fill(p, held->content, held->buffer.length);
	if (!storm_fill(at, held->content, held->buffer.length))
		return true;
	storm_faulted(p, f, held->buffer.offset);
	return false;
}

/* A buffer is ours from now on. */
static inline struct storm_held *storm_adopt(struct storm_process *p, struct storm_file *f,
					     const struct labyrinth_buffer *buffer,
					     __u64 from)
{
	struct storm_held *held = &f->held[f->count];
	unsigned int i;

	if (!buffer->handle || buffer->flags ||
	    buffer->length != (__u64)page_size() << buffer->order)
		storm_fail(p, "what kind of buffer is handle %#llx, length %#llx, flags %#x?",
			   (unsigned long long)buffer->handle,
			   (unsigned long long)buffer->length, buffer->flags);
	for (i = 0; i < f->count; i++)
		if (f->held[i].buffer.handle == buffer->handle)
			storm_fail(p, "a handle twice: %#llx",
				   (unsigned long long)buffer->handle);
	storm_enter(p, f->device, buffer->offset, buffer->length, from, storm_me(p, f));
	__atomic_store_n(&p->storm->handles[p->number], buffer->handle, __ATOMIC_RELAXED);
	*held = (struct storm_held){ .buffer = *buffer };
	held->content = calloc(1, buffer->length);
	f->count++;
	f->pages += buffer->length / page_size();
	return held;
}

static inline struct storm_held *storm_find(struct storm_file *f, __u64 handle)
{
	unsigned int i;

	for (i = 0; i < f->count; i++)
		if (f->held[i].buffer.handle == handle)
			return &f->held[i];
	return NULL;
}

static inline struct storm_held *storm_any(struct storm_process *p, struct storm_file *f)
{
	return f->count ? &f->held[storm_pick(p, 0, f->count - 1)] : NULL;
}

/* Brings some buffers to the end of the array, at random: the number of them. */
static inline unsigned int storm_choose(struct storm_process *p, struct storm_file *f,
					unsigned int most)
{
	unsigned int wanted = storm_pick(p, 1, most), i, j;
	struct storm_held held;

	if (wanted > f->count)
		wanted = f->count;
	for (i = f->count; i > f->count - wanted; i--) {
		j = storm_pick(p, 0, i - 1);
		held = f->held[i - 1];
		f->held[i - 1] = f->held[j];
		f->held[j] = held;
	}
	return wanted;
}

#endif /* STORM_PAGES_H */
