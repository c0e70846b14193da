/* SPDX-License-Identifier: GPL-2.0 */
/* One process of a storm: what it does, one random step after the other. */
#ifndef STORM_PROCESS_H
#define STORM_PROCESS_H

#include "storm_copies.h"
#include "storm_tickets.h"

#define STORM_AT_ONCE	8	/* buffers in one call */
#define STORM_PATIENCE	20	/* ms that an ACQUIRE may wait */

/* Fills in what to ask for, of what there is room for. */
static inline void storm_wish(struct storm_process *p, struct storm_file *f,
			      struct labyrinth_acquire *cmd)
{
	__u32 room = STORM_PAGES - f->pages, most = STORM_AT_ONCE;

	*cmd = (struct labyrinth_acquire){ .size = sizeof(*cmd) };
	if (storm_once_in(p, 8))
		cmd->order = storm_pick(p, 0, f->info.max_order < 3 ? f->info.max_order : 3);
	if (most > STORM_HELD - f->count)
		most = STORM_HELD - f->count;
	if (most > room >> cmd->order)
		most = room >> cmd->order;
	cmd->count = most ? storm_pick(p, 1, most) : 0;
	if (storm_once_in(p, 3))
		cmd->flags |= LABYRINTH_ACQUIRE_PARTIAL;
	if (storm_once_in(p, 2))
		cmd->flags |= LABYRINTH_ACQUIRE_NOWAIT;
	else
		cmd->deadline_ns = now_ns() + storm_pick(p, 0, STORM_PATIENCE) * NSEC_PER_MSEC;
	if (f->arena && storm_once_in(p, 2)) {
		cmd->flags |= LABYRINTH_ACQUIRE_POPULATE;
		cmd->arena_addr = (uintptr_t)f->arena;
	}
}

/* False once the device has gone. */
static inline bool storm_stat(struct storm_process *p, struct storm_file *f,
			      struct labyrinth_stat *stat)
{
	if (raw_stat(f->fd, stat)) {
		if (!storm_gone(p, f))
			storm_fail(p, "STAT: %s", strerror(errno));
		return false;
	}
	if (stat->total != stat_sum(stat))
		storm_fail(p, "device %u: %llu pages, but %llu in all states", f->device,
			   (unsigned long long)stat->total,
			   (unsigned long long)stat_sum(stat));
	if (stat->owned < f->pages || stat->charged < f->pages ||
	    stat->poisoned > p->storm->poisoned[f->device])
		storm_fail(p, "device %u: %u pages ours, %llu owned, %llu charged, %llu poisoned",
			   f->device, f->pages, (unsigned long long)stat->owned,
			   (unsigned long long)stat->charged,
			   (unsigned long long)stat->poisoned);
	return true;
}

/*
 * Whether it could not be met, whatever others give back. Since "before" no more has been
 * charged, others may only have taken what was given; and limits get no higher in a storm.
 */
static inline bool storm_is_hopeless(struct storm_process *p, struct storm_file *f,
				     const struct labyrinth_acquire *cmd,
				     const struct labyrinth_stat *before)
{
	__u32 least = cmd->flags & LABYRINTH_ACQUIRE_PARTIAL ? 1 : cmd->count;
	struct labyrinth_stat now;

	/* So many pages in one piece may not be found; and a device may be gone by now. */
	if (cmd->order || !storm_stat(p, f, &now))
		return true;
	return before->charged + least + now.reserve + now.poisoned > now.max;
}

static inline void storm_acquire_refused(struct storm_process *p, struct storm_file *f,
					 const struct labyrinth_acquire *cmd,
					 const struct labyrinth_stat *before)
{
	int error = errno;

	if (storm_gone(p, f))
		return;
	if (error != (cmd->flags & LABYRINTH_ACQUIRE_NOWAIT ? EAGAIN : ETIMEDOUT) &&
	    !(error == ENOMEM && storm_is_hopeless(p, f, cmd, before)))
		storm_fail(p, "ACQUIRE of %u buffers of order %u, flags %#x, %llu charged: %s",
			   cmd->count, cmd->order, cmd->flags,
			   (unsigned long long)before->charged, strerror(error));
	atomic_fetch_add(&p->storm->refused, 1);
}

/* Zero when handed out, stamped from then on. */
static inline void storm_acquire(struct storm_process *p, struct storm_file *f)
{
	struct labyrinth_buffer buffers[STORM_AT_ONCE];
	__u32 first = f->count, i;
	struct labyrinth_acquire cmd;
	struct labyrinth_stat before;

	if (!storm_stat(p, f, &before))
		return;
	storm_wish(p, f, &cmd);
	if (!cmd.count)
		return;
	cmd.buffers = (uintptr_t)buffers;
	if (ioctl(f->fd, LABYRINTH_ACQUIRE, &cmd)) {
		storm_acquire_refused(p, f, &cmd, &before);
		return;
	}
	if (!cmd.acquired || cmd.acquired > cmd.count ||
	    (cmd.acquired < cmd.count && !(cmd.flags & LABYRINTH_ACQUIRE_PARTIAL)))
		storm_fail(p, "%u buffers acquired of %u", cmd.acquired, cmd.count);
	/* All are entered before any is looked at. */
	for (i = 0; i < cmd.acquired; i++)
		storm_adopt(p, f, &buffers[i], 0);
	for (i = first; i < first + cmd.acquired; i++)
		if (!storm_check(p, f, &f->held[i], "not zero") ||
		    !storm_write(p, f, &f->held[i]))
			return;
}

/* Lets the last buffers go; one that had its own mapping leaves it behind, dead. */
static inline void storm_forget_last(struct storm_process *p, struct storm_file *f,
				     unsigned int count)
{
	while (count--) {
		struct storm_held *held = &f->held[f->count - 1];

		if (held->alone && !f->dead && held->buffer.length == page_size()) {
			f->dead = held->alone;
			held->alone = NULL;
		}
		storm_forget(f, f->count - 1);
	}
	if (f->dead && touch(f->dead, TOUCH_READ) != SIGBUS)
		storm_fail(p, "a released buffer's own mapping can be read");
}

static inline void storm_release(struct storm_process *p, struct storm_file *f)
{
	__u32 flags = storm_once_in(p, 8) ? LABYRINTH_RELEASE_IF_UNMAPPED : 0, i;
	unsigned int count = storm_choose(p, f, STORM_AT_ONCE);
	struct storm_held *last = &f->held[f->count - count];
	__u64 handles[STORM_AT_ONCE];

	for (i = 0; i < count; i++) {
		if (!storm_check(p, f, &last[i], "before RELEASE"))
			return;
		handles[i] = last[i].buffer.handle;
	}
	if (!count)
		return;
	for (i = 0; i < count; i++)
		storm_strike(p, f->device, last[i].buffer.offset, last[i].buffer.length,
			     storm_me(p, f));
	if (!raw_release_handles(f->fd, flags, count, handles)) {
		storm_forget_last(p, f, count);
	} else if (errno == EBUSY && flags) {
		for (i = 0; i < count; i++)
			storm_enter(p, f->device, last[i].buffer.offset,
				    last[i].buffer.length, 0, storm_me(p, f));
	} else if (!storm_gone(p, f)) {
		storm_fail(p, "RELEASE: %s", strerror(errno));
	}
}

/* An array with something wrong in it: refused, and nothing done. */
static inline void storm_misuse(struct storm_process *p, struct storm_file *f)
{
	unsigned int other = storm_pick(p, 0, p->storm->processes - 1);
	unsigned int count = storm_choose(p, f, STORM_AT_ONCE - 1), i;
	int expected = ENOENT, result;
	__u64 handles[STORM_AT_ONCE];

	for (i = 0; i < count; i++)
		handles[i] = f->held[f->count - 1 - i].buffer.handle;
	handles[count] = f->stale_handle;
	if (other != p->number && storm_once_in(p, 2))
		handles[count] = __atomic_load_n(&p->storm->handles[other],
						 __ATOMIC_RELAXED);
	if (count && storm_once_in(p, 4)) {
		handles[count] = handles[0];
		expected = EINVAL;
	} else if (storm_find(f, handles[count])) {
		return;		/* the other one's slot is ours by now, or on the other device */
	}
	if (storm_once_in(p, 2))
		result = raw_release_handles(f->fd, 0, count + 1, handles);
	else
		result = raw_give_handles(f->fd, count + 1, handles);
	if (result != -1 || (errno != expected && !storm_gone(p, f)))
		storm_fail(p, "%s expected for handle %#llx behind %u good ones, not %s",
			   strerror(expected), (unsigned long long)handles[count], count,
			   result == -1 ? strerror(errno) : "success");
}

/* A mapping comes or goes, of one buffer or of the arena. */
static inline void storm_map(struct storm_process *p, struct storm_file *f)
{
	struct storm_held *held = storm_any(p, f);

	if (f->arena && storm_once_in(p, 4)) {
		munmap(f->arena, f->info.arena_length);
		f->arena = NULL;
	} else if (held && held->alone) {
		munmap(held->alone, held->buffer.length);
		held->alone = NULL;
	} else if (held) {
		held->alone = raw_map(f->fd, PROT_READ | PROT_WRITE, held->buffer.length,
				      held->buffer.offset);
		if (held->alone != MAP_FAILED)
			return;
		held->alone = NULL;
		if (!storm_gone(p, f))
			storm_fail(p, "mmap of a buffer: %s", strerror(errno));
	} else {
		storm_map_arena(p, f);
	}
}

static inline bool storm_owns_place(const struct storm_file *f, __u64 offset)
{
	unsigned int i;

	for (i = 0; i < f->count; i++)
		if (offset >= f->held[i].buffer.offset &&
		    offset < f->held[i].buffer.offset + f->held[i].buffer.length)
			return true;
	return false;
}

/* What is not ours, or not any more, or lies behind a buffer, cannot be touched. */
static inline void storm_stale(struct storm_process *p, struct storm_file *f)
{
	struct storm_held *held = storm_any(p, f);
	__u64 offset = f->stale_offset;
	int sig;

	if (!storm_map_arena(p, f))
		return;
	if (held && storm_once_in(p, 2))
		offset = held->buffer.offset + held->buffer.length;
	else if (storm_once_in(p, 2))
		offset = storm_pick(p, 0, p->storm->arena_pages - 1) * page_size();
	if (storm_owns_place(f, offset))
		return;
	sig = touch(f->arena + offset, storm_once_in(p, 2) ? TOUCH_WRITE : TOUCH_READ);
	if (sig != SIGBUS)
		storm_fail(p, "device %u: %#llx is not ours and can be touched (signal %d)",
			   f->device, (unsigned long long)offset, sig);
	if (!f->dead)
		return;
	/* Whatever its place shows in the arena by now. */
	if (touch(f->dead, TOUCH_READ) != SIGBUS)
		storm_fail(p, "a released buffer's own mapping can be read again");
	if (storm_once_in(p, 2)) {
		munmap(f->dead, page_size());
		f->dead = NULL;
	}
}

/* A child inherits the descriptor and nothing else. */
static inline void storm_fork(struct storm_process *p, struct storm_file *f)
{
	struct storm_held *held = storm_any(p, f);
	int status, wrong = 0;
	struct labyrinth_info info;
	pid_t pid;

	if (!held || !storm_map_arena(p, f))
		return;
	pid = fork();
	if (!pid) {
		wrong |= touch(f->arena + held->buffer.offset, TOUCH_READ) != SIGSEGV;
		wrong |= (!raw_info(f->fd, &info) || errno != EPERM) << 1;
		wrong |= (raw_map(f->fd, PROT_READ, held->buffer.length,
				  held->buffer.offset) != MAP_FAILED) << 2;
		_exit(wrong);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status))
		storm_fail(p, "a child can use what is ours: %#x", status);
}

/* Everything goes back at once. The pages stay until the last mapping has gone too. */
static inline void storm_close(struct storm_process *p, struct storm_file *f)
{
	unsigned int i;
	int sig;

	for (i = 0; i < f->count; i++)
		if (!storm_check(p, f, &f->held[i], "before close"))
			return;
	/* A mapping keeps the file, and so the pages. */
	if (f->count && f->arena && storm_once_in(p, 2)) {
		close(f->fd);
		f->fd = -1;
		sig = touch(f->arena + f->held[0].buffer.offset, TOUCH_READ);
		if (sig && !p->storm->may_go)
			storm_fail(p, "a page has gone before its last mapping");
	}
	for (i = 0; i < f->count; i++)
		storm_strike(p, f->device, f->held[i].buffer.offset,
			     f->held[i].buffer.length, storm_me(p, f));
	storm_drop_file(f);
}

#endif /* STORM_PROCESS_H */
