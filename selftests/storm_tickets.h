/* SPDX-License-Identifier: GPL-2.0 */
/* Buffers that change hands in a storm, with what is in them. */
#ifndef STORM_TICKETS_H
#define STORM_TICKETS_H

#include "labyrinth_ticket.h"
#include "storm_pages.h"

/* Ends a ticket that nobody takes from. */
static inline void storm_ticket_drop(struct storm_process *p, int number, int fd)
{
	struct storm_ticket *ticket = &p->storm->tickets[number];
	__u32 i;

	for (i = 0; i < ticket->count; i++)
		storm_strike(p, ticket->device, ticket->offsets[i], ticket->lengths[i],
			     storm_owner_ticket(ticket->epoch, number));
	atomic_store(&ticket->used, false);
	close(fd);
}

/* What was given is the taker's, with the same content. */
static inline void storm_taken(struct storm_process *p, struct storm_file *f, int number,
			       const struct labyrinth_buffer *buffers)
{
	struct storm_ticket *ticket = &p->storm->tickets[number];
	unsigned char *content = ticket->content;
	struct storm_held *held;
	__u32 i, first = f->count;

	for (i = 0; i < ticket->count; i++) {
		if (buffers[i].offset != ticket->offsets[i] ||
		    buffers[i].length != ticket->lengths[i])
			storm_fail(p, "ticket %d: other buffers than those given", number);
		held = storm_adopt(p, f, &buffers[i], storm_owner_ticket(ticket->epoch, number));
		memcpy(held->content, content, buffers[i].length);
		content += buffers[i].length;
	}
	atomic_store(&ticket->used, false);
	for (i = first; i < f->count; i++)
		if (!storm_check(p, f, &f->held[i], "taken"))
			return;
}

/* Refused in some way first, now and then. */
static inline void storm_take_wrong(struct storm_process *p, struct storm_file *f,
				    struct storm_file *other, int fd, __u32 count)
{
	struct labyrinth_buffer buffers[STORM_TICKET_PAGES];
	__u32 room = count - 1;

	if (storm_once_in(p, 4) && other->fd >= 0 && !p->storm->may_go &&
	    (!raw_take(other->fd, fd, &room, buffers) || errno != EXDEV))
		storm_fail(p, "TAKE of another device's ticket: %s", strerror(errno));
	room = count - 1;
	if (storm_once_in(p, 4) && !p->storm->may_go &&
	    (!raw_take(f->fd, fd, &room, buffers) || errno != ENOSPC || room != count))
		storm_fail(p, "TAKE into too short an array: %s, %u", strerror(errno), room);
}

static inline void storm_take(struct storm_process *p, struct storm_file *files, int number,
			      int fd)
{
	struct storm_ticket *ticket = &p->storm->tickets[number];
	struct labyrinth_buffer buffers[STORM_TICKET_PAGES];
	struct storm_file *f = &files[ticket->device];
	__u32 count = STORM_TICKET_PAGES;

	if (f->fd < 0 || f->epoch != ticket->epoch || storm_once_in(p, 8) ||
	    f->count + ticket->count > STORM_HELD ||
	    f->pages + STORM_TICKET_PAGES > STORM_PAGES) {
		storm_ticket_drop(p, number, fd);
		return;
	}
	storm_take_wrong(p, f, &files[!ticket->device], fd, ticket->count);
	if (raw_take(f->fd, fd, &count, buffers)) {
		if (!storm_gone(p, f))
			storm_fail(p, "TAKE: %s", strerror(errno));
		storm_ticket_drop(p, number, fd);
		return;
	}
	if (count != ticket->count)
		storm_fail(p, "ticket %d holds %u buffers, not %u", number, count,
			   ticket->count);
	storm_taken(p, f, number, buffers);
	count = STORM_TICKET_PAGES;
	if (storm_once_in(p, 8) && f->fd >= 0 && !p->storm->may_go &&
	    (!raw_take(f->fd, fd, &count, buffers) || errno != ENOENT))
		storm_fail(p, "TAKE from an empty ticket: %s", strerror(errno));
	close(fd);
}

/* Takes what others have sent. */
static inline void storm_receive(struct storm_process *p, struct storm_file *files)
{
	struct peer inbox = { .line = p->storm->inboxes[p->number][1] };
	__u64 number;
	int fd;

	while (!peer_receive(&inbox, &number, &fd))
		storm_take(p, files, number, fd);
}

/* To another process, to ourselves, or to nobody. */
static inline void storm_send(struct storm_process *p, struct storm_file *files, int number,
			      int fd)
{
	unsigned int to = storm_pick(p, 0, p->storm->processes - 1);
	struct peer inbox = { .line = p->storm->inboxes[to][0] };

	if (storm_once_in(p, 8)) {
		storm_ticket_drop(p, number, fd);
	} else if (to == p->number || p->storm->light) {
		storm_take(p, files, number, fd);
	} else if (peer_send(&inbox, number, fd)) {
		if (errno != EAGAIN)
			storm_fail(p, "a ticket cannot be sent: %s", strerror(errno));
		storm_ticket_drop(p, number, fd);
	} else {
		close(fd);
	}
}

/* Describes the last buffers of a file as a ticket's. */
static inline void storm_describe(struct storm_process *p, struct storm_file *f,
				  int number, __u32 count, __u64 *handles)
{
	struct storm_ticket *ticket = &p->storm->tickets[number];
	unsigned char *content = ticket->content;
	__u32 i;

	ticket->device = f->device;
	ticket->epoch = f->epoch;
	ticket->count = count;
	for (i = 0; i < count; i++) {
		struct storm_held *held = &f->held[f->count - count + i];

		handles[i] = held->buffer.handle;
		ticket->offsets[i] = held->buffer.offset;
		ticket->lengths[i] = held->buffer.length;
		memcpy(content, held->content, held->buffer.length);
		content += held->buffer.length;
		storm_enter(p, f->device, held->buffer.offset, held->buffer.length,
			    storm_me(p, f), storm_owner_ticket(f->epoch, number));
	}
}

/* The last buffers of the file that may be given together. */
static inline __u32 storm_choose_gift(struct storm_process *p, struct storm_file *f)
{
	unsigned int count = storm_choose(p, f, 4), pages = 0, i;

	for (i = 0; i < count; i++) {
		struct storm_held *held = &f->held[f->count - 1 - i];

		pages += held->buffer.length / page_size();
		if (held->busy || pages > STORM_TICKET_PAGES)
			break;
		if (!storm_check(p, f, held, "before GIVE"))
			return 0;
	}
	return i;
}

static inline void storm_give(struct storm_process *p, struct storm_file *files,
			      struct storm_file *f)
{
	__u64 handles[STORM_TICKET_PAGES];
	__u32 count = storm_choose_gift(p, f), i;
	int number, fd;

	number = count ? storm_ticket_new(p->storm) : -1;
	if (number < 0)
		return;
	storm_describe(p, f, number, count, handles);
	fd = raw_give_handles(f->fd, count, handles);
	if (fd < 0) {
		/* Gone: then nobody else can have them in this epoch. */
		atomic_store(&p->storm->tickets[number].used, false);
		if (!storm_gone(p, f))
			storm_fail(p, "GIVE: %s", strerror(errno));
		return;
	}
	for (i = 0; i < count; i++)
		storm_forget(f, f->count - 1);
	storm_send(p, files, number, fd);
}

#endif /* STORM_TICKETS_H */
