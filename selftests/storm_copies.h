/* SPDX-License-Identifier: GPL-2.0 */
/* The device's copies in a storm: what arrives is what was sent, or nothing. */
#ifndef STORM_COPIES_H
#define STORM_COPIES_H

#include "storm_pages.h"

/* A copy that was cancelled: each byte of its destination is the old or the new one. */
static inline bool storm_settle(struct storm_process *p, struct storm_file *f,
				struct storm_held *dst, const struct storm_copy *copy)
{
	__u64 length = dst->buffer.length, i;
	unsigned char *found;

	if (!storm_map_arena(p, f))
		return false;
	found = malloc(length);
	if (storm_fill(found, f->arena + dst->buffer.offset, length)) {
		free(found);
		storm_faulted(p, f, dst->buffer.offset);
		return false;
	}
	for (i = 0; i < length; i++) {
		bool reached = i >= copy->dst_offset && i < copy->dst_offset + copy->length;

		if (found[i] != dst->content[i] &&
		    !(reached && found[i] == copy->bytes[i - copy->dst_offset]))
			storm_fail(p, "byte %llu of a cancelled copy is %#x", (unsigned long long)i,
				   found[i]);
	}
	memcpy(dst->content, found, length);
	free(found);
	return true;
}

/*
 * The copies that events have just been read of. None waits for its event any more, though
 * the device may go before all have been looked at.
 */
static inline void storm_take_copies(struct storm_process *p, struct storm_file *f,
				     unsigned int count, struct storm_copy *copies)
{
	if (count > f->copying)
		storm_fail(p, "%u events of %u copies", count, f->copying);
	memcpy(copies, f->copies, sizeof(*copies) * count);
	f->copying -= count;
	memmove(f->copies, f->copies + count, sizeof(*copies) * f->copying);
}

/* The oldest copy has ended. False once the device has gone. */
static inline bool storm_ended(struct storm_process *p, struct storm_file *f,
			       const struct storm_copy *copy,
			       const struct labyrinth_event *event)
{
	struct storm_held *src = storm_find(f, copy->src), *dst = storm_find(f, copy->dst);

	if (event->user_data != copy->user_data)
		storm_fail(p, "event %#llx is not that of the oldest copy",
			   (unsigned long long)event->user_data);
	if (event->type != LABYRINTH_EVENT_COPY)
		storm_fail(p, "event of type %u", event->type);
	if (src)
		src->busy--;
	if (dst)
		dst->busy--;
	if (event->result == -ENODEV && p->storm->may_go)
		return true;	/* the next call will tell */
	if (event->result && (event->result != -ECANCELED || (src && dst)))
		storm_fail(p, "result of a copy: %d", event->result);
	if (!dst)
		return true;
	if (event->result)
		return storm_settle(p, f, dst, copy);
	memcpy(dst->content + copy->dst_offset, copy->bytes, copy->length);
	return storm_check(p, f, dst, "copied");
}

/* Reads the events there are. False once the device has gone. */
static inline bool storm_events(struct storm_process *p, struct storm_file *f)
{
	struct labyrinth_event events[STORM_COPIES];
	struct storm_copy copies[STORM_COPIES];
	unsigned int count, i;
	ssize_t got;

	if (f->fd < 0 || !(poll_now(f->fd) & POLLIN))
		return f->fd >= 0;
	got = read(f->fd, events, sizeof(events));
	if (got <= 0 || got % sizeof(*events))
		storm_fail(p, "read of events: %zd, %s", got, strerror(errno));
	count = got / sizeof(*events);
	storm_take_copies(p, f, count, copies);
	for (i = 0; i < count; i++)
		if (!storm_ended(p, f, &copies[i], &events[i]))
			return false;
	return true;
}

/* Waits for all copies. */
static inline void storm_drain(struct storm_process *p, struct storm_file *f)
{
	struct labyrinth_event event;
	struct storm_copy copy;

	while (f->fd >= 0 && f->copying) {
		if (raw_event(f->fd, &event))
			storm_fail(p, "a copy does not end: %s", strerror(errno));
		storm_take_copies(p, f, 1, &copy);
		if (!storm_ended(p, f, &copy, &event))
			return;
	}
}

/* The page belongs to the device: a user's touch waits, the kernel's does not. */
static inline void storm_touch_fenced(struct storm_process *p, struct storm_file *f,
				      const struct storm_copy *copy, struct storm_held *dst)
{
	char *byte = f->arena + dst->buffer.offset + copy->dst_offset;
	int pipes[2], sig;

	if (storm_once_in(p, 2)) {
		if (pipe(pipes))
			storm_fail(p, "pipe: %s", strerror(errno));
		/* Late, it has ended, and may be written out. */
		if (write(pipes[1], byte, 1) != 1 && errno != EFAULT)
			storm_fail(p, "write from a fenced page: %s", strerror(errno));
		close(pipes[0]);
		close(pipes[1]);
		return;
	}
	sig = touch(byte, TOUCH_READ);
	if (sig) {
		storm_faulted(p, f, dst->buffer.offset);
		return;
	}
	/* Before its event there was nothing to be seen. */
	if (!(poll_now(f->fd) & POLLIN) && !p->storm->may_go)
		storm_fail(p, "a fenced page could be read during the copy");
}

static inline void storm_copy(struct storm_process *p, struct storm_file *f)
{
	struct labyrinth_copy cmd = { .size = sizeof(cmd) };
	struct storm_copy *copy = &f->copies[f->copying];
	struct storm_held *src, *dst;
	__u32 most;

	if (f->copying == STORM_COPIES || f->count < 2)
		return;
	storm_choose(p, f, 2);
	src = &f->held[f->count - 1];
	dst = storm_any(p, f);
	if (src == dst || src->busy || dst->busy || !storm_map_arena(p, f))
		return;
	most = src->buffer.length < dst->buffer.length ? src->buffer.length :
							  dst->buffer.length;
	if (most > STORM_COPY_MOST)
		most = STORM_COPY_MOST;
	if (!storm_once_in(p, 4))
		most = 2048;
	copy->length = storm_pick(p, 1, most);
	copy->dst_offset = storm_pick(p, 0, dst->buffer.length - copy->length);
	copy->src = src->buffer.handle;
	copy->dst = dst->buffer.handle;
	copy->user_data = random_next(&p->random);
	copy->fence = storm_once_in(p, 3);
	cmd.flags = copy->fence ? LABYRINTH_COPY_FENCE : 0;
	cmd.src_handle = copy->src;
	cmd.dst_handle = copy->dst;
	cmd.src_offset = storm_pick(p, 0, src->buffer.length - copy->length);
	cmd.dst_offset = copy->dst_offset;
	cmd.length = copy->length;
	cmd.user_data = copy->user_data;
	memcpy(copy->bytes, src->content + cmd.src_offset, copy->length);
	if (ioctl(f->fd, LABYRINTH_COPY, &cmd)) {
		if (!storm_gone(p, f))
			storm_fail(p, "COPY: %s", strerror(errno));
		return;
	}
	src->busy++;
	dst->busy++;
	f->copying++;
	if (copy->fence && storm_once_in(p, 4))
		storm_touch_fenced(p, f, copy, dst);
}

#endif /* STORM_COPIES_H */
