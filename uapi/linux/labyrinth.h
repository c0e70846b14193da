/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Labyrinth: exclusive DMA page buffers, the interface to user space.
 *
 * Everything a program may rely on is in this file. Numbers, sizes and offsets
 * in it never change; structs only ever grow at their end.
 */
#ifndef _UAPI_LINUX_LABYRINTH_H
#define _UAPI_LINUX_LABYRINTH_H

#include <linux/const.h>
#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: The interface as a whole
 *
 * Opening ``/dev/labyrinthN`` gives a file through which one process acquires
 * buffers of device memory. A buffer is 2^order physically contiguous pages and
 * belongs to exactly one owner. A handle names one ownership of one buffer: it is
 * never 0, and never used again while the device lives. Once the ownership ends,
 * the handle is stale and every call answers ENOENT. With O_RDONLY pages can be looked
 * at only; O_WRONLY is EINVAL.
 *
 * **Extension.** Each struct begins with its own size in bytes, as the caller
 * compiled it, and with flags. A longer struct from a newer program works as long
 * as what this kernel does not know is zero.
 *
 * **Who may call.** Ioctls and mmap work only in the process (more exactly, the
 * address space) that opened the file. read(), poll() and close() work anywhere.
 *
 * **Errors.** An ioctl returns 0, or -1 and sets errno. These are common to all of
 * them, and it is the first that applies:
 *
 *  - ENOTTY: no such ioctl in this kernel; INFO's capabilities say what there is.
 *  - EFAULT: the struct cannot be read or written.
 *  - EINVAL: the struct is shorter than this kernel's first version of it.
 *  - E2BIG: bytes past what this kernel knows are not zero, or the size is over a
 *    page.
 *  - EOPNOTSUPP: a flag this kernel does not know, or does not do yet.
 *  - EPERM: not the process that opened the file.
 *  - ENODEV: the device is gone.
 *  - EINVAL: a field out of its range, a field that must be zero and is not, or a
 *    handle twice in one array.
 *  - EACCES: COPY to a buffer of a file that was opened O_RDONLY.
 *  - ENOENT: a handle that this file does not own.
 *  - EBUSY: the buffer is mapped, or in use by DMA or by KVM, and the call requires
 *    that it is not.
 *  - EDQUOT: over a quota that the administrator set for files or users.
 *  - ENOBUFS: over RLIMIT_MEMLOCK.
 *  - ENOMEM: the system has no memory for it, which may show before the arrays and
 *    handles are looked at, or the pool can never hold so much.
 *  - EAGAIN: not now, and the caller asked not to wait.
 *
 * An array that cannot be read or written is EFAULT too, found as it is used. With
 * every error, nothing was done.
 *
 * **Events.** read() returns whole &struct labyrinth_event, as many as there are and
 * fit, in the order the copies of this file were submitted. When there is none it
 * waits for one. Its errors:
 *
 *  - EINVAL: there is no room for one event.
 *  - EFAULT: the events cannot be written there; none is lost.
 *  - ENODEV: the device is gone, and every event has been read.
 *  - EAGAIN: there is no event, and O_NONBLOCK is set.
 *  - EINTR: a signal came while it waited.
 *
 * poll() reports POLLIN when an event waits, POLLOUT when acquiring one page would
 * not answer EAGAIN, and POLLOUT, POLLERR and POLLHUP once the device is gone.
 *
 * **mmap.** MAP_SHARED only, never executable. Either the whole arena (offset 0,
 * length from INFO), which shows every page exactly while this file owns it, or a
 * range inside one buffer that is owned at that moment (anything else is EACCES),
 * which dies with that ownership. Touching a page that is not owned, or the guard
 * page behind each buffer, is SIGBUS. Mappings are not inherited by fork.
 */

#define LABYRINTH_TYPE		0xED

#define LABYRINTH_ABI_VERSION	1	/* what INFO reports; grows with each addition */

/**
 * struct labyrinth_info - what this device can do
 * @size: sizeof(struct labyrinth_info), set by the caller
 * @flags: must be 0
 * @abi_version: LABYRINTH_ABI_VERSION of the kernel
 * @page_size: bytes in a page
 * @capabilities: LABYRINTH_CAP_* bits
 * @arena_length: bytes of the whole mmap offset space
 * @max_copy: longest COPY, in bytes
 * @max_pages: pages the pool may hold at most
 * @max_order: highest order ACQUIRE accepts
 * @max_batch: most entries in one array of buffers or handles
 * @max_request: most pages one waiting, all-or-nothing ACQUIRE may ask for
 * @file_quota: pages one open file may be charged for
 * @user_quota: pages one user may be charged for on this device, unless with
 *	CAP_SYS_RESOURCE; 0 means no limit
 * @copy_depth: copies and unread events one open file may have outstanding
 * @copy_chunk: bytes the device moves at a time; a COPY costs it two transfers for
 *	every chunk begun
 *
 * No bus or kernel address is ever shown.
 */
struct labyrinth_info {
	__u32 size;
	__u32 flags;
	__u32 abi_version;
	__u32 page_size;
	__aligned_u64 capabilities;
	__aligned_u64 arena_length;
	__aligned_u64 max_copy;
	__u32 max_pages;
	__u32 max_order;
	__u32 max_batch;
	__u32 max_request;
	__u32 file_quota;
	__u32 user_quota;
	__u32 copy_depth;
	__u32 copy_chunk;
};

#define LABYRINTH_INFO		_IO(LABYRINTH_TYPE, 0x00)	/* struct labyrinth_info */

/* Bits of labyrinth_info.capabilities: set when the kernel does it. */
#define LABYRINTH_CAP_COPY		_BITULL(0)	/* LABYRINTH_COPY and events */
#define LABYRINTH_CAP_PARTIAL		_BITULL(1)	/* LABYRINTH_ACQUIRE_PARTIAL */
#define LABYRINTH_CAP_CONTIGUOUS	_BITULL(2)	/* orders above 0 */
#define LABYRINTH_CAP_POPULATE		_BITULL(3)	/* LABYRINTH_ACQUIRE_POPULATE */
#define LABYRINTH_CAP_TICKETS		_BITULL(4)	/* LABYRINTH_GIVE and _TAKE */
#define LABYRINTH_CAP_FENCE		_BITULL(5)	/* LABYRINTH_COPY_FENCE */
#define LABYRINTH_CAP_SENTINEL		_BITULL(6)	/* sentinel mode can be switched on */
#define LABYRINTH_CAP_USER_QUOTA	_BITULL(7)	/* per-user quota and RLIMIT_MEMLOCK */

/**
 * struct labyrinth_stat - the pool's state and history in one snapshot
 * @size: sizeof(struct labyrinth_stat), set by the caller
 * @flags: must be 0
 * @total: pages in the pool; always @free + @owned + @ticketed + @kernel +
 *	@quarantined + @poisoned
 * @free: pages that belong to nobody, those set aside for waiters included
 * @owned: pages owned by open files
 * @ticketed: pages owned by tickets
 * @kernel: pages owned by in-kernel clients
 * @quarantined: released pages a DMA transfer may still reach
 * @poisoned: pages never handed out again
 * @charged: pages this open file is charged for
 * @waiters: ACQUIRE calls waiting now
 * @low: watermark: fewer free pages ask the interrupt handler for more
 * @high: watermark: refilling stops here, and what is above is given back
 * @reserve: watermark: the last free pages, for atomic in-kernel callers only
 * @max: pages the pool may hold at most
 * @acquired: pages handed out, ever
 * @released: pages given back, ever
 * @revoked: pages whose mappings were taken away when they were released or given
 * @scrubbed: pages overwritten before reuse
 * @irq_refills: handler runs that added pages
 * @irq_refill_pages: pages allocated with GFP_ATOMIC in the interrupt handler
 * @irq_hard: handler runs in hard interrupt context
 * @irq_threaded: handler runs in an interrupt thread (PREEMPT_RT, threadirqs)
 * @worker_refills: worker runs that added pages
 * @worker_refill_pages: pages allocated by the worker
 * @refill_failures: page allocations that failed, in the handler or the worker
 * @trimmed: pages given back to the system
 * @exhaustion_waits: ACQUIRE calls that had to wait
 * @exhaustion_fails: ACQUIRE calls refused with EAGAIN or ETIMEDOUT
 * @fragmentation_fails: ACQUIRE calls of order above 0 refused with ENOMEM
 * @steals: pages taken from another CPU's cache
 * @copies: COPY jobs that ended well
 * @copies_failed: COPY jobs that ended with an error
 * @copied_bytes: bytes moved by the COPY jobs counted in @copies
 * @chunks: chunks begun by the DMA engine
 * @chunks_outside: chunks begun outside the interrupt handler, because the engine
 *	was idle when a COPY came, after a suspend or after a timeout
 * @dma_timeouts: transfers that did not end in time
 * @given: pages moved into tickets
 * @taken: pages moved out of tickets
 * @shrunk: pages given back under memory pressure
 *
 * Pages are counted in their old state until a transition is complete. All
 * values are in pages or events, never in bytes, except @copied_bytes.
 */
struct labyrinth_stat {
	__u32 size;
	__u32 flags;
	__aligned_u64 total;
	__aligned_u64 free;
	__aligned_u64 owned;
	__aligned_u64 ticketed;
	__aligned_u64 kernel;
	__aligned_u64 quarantined;
	__aligned_u64 poisoned;
	__aligned_u64 charged;
	__aligned_u64 waiters;
	__aligned_u64 low;
	__aligned_u64 high;
	__aligned_u64 reserve;
	__aligned_u64 max;
	__aligned_u64 acquired;
	__aligned_u64 released;
	__aligned_u64 revoked;
	__aligned_u64 scrubbed;
	__aligned_u64 irq_refills;
	__aligned_u64 irq_refill_pages;
	__aligned_u64 irq_hard;
	__aligned_u64 irq_threaded;
	__aligned_u64 worker_refills;
	__aligned_u64 worker_refill_pages;
	__aligned_u64 refill_failures;
	__aligned_u64 trimmed;
	__aligned_u64 exhaustion_waits;
	__aligned_u64 exhaustion_fails;
	__aligned_u64 fragmentation_fails;
	__aligned_u64 steals;
	__aligned_u64 copies;
	__aligned_u64 copies_failed;
	__aligned_u64 copied_bytes;
	__aligned_u64 chunks;
	__aligned_u64 chunks_outside;
	__aligned_u64 dma_timeouts;
	__aligned_u64 given;
	__aligned_u64 taken;
	__aligned_u64 shrunk;
};

#define LABYRINTH_STAT		_IO(LABYRINTH_TYPE, 0x01)	/* struct labyrinth_stat */

/**
 * struct labyrinth_buffer - one owned buffer, as the kernel describes it
 * @handle: names this ownership
 * @offset: where the buffer lies in the arena, in bytes; the offset for mmap
 * @length: its length in bytes, 2^order pages
 * @order: the order it was acquired with
 * @flags: 0
 */
struct labyrinth_buffer {
	__aligned_u64 handle;
	__aligned_u64 offset;
	__aligned_u64 length;
	__u32 order;
	__u32 flags;
};

/* Flags of LABYRINTH_ACQUIRE. */
#define LABYRINTH_ACQUIRE_NOWAIT	0x1	/* EAGAIN instead of waiting */
#define LABYRINTH_ACQUIRE_PARTIAL	0x2	/* at least one is enough */
#define LABYRINTH_ACQUIRE_POPULATE	0x4	/* fill the arena mapping too */

/**
 * struct labyrinth_acquire - become the owner of buffers
 * @size: sizeof(struct labyrinth_acquire), set by the caller
 * @flags: LABYRINTH_ACQUIRE_*
 * @count: buffers wanted, 1 to max_batch
 * @order: each buffer is 2^order pages
 * @buffers: user pointer to an array of @count &struct labyrinth_buffer to fill
 * @deadline_ns: absolute CLOCK_MONOTONIC time to give up at, in nanoseconds; 0
 *	waits without limit. A time in the past tries once
 * @arena_addr: address of the arena mapping to fill with _POPULATE, otherwise 0
 * @acquired: set to the number of buffers acquired; means nothing after an error
 * @reserved: must be 0
 *
 * All or nothing: without _PARTIAL, either @count buffers are acquired or none.
 * The pages read as zeroes. Requests that must wait are served strictly in the
 * order they came.
 *
 * With _PARTIAL the call waits for one buffer, takes as many more as there are,
 * and is trimmed to the quotas.
 *
 * Errors besides the common ones: EAGAIN (would wait; O_NONBLOCK or _NOWAIT),
 * ETIMEDOUT (@deadline_ns passed), EINTR (signal), EINVAL (more than max_request
 * pages without _NOWAIT or _PARTIAL), EDQUOT, ENOMEM (could not be met even if
 * every other owner released; also while it waits, if limits are lowered).
 */
struct labyrinth_acquire {
	__u32 size;
	__u32 flags;
	__u32 count;
	__u32 order;
	__aligned_u64 buffers;
	__aligned_u64 deadline_ns;
	__aligned_u64 arena_addr;
	__u32 acquired;
	__u32 reserved;
};

#define LABYRINTH_ACQUIRE	_IO(LABYRINTH_TYPE, 0x02)	/* struct labyrinth_acquire */

/* Flags of LABYRINTH_RELEASE. */
#define LABYRINTH_RELEASE_IF_UNMAPPED	0x1	/* EBUSY instead of revoking */

/**
 * struct labyrinth_release - give buffers back
 * @size: sizeof(struct labyrinth_release), set by the caller
 * @flags: LABYRINTH_RELEASE_*
 * @count: handles in the array, 1 to max_batch
 * @reserved: must be 0
 * @handles: user pointer to an array of @count __u64 handles
 *
 * Every handle is checked before any is released. Before the call returns, no
 * mapping shows the pages any more. Copies that use a buffer and have not started
 * end with an event of -ECANCELED.
 *
 * Errors besides the common ones: ENOENT, EBUSY (_IF_UNMAPPED, and a page of a
 * buffer may be present in a mapping: it was touched, and not unmapped by its owner).
 */
struct labyrinth_release {
	__u32 size;
	__u32 flags;
	__u32 count;
	__u32 reserved;
	__aligned_u64 handles;
};

#define LABYRINTH_RELEASE	_IO(LABYRINTH_TYPE, 0x03)	/* struct labyrinth_release */

/* Flags of LABYRINTH_COPY. */
#define LABYRINTH_COPY_FENCE	0x1	/* keep the CPU off both ranges meanwhile */

/**
 * struct labyrinth_copy - let the device copy from one owned buffer to another
 * @size: sizeof(struct labyrinth_copy), set by the caller
 * @flags: LABYRINTH_COPY_*
 * @src_handle: buffer to read
 * @dst_handle: buffer to write; may be the same one if the ranges do not overlap
 * @src_offset: first byte to read, from the start of the buffer
 * @dst_offset: first byte to write, from the start of the buffer
 * @length: bytes to copy, 1 to max_copy
 * @user_data: comes back in the event
 *
 * Returns once the copy is queued. Its end is one &struct labyrinth_event. Until
 * that event has been read, it takes one of the file's copy_depth places.
 *
 * Meanwhile the CPU reaches both ranges too, and nothing says which of its bytes the
 * device reads, or overwrites. With LABYRINTH_COPY_FENCE every page that has a byte of
 * either range is the device's until the copy has ended, or the buffer is released. A
 * program that touches such a page waits until then, and handles signals meanwhile. A
 * system call that is to read or write there, such as read() with the page as its
 * buffer, does not wait: it gets EFAULT at once.
 *
 * Errors besides the common ones: EACCES (the file was opened O_RDONLY), EINVAL
 * (zero length, range outside its buffer, ranges overlap), EAGAIN (no place).
 */
struct labyrinth_copy {
	__u32 size;
	__u32 flags;
	__aligned_u64 src_handle;
	__aligned_u64 dst_handle;
	__aligned_u64 src_offset;
	__aligned_u64 dst_offset;
	__aligned_u64 length;
	__aligned_u64 user_data;
};

#define LABYRINTH_COPY		_IO(LABYRINTH_TYPE, 0x04)	/* struct labyrinth_copy */

/**
 * struct labyrinth_give - put owned buffers into a ticket
 * @size: sizeof(struct labyrinth_give), set by the caller
 * @flags: must be 0
 * @count: handles in the array, 1 to max_batch
 * @ticket_fd: set to the new ticket, which is close-on-exec; undefined on failure
 * @handles: user pointer to an array of @count __u64 handles
 *
 * The buffers keep their content, and no mapping of the giver shows them when the
 * call returns. Closing a ticket that nobody took from releases them.
 *
 * Errors besides the common ones: EMFILE, ENFILE (before the handles are looked at),
 * ENOENT, EBUSY (DMA in flight, or the kernel holds a reference to a page: KVM may).
 */
struct labyrinth_give {
	__u32 size;
	__u32 flags;
	__u32 count;
	__s32 ticket_fd;
	__aligned_u64 handles;
};

#define LABYRINTH_GIVE		_IO(LABYRINTH_TYPE, 0x05)	/* struct labyrinth_give */

/**
 * struct labyrinth_take - become the owner of what a ticket holds
 * @size: sizeof(struct labyrinth_take), set by the caller
 * @flags: must be 0
 * @ticket_fd: the ticket
 * @count: entries in the array, at most max_batch; set to the number the ticket holds,
 *	also on ENOSPC
 * @buffers: user pointer to an array of @count &struct labyrinth_buffer to fill
 *
 * All or nothing; each buffer gets a new handle. They come in the order they were
 * given.
 *
 * Errors besides the common ones: EINVAL (not a ticket), ENOENT (empty ticket),
 * EXDEV (ticket of another device), EBUSY (another TAKE of it is under way),
 * ENOSPC (@count is too small), EDQUOT (the ticket keeps the buffers).
 */
struct labyrinth_take {
	__u32 size;
	__u32 flags;
	__s32 ticket_fd;
	__u32 count;
	__aligned_u64 buffers;
};

#define LABYRINTH_TAKE		_IO(LABYRINTH_TYPE, 0x06)	/* struct labyrinth_take */

/* Values of labyrinth_event.type. */
#define LABYRINTH_EVENT_COPY	1	/* a COPY has ended */

/**
 * struct labyrinth_event - what read() returns
 * @user_data: as given to the ioctl that caused the event
 * @timestamp_ns: CLOCK_MONOTONIC of the end, in nanoseconds, in the time namespace
 *	of the reader
 * @type: LABYRINTH_EVENT_*
 * @result: 0, or a negative errno: -ECANCELED (a buffer was released), -ETIMEDOUT
 *	(the device did not finish), -ENODEV (the device is gone)
 */
struct labyrinth_event {
	__aligned_u64 user_data;
	__aligned_u64 timestamp_ns;
	__u32 type;
	__s32 result;
};

#endif /* _UAPI_LINUX_LABYRINTH_H */
