/* SPDX-License-Identifier: GPL-2.0 */
/* Arguments for the fuzzer: good ones, nearly good ones and hostile ones. */
#ifndef FUZZ_VALUES_H
#define FUZZ_VALUES_H

#include <sys/mman.h>

#include "labyrinth_fault.h"
#include "labyrinth_random.h"

#define FUZZ_HANDLES	24	/* remembered for each file */
#define FUZZ_PLAIN	(16 * page_size())
#define FUZZ_STRUCT	512	/* bytes; more than any struct and its longest tail */

/* Descriptors that all threads use and replace, by what they are. */
enum fuzz_slot {
	FUZZ_FIRST,			/* /dev/labyrinth0 */
	FUZZ_LASTING = FUZZ_FIRST,	/* never closed: the arena is a mapping of it */
	FUZZ_NONBLOCK = 3,
	FUZZ_READ_ONLY,
	FUZZ_SECOND,			/* /dev/labyrinth1 */
	FUZZ_FOREIGN = FUZZ_SECOND + 2,	/* opened by another process */
	FUZZ_TICKETS,
	FUZZ_OTHERS = FUZZ_TICKETS + 8,	/* other kinds of files, and none */
	FUZZ_FDS = FUZZ_OTHERS + 5
};

enum fuzz_call {
	FUZZ_INFO,
	FUZZ_STAT,
	FUZZ_UNKNOWN,
	FUZZ_ACQUIRE,
	FUZZ_RELEASE,
	FUZZ_COPY,
	FUZZ_GIVE,
	FUZZ_TAKE,
	FUZZ_MMAP,
	FUZZ_READ,
	FUZZ_CALLS
};

/* Shared by all threads. */
struct fuzz {
	__u64 seed;
	__u64 calls;		/* of each thread */
	bool copies;		/* let the device be busy */
	struct labyrinth_info info;
	char *arena;
	atomic_int fds[FUZZ_FDS];
	__aligned_u64 handles[FUZZ_TICKETS][FUZZ_HANDLES];
	atomic_uintptr_t views[16];	/* mappings; taken out of here while in use */
	atomic_ulong answers[FUZZ_CALLS][256];	/* how often each errno; 0: success */
	atomic_ulong done;
};

struct fuzzer {
	struct fuzz *fuzz;
	unsigned int number;
	__u64 random;
	int slot;		/* that the next call is for */
	char *plain;		/* FUZZ_PLAIN bytes of its own */
	char *edge;		/* a page with nothing behind it */
	char *read_only;
};

static inline __u32 fuzz_pick(struct fuzzer *z, __u32 least, __u32 most)
{
	return random_between(&z->random, least, most);
}

static inline bool fuzz_once_in(struct fuzzer *z, __u32 times)
{
	return random_once_in(&z->random, times);
}

static inline __u64 fuzz_number(struct fuzzer *z)
{
	static const __u64 numbers[] = {
		0, 1, 2, 7, 8, 255, 256, 257, 4094, 4095, 4096, 4097, 8192, 65535, 65536,
		65537, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000ULL,
		0x7fffffffffffffffULL, 0x8000000000000000ULL, 0xfffffffffffff000ULL, ~0ULL,
	};

	if (fuzz_once_in(z, 4))
		return random_next(&z->random);
	if (fuzz_once_in(z, 2))
		return fuzz_pick(z, 0, 4096);
	return numbers[fuzz_pick(z, 0, ARRAY_COUNT(numbers) - 1)];
}

static inline __u32 fuzz_count(struct fuzzer *z)
{
	if (!fuzz_once_in(z, 8))
		return fuzz_pick(z, 1, 6);
	return fuzz_once_in(z, 2) ? fuzz_pick(z, 0, 260) : (__u32)fuzz_number(z);
}

static inline __u32 fuzz_flags(struct fuzzer *z, __u32 known)
{
	__u32 flags = (__u32)random_next(&z->random) & known;

	return fuzz_once_in(z, 16) ? flags | 1U << fuzz_pick(z, 0, 31) : flags;
}

/* The file that a call is for; handles are chosen accordingly. */
static inline int fuzz_device(struct fuzzer *z)
{
	z->slot = fuzz_pick(z, FUZZ_FIRST, FUZZ_TICKETS - 1);
	if (z->slot == FUZZ_FOREIGN && !fuzz_once_in(z, 4))
		z->slot = FUZZ_FIRST;
	return atomic_load(&z->fuzz->fds[z->slot]);
}

/* Live, stale, another file's, another device's, or made up. */
static inline __u64 fuzz_handle(struct fuzzer *z)
{
	unsigned int slot = fuzz_once_in(z, 16) ? fuzz_pick(z, 0, FUZZ_TICKETS - 1) :
						  (unsigned int)z->slot;
	__u32 index = fuzz_pick(z, 0, FUZZ_HANDLES - 1);
	__u64 handle = __atomic_load_n(&z->fuzz->handles[slot][index], __ATOMIC_RELAXED);

	if (fuzz_once_in(z, 16))
		return handle + (1ULL << fuzz_pick(z, 0, 63));
	return fuzz_once_in(z, 32) ? fuzz_number(z) : handle;
}

static inline int fuzz_ticket(struct fuzzer *z)
{
	if (fuzz_once_in(z, 12))
		return atomic_load(&z->fuzz->fds[fuzz_pick(z, 0, FUZZ_FDS - 1)]);
	if (fuzz_once_in(z, 32))
		return (int)fuzz_number(z);
	return atomic_load(&z->fuzz->fds[fuzz_pick(z, FUZZ_TICKETS, FUZZ_OTHERS - 1)]);
}

/* What has been forgotten is closed. */
static inline void fuzz_put_fd(struct fuzzer *z, int slot, int fd)
{
	int old = atomic_exchange(&z->fuzz->fds[slot], fd);

	if (old >= 0)
		close(old);
}

/* A place somewhere in the arena: the middle of a buffer, a guard, its very end. */
static inline __u64 fuzz_offset(struct fuzzer *z)
{
	__u64 length = z->fuzz->info.arena_length;

	switch (fuzz_pick(z, 0, 7)) {
	case 0:
		return length - page_size() * fuzz_pick(z, 0, 2);
	case 1:
		return fuzz_number(z);
	case 2:
		return random_next(&z->random) % length;
	default:	/* where the first pages are handed out */
		return page_size() * fuzz_pick(z, 0, 600);
	}
}

/* Where nothing of ours can be, so that no answer is written over it. */
static inline char *fuzz_nowhere(struct fuzzer *z)
{
	uintptr_t page = fuzz_pick(z, 0, page_size() - 1);

	if (sizeof(page) > 4 && fuzz_once_in(z, 2))
		return (char *)(uintptr_t)(0xffff888000000000ULL + page);
	return (char *)(fuzz_once_in(z, 2) ? page : -page - 1);
}

/* Writes as far as memory goes. */
static inline void fuzz_store(void *to, const void *from, size_t size)
{
	const char *byte = from;
	size_t i;

	if (sigsetjmp(fault_return, 1))
		return;
	for (i = 0; i < size; i++)
		__atomic_store_n((char *)to + i, byte[i], __ATOMIC_RELAXED);
}

static inline void fuzz_load(void *to, const void *from, size_t size)
{
	char *byte = to;
	size_t i;

	memset(to, 0, size);
	if (sigsetjmp(fault_return, 1))
		return;
	for (i = 0; i < size; i++)
		byte[i] = __atomic_load_n((const char *)from + i, __ATOMIC_RELAXED);
}

/* An address for so many bytes, and those bytes at it where that can be. */
static inline void *fuzz_place(struct fuzzer *z, const void *bytes, size_t size)
{
	char *at = z->plain + fuzz_pick(z, 0, (FUZZ_PLAIN - size) / 8) * 8;
	__u32 choice = fuzz_pick(z, 0, 63);

	if (!choice)
		at = fuzz_nowhere(z);
	else if (choice == 1)
		at = z->read_only;
	else if (choice == 2)
		at = z->edge + page_size() - fuzz_pick(z, 0, size < page_size() ? size :
						       page_size());
	else if (choice < 8)
		at = z->fuzz->arena + fuzz_offset(z) % z->fuzz->info.arena_length;
	else if (choice < 16 && size <= page_size())
		at = z->edge + page_size() - size;
	else if (choice == 16)
		at += fuzz_pick(z, 1, 7) - 8 * (at > z->plain + FUZZ_PLAIN / 2);
	if (choice)
		fuzz_store(at, bytes, size);
	return at;
}

static inline bool fuzz_in_arena(struct fuzzer *z, const char *at)
{
	return at >= z->fuzz->arena && at < z->fuzz->arena + z->fuzz->info.arena_length;
}

/* A struct at some address, its first word right or not, with or without a tail. */
static inline void *fuzz_struct(struct fuzzer *z, void *from, __u32 size)
{
	__u32 tail = 0, *words = from;

	words[0] = size;
	switch (fuzz_pick(z, 0, 31)) {
	case 0:
		words[0] = size - fuzz_pick(z, 1, 8);
		break;
	case 1:
		words[0] = (__u32)fuzz_number(z);
		break;
	case 2:
	case 3:
		tail = fuzz_pick(z, 1, 64);
		words[0] = size + tail;
		break;
	case 4:
		tail = fuzz_pick(z, 1, 64);
		words[0] = size + tail;
		((char *)from)[size + fuzz_pick(z, 0, tail - 1)] = 1;
		break;
	}
	return fuzz_place(z, from, size + tail);
}

static inline void *fuzz_handles(struct fuzzer *z, __u32 count)
{
	__u64 handles[257];
	__u32 i;

	if (count > ARRAY_COUNT(handles))
		count = ARRAY_COUNT(handles);
	for (i = 0; i < count; i++)
		handles[i] = fuzz_handle(z);
	return fuzz_place(z, handles, count * sizeof(*handles));
}

#endif /* FUZZ_VALUES_H */
