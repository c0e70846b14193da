/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the library share. Shared functions are called liblabyrinth_*,
 * because a static library cannot hide their names from the program.
 */
#ifndef LIBLABYRINTH_INTERNAL_H
#define LIBLABYRINTH_INTERNAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "labyrinth.h"

#define EXPORT		__attribute__((visibility("default")))

#define DEVICE_PREFIX	"labyrinth"
#define DEVICE_FOLDER	"/dev"

/* Buffers handled at a time on the stack; more than most programs take at once. */
#define BATCH		64

struct labyrinth_buf {
	struct labyrinth_device *dev;
	uint64_t handle;		/* 0 while not owned; in a cache, see there */
	void *data;
	uint64_t length;
};

enum job_state {
	JOB_FREE,
	JOB_STARTED,			/* its event is for labyrinth_events_read() */
	JOB_WAITED,			/* labyrinth_copy() waits for its event */
	JOB_DONE,			/* labyrinth_copy() can take its result */
	JOB_ABANDONED,			/* labyrinth_copy() was interrupted */
};

/*
 * A copy in flight. The kernel gets the index of the job as user_data, so that no
 * value the caller chose can be taken for a copy the library itself waits for.
 */
struct copy_job {
	uint64_t user_data;
	enum job_state state;
	int result;
	unsigned int next_free;
};

/*
 * The calls that acquire and release need no lock: an entry of @bufs is written only
 * by who owns the buffer, and the kernel has one owner at a time. The copy fields
 * belong to the one thread that may call the copy and event functions.
 */
struct labyrinth_device {
	int fd;
	unsigned int page_shift;
	unsigned int max_batch;
	uint64_t capabilities;
	unsigned char *arena;		/* NULL: each buffer is mapped by itself */
	size_t arena_length;
	struct labyrinth_buf *bufs;	/* one for every page of the arena */
	size_t buf_count;
	pid_t opener;

	unsigned int copy_depth;
	struct copy_job *jobs;		/* copy_depth of them */
	unsigned int first_free_job;	/* copy_depth: none */
	unsigned int busy_jobs;
	struct labyrinth_event *kept;	/* ring of copy_depth events, for the caller */
	unsigned int kept_first;
	unsigned int kept_count;

	char path[];
};

/* error.c */
int liblabyrinth_fail(int error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* explain.c: all set errno to @error, and return -1 */
int liblabyrinth_fail_call(struct labyrinth_device *dev, int error, const char *call);
int liblabyrinth_fail_acquire(struct labyrinth_device *dev, int error,
			      const struct labyrinth_acquire *request);
int liblabyrinth_fail_copy(struct labyrinth_device *dev, int error,
			   const struct labyrinth_copy *copy);
int liblabyrinth_fail_give(struct labyrinth_device *dev, int error, unsigned int count);
int liblabyrinth_fail_take(struct labyrinth_device *dev, int error,
			   const struct labyrinth_take *take, unsigned int max);
int liblabyrinth_fail_open(const char *path, int error);

/* As they do, for a @call with buffers of both */
int liblabyrinth_fail_apart(const char *call, const struct labyrinth_device *first,
			    const struct labyrinth_device *second);

/* buf.c */
int liblabyrinth_bufs_adopt(struct labyrinth_device *dev, struct labyrinth_buf **bufs,
			    const struct labyrinth_buffer *buffers, unsigned int count);

/* event.c */
int liblabyrinth_jobs_init(struct labyrinth_device *dev, unsigned int depth);
void liblabyrinth_jobs_free(struct labyrinth_device *dev);
struct copy_job *liblabyrinth_job_get(struct labyrinth_device *dev, enum job_state state,
				      uint64_t user_data);
void liblabyrinth_job_put(struct labyrinth_device *dev, struct copy_job *job);
int liblabyrinth_events_pull(struct labyrinth_device *dev, int timeout_ms);

/* find.c */
bool liblabyrinth_module_loaded(void);

#endif /* LIBLABYRINTH_INTERNAL_H */
