/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the processes of a storm know together: who owns which page of which device. A
 * page is entered right after it has been acquired, and struck out right before it is
 * released. So if the kernel ever gives one to two owners, the second one finds it
 * entered already.
 */
#ifndef STORM_MODEL_H
#define STORM_MODEL_H

#include <stdarg.h>
#include <sys/mman.h>

#include "labyrinth_fault.h"
#include "labyrinth_peer.h"
#include "labyrinth_random.h"

#define STORM_DEVICES		2
#define STORM_MOST		32	/* processes */
#define STORM_TICKETS		64
#define STORM_TICKET_PAGES	8

enum storm_operation {
	STORM_START,
	STORM_ACQUIRE,
	STORM_RELEASE,
	STORM_MISUSE,
	STORM_WRITE,
	STORM_CHECK,
	STORM_MAP,
	STORM_STALE,
	STORM_COPY,
	STORM_EVENTS,
	STORM_GIVE,
	STORM_TAKE,
	STORM_STAT,
	STORM_FORK,
	STORM_CLOSE,
	STORM_END,
	STORM_OPERATIONS
};

static const char * const storm_names[STORM_OPERATIONS] = {
	"start", "acquire", "release", "misuse", "write", "check", "map", "stale", "copy",
	"events", "give", "take", "stat", "fork", "close", "end",
};

/* The buffers of a ticket on its way, and what is in their pages. */
struct storm_ticket {
	atomic_bool used;
	unsigned int device;
	__u32 epoch;
	__u32 count;
	__u64 offsets[STORM_TICKET_PAGES];
	__u64 lengths[STORM_TICKET_PAGES];
	unsigned char *content;		/* of all buffers, one after the other */
};

/* One page of a device's arena. */
struct storm_page {
	__aligned_u64 owner;
};

/* Shared by all processes. */
struct storm {
	unsigned int processes;
	__u64 operations;	/* of each process; 0: until @stop */
	__u64 seed;
	bool may_go;		/* devices are taken away and given back meanwhile */
	bool light;		/* files are closed often, and nothing is sent around */
	atomic_bool stop;
	atomic_bool rest;	/* close everything, and wait */
	atomic_uint sending;	/* processes that may still send tickets */
	atomic_uint epochs[STORM_DEVICES];	/* how often each device has gone */
	atomic_ulong done[STORM_MOST];
	atomic_int now[STORM_MOST];
	atomic_ulong counts[STORM_OPERATIONS];
	atomic_ulong refused;
	atomic_ulong deaths;			/* files whose device went */
	__u64 poisoned[STORM_DEVICES];		/* pages, before it began */
	__aligned_u64 handles[STORM_MOST];	/* one that each process has owned */
	int inboxes[STORM_MOST][2];
	struct storm_ticket tickets[STORM_TICKETS];
	size_t arena_pages;
	struct storm_page *arena[STORM_DEVICES];
};

struct storm_process {
	struct storm *storm;
	unsigned int number;
	__u64 random;
	__u64 generation;
	__u64 step;
};

static inline __u32 storm_pick(struct storm_process *p, __u32 least, __u32 most)
{
	return random_between(&p->random, least, most);
}

static inline bool storm_once_in(struct storm_process *p, __u32 times)
{
	return random_once_in(&p->random, times);
}

/* Says what is wrong, and how to have it again; the process ends. */
static inline void __attribute__((noreturn, format(printf, 2, 3)))
storm_fail(const struct storm_process *p, const char *format, ...)
{
	char text[512];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	fprintf(stderr, "# process %u, step %llu, %s: %s (LABYRINTH_SEED=%llu)\n", p->number,
		(unsigned long long)p->step,
		storm_names[atomic_load(&p->storm->now[p->number])], text,
		(unsigned long long)p->storm->seed);
	_exit(KSFT_FAIL);
}

static inline void *storm_share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Owners are processes and tickets; above the owner stands the device's epoch. */
static inline __u64 storm_owner_process(__u32 epoch, unsigned int number)
{
	return (__u64)epoch << 32 | (number + 1);
}

static inline __u64 storm_owner_ticket(__u32 epoch, unsigned int ticket)
{
	return (__u64)epoch << 32 | (ticket + 0x10000);
}

/* Nobody: what a device of an earlier epoch gave is gone. */
static inline bool storm_is_nobody(__u64 owner, __u64 next)
{
	return !(__u32)owner || owner >> 32 < next >> 32;
}

/*
 * Enters one page: it must have had that owner, or with 0, none. What was done to a
 * device may be entered when that has gone and come back already: then the entry is of
 * a later epoch, about the new device's page, and stays.
 */
static inline void storm_enter_page(struct storm_process *p, unsigned int device,
				    size_t page, __u64 from, __u64 to)
{
	__aligned_u64 *owner = &p->storm->arena[device][page].owner;
	__u64 was = __atomic_load_n(owner, __ATOMIC_SEQ_CST);

	do {
		if (was >> 32 > to >> 32)
			return;
		if (from ? was != from : !storm_is_nobody(was, to))
			storm_fail(p, "device %u page %zu: was %#llx's, not %#llx's", device,
				   page, (unsigned long long)was, (unsigned long long)from);
	} while (!__atomic_compare_exchange_n(owner, &was, to, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
}

/* Enters all pages of a buffer. */
static inline void storm_enter(struct storm_process *p, unsigned int device,
			       __u64 offset, __u64 length, __u64 from, __u64 to)
{
	size_t first = offset / page_size(), pages = length / page_size(), i;

	if (offset % page_size() || first + pages > p->storm->arena_pages)
		storm_fail(p, "device %u: no place in the arena: %#llx", device,
			   (unsigned long long)offset);
	for (i = first; i < first + pages; i++)
		storm_enter_page(p, device, i, from, to);
}

static inline void storm_strike(struct storm_process *p, unsigned int device,
				__u64 offset, __u64 length, __u64 from)
{
	storm_enter(p, device, offset, length, from, from >> 32 << 32);
}

/* A place for the description of a ticket, or -1. */
static inline int storm_ticket_new(struct storm *storm)
{
	int i;

	for (i = 0; i < STORM_TICKETS; i++)
		if (!atomic_exchange(&storm->tickets[i].used, true))
			return i;
	return -1;
}

/* Every byte of a page says whose it is: process, generation, page and place. */
static inline __u64 storm_stamp(unsigned int number, __u64 generation, unsigned int page,
				size_t place)
{
	return (__u64)place << 55 | (__u64)(number + 1) << 48 |
	       (generation & 0xffffffffffULL) << 8 | page;
}

static inline void storm_stamp_fill(struct storm_process *p, void *to, __u64 length)
{
	__u64 generation = ++p->generation;
	size_t words = page_size() / sizeof(__u64), i;
	unsigned int page;
	__u64 *word = to;

	for (page = 0; page < length / page_size(); page++)
		for (i = 0; i < words; i++)
			*word++ = storm_stamp(p->number, generation, page, i);
}

/* What is found where something else should be. */
static inline void __attribute__((noreturn))
storm_fail_content(struct storm_process *p, const char *when, unsigned int device,
		   __u64 offset, const void *found, const void *wanted, __u64 length)
{
	const __u64 *have = found, *want = wanted;
	size_t i = 0;

	while (i < length / sizeof(__u64) - 1 && have[i] == want[i])
		i++;
	storm_fail(p, "%s: device %u, %#llx byte %zu: %#llx (process %d, write %llu), not %#llx",
		   when, device, (unsigned long long)offset, i * sizeof(__u64),
		   (unsigned long long)have[i], (int)(have[i] >> 48 & 0x7f) - 1,
		   (unsigned long long)(have[i] >> 8 & 0xffffffffffULL),
		   (unsigned long long)want[i]);
}

#endif /* STORM_MODEL_H */
