/* SPDX-License-Identifier: GPL-2.0 */
/* One call, made again and again, with each of its chances to fail taken in turn. */
#ifndef LABYRINTH_SWEEP_H
#define LABYRINTH_SWEEP_H

#include <sys/mman.h>

#include "labyrinth_inject.h"

/* More than the driver keeps on its stack, of handles and of descriptions. */
#define BATCH		64

/* Calls have some dozens of chances. One that has so many never stops failing. */
#define MOST_CHANCES	400

/* What leaks once is no leak to kmemleak where an old stack still has its address. */
#define AGAIN		5

/* What the calls are made on. */
struct sweep {
	struct nth nth;
	int fd;
	int other;		/* a second file of the same device */
	int made;		/* what the call has made: a file, a ticket, an epoll set */
	struct labyrinth_info info;
	char *map;
	__u64 length;
	unsigned int count;	/* buffers below */
	struct labyrinth_buffer buffers[BATCH];
	__u64 handles[BATCH];
	struct labyrinth_stat before;
};

/**
 * struct call - what is tried again and again
 * @name: for the log
 * @prepare: before each try; may be NULL
 * @run: the call: 0, or -1 and errno. No other system call
 * @undo: after it has worked; may be NULL
 * @clean_up: undoes what @prepare has done; may be NULL
 * @errors: those it may fail with, up to a 0
 */
struct call {
	const char *name;
	void (*prepare)(struct __test_metadata *_metadata, struct sweep *self);
	int (*run)(struct sweep *self);
	void (*undo)(struct __test_metadata *_metadata, struct sweep *self);
	void (*clean_up)(struct __test_metadata *_metadata, struct sweep *self);
	int errors[4];
};

static inline void sweep_open(struct __test_metadata *_metadata, struct sweep *self)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	nth_require(_metadata, &self->nth);
	self->other = raw_open(0, O_RDWR);
	ASSERT_LE(0, self->other);
	test_info(self->fd, &self->info);
	/* Or a page of this program itself would be a chance. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT));
}

static inline void sweep_close(struct __test_metadata *_metadata, struct sweep *self)
{
	nth_end(_metadata, &self->nth);
	close(self->other);
	close(self->fd);
}

static inline bool call_may_fail_with(const struct call *call, int error)
{
	unsigned int i;

	for (i = 0; i < ARRAY_COUNT(call->errors) && call->errors[i]; i++)
		if (call->errors[i] == error)
			return true;
	return false;
}

/* A call that was refused has changed nothing. */
static inline void sweep_expect_unchanged(struct __test_metadata *_metadata, struct sweep *self)
{
	struct labyrinth_stat now;

	test_unchanged(self->fd, &self->before);
	test_stat(self->fd, &now);
	EXPECT_EQ(self->before.free, now.free);
	EXPECT_EQ(self->before.total, now.total);
	EXPECT_EQ(self->before.given, now.given);
	EXPECT_EQ(self->before.taken, now.taken);
}

static inline void sweep_undo(struct __test_metadata *_metadata, struct sweep *self,
			      const struct call *call)
{
	if (call->undo)
		call->undo(_metadata, self);
}

/* Whether the failure happened. */
static inline bool sweep_try(struct __test_metadata *_metadata, struct sweep *self,
			     const struct call *call, unsigned int n,
			     unsigned int *refused)
{
	int result, error;
	bool hit;

	test_stat(self->fd, &self->before);
	nth_set(_metadata, &self->nth, n);
	errno = 0;
	result = call->run(self);
	error = errno;
	hit = nth_end(_metadata, &self->nth);
	if (!result) {
		sweep_undo(_metadata, self, call);
		return hit;
	}
	(*refused)++;
	if (!hit || !call_may_fail_with(call, error))
		TH_LOG("%s, chance %u: errno %d", call->name, n, error);
	EXPECT_TRUE(hit);
	EXPECT_TRUE(call_may_fail_with(call, error));
	sweep_expect_unchanged(_metadata, self);
	ASSERT_EQ(0, call->run(self));
	sweep_undo(_metadata, self, call);
	return hit;
}

/* Whether the failure happened, the first time at least. */
static inline bool sweep_chance(struct __test_metadata *_metadata, struct sweep *self,
				const struct call *call, unsigned int n,
				unsigned int *refused)
{
	unsigned int times;
	bool hit = true;

	for (times = 0; hit && times < AGAIN; times++) {
		if (call->prepare)
			call->prepare(_metadata, self);
		hit = sweep_try(_metadata, self, call, n, refused);
		if (call->clean_up)
			call->clean_up(_metadata, self);
	}
	return times > 1;
}

static inline void sweep_call(struct __test_metadata *_metadata, struct sweep *self,
			      const struct call *call)
{
	unsigned int n = 0, refused = 0;

	do {
		ASSERT_GT(MOST_CHANCES, ++n);
	} while (sweep_chance(_metadata, self, call, n, &refused));
	TH_LOG("%s: %u failures injected, %u times each, %u refused", call->name, n - 1,
	       AGAIN, refused);
	EXPECT_LT(0, n - 1);
	if (call->errors[0])
		EXPECT_LT(0, refused);
	ASSERT_TRUE(wait_until(device_is_quiet(self->fd)));
}

#endif /* LABYRINTH_SWEEP_H */
