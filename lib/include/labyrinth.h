/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * liblabyrinth: exclusive DMA page buffers for programs.
 *
 * The library adds to <linux/labyrinth.h> what every program needs: it finds the
 * device, maps the arena once, keeps track of buffers, turns the events of copies
 * back into answers, and says in words what went wrong.
 */
#ifndef LABYRINTH_H
#define LABYRINTH_H

#include <stddef.h>
#include <stdint.h>

#include <linux/labyrinth.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * DOC: What holds for every function
 *
 * **Errors.** A function that fails returns -1 (or NULL, where it returns a pointer),
 * sets errno, and leaves a text for labyrinth_strerror(). A function that does not
 * fail changes neither. Nothing was done when a function failed, unless it says
 * otherwise. Any call that reaches the device can fail with:
 *
 *  - EPERM: not the process that opened the device; see "Processes".
 *  - ENODEV: the device was unplugged or unbound. Only closing it makes sense then.
 *  - ENOTTY, EOPNOTSUPP: the loaded module does not do this (yet).
 *
 * **Signals.** A call that waits returns -1 with EINTR when a signal handler ran, so
 * that a program can react to it. The library never restarts a wait by itself, and
 * calls that do not wait never fail with EINTR.
 *
 * **Threads.** Different devices, and the same device opened twice, are independent.
 * One handle may be used by any number of threads at once for all functions but
 * these, which are for one thread at a time: labyrinth_device_close(), and the copy
 * and event functions among themselves (labyrinth_copy*(), labyrinth_events_*()).
 * Threads that copy at the same time open the device once each. A cache is for one
 * thread; each has its own, of the same handle or of different ones. One buffer must
 * not be used by one thread while another releases it.
 *
 * **Processes.** A device works only in the process that opened it. A child made by
 * fork() inherits neither its buffers nor the memory behind labyrinth_buf_data();
 * there, labyrinth_device_close() is the only function to call.
 *
 * **Ownership.** A &struct labyrinth_device belongs to the caller until
 * labyrinth_device_close(). A &struct labyrinth_buf belongs to the caller until it is
 * released or given away, or its device is closed; its memory may then hold another
 * buffer, so such a pointer must not be used. A ticket is a file descriptor that owns
 * the buffers in it, on their way from one opener of the device to another, in this
 * process or in any that is sent the descriptor.
 */

/* An open device. Opaque. */
struct labyrinth_device;

/*
 * One owned buffer: 2^order physically contiguous pages. Opaque.
 *
 * Not to be confused with &struct labyrinth_buffer, the kernel's description of one.
 */
struct labyrinth_buf;

/* Pages that one thread keeps at hand; see labyrinth_cache_create(). Opaque. */
struct labyrinth_cache;

/**
 * struct labyrinth_acquire_options - how labyrinth_bufs_acquire() acquires
 * @size: sizeof(struct labyrinth_acquire_options)
 * @flags: LABYRINTH_ACQUIRE_NOWAIT (EAGAIN instead of waiting) and
 *	LABYRINTH_ACQUIRE_PARTIAL (at least one is enough), or 0
 * @order: each buffer is 2^order pages; at most max_order of &struct labyrinth_info
 * @reserved: must be 0
 * @deadline_ns: CLOCK_MONOTONIC time to give up at, in nanoseconds; 0 waits without
 *	limit
 */
struct labyrinth_acquire_options {
	uint32_t size;
	uint32_t flags;
	uint32_t order;
	uint32_t reserved;
	uint64_t deadline_ns;
};

/**
 * labyrinth_devices_list() - find the devices there are
 * @numbers: array for the N of each /dev/labyrinthN, ascending; NULL if @max is 0
 * @max: entries in @numbers
 *
 * Return: how many devices there are, which may be more than @max; -1 on error.
 */
int labyrinth_devices_list(unsigned int *numbers, size_t max);

/**
 * labyrinth_device_open() - open a device by path
 * @path: such as "/dev/labyrinth0"
 *
 * Maps the arena too. Where RLIMIT_MEMLOCK, RLIMIT_AS or mlockall() forbid that, each
 * buffer is mapped when it is acquired, which costs more and is otherwise the same.
 *
 * Errors: those of open(2); ENOTTY (not a labyrinth device).
 *
 * Return: the device, to be closed with labyrinth_device_close(); NULL on error.
 */
struct labyrinth_device *labyrinth_device_open(const char *path);

/**
 * labyrinth_device_open_number() - open /dev/labyrinthN
 * @number: the N
 *
 * Errors: ENODEV (there is no such device), and as labyrinth_device_open().
 *
 * Return: as labyrinth_device_open().
 */
struct labyrinth_device *labyrinth_device_open_number(unsigned int number);

/**
 * labyrinth_device_open_only() - open the only device there is
 *
 * Errors: ENODEV (there is none), ENOTUNIQ (there are several; the text lists them),
 * and as labyrinth_device_open().
 *
 * Return: as labyrinth_device_open().
 */
struct labyrinth_device *labyrinth_device_open_only(void);

/**
 * labyrinth_device_close() - close a device and release all its buffers
 * @dev: the device, or NULL
 *
 * No buffer of @dev, nor the memory of one, may be used afterwards, and no cache:
 * destroy those first. The pages in one that was not destroyed are released all the
 * same.
 */
void labyrinth_device_close(struct labyrinth_device *dev);

/**
 * labyrinth_device_fd() - the file descriptor, for poll()
 * @dev: the device
 *
 * POLLIN: the event of a copy waits, unless labyrinth_events_pending() says that there
 * are some already. POLLOUT: a page can be had without waiting. POLLERR and POLLHUP:
 * the device is gone. Do not read() from it or submit LABYRINTH_COPY to it while using
 * the copy functions, and do not close it.
 *
 * Return: the descriptor, which belongs to @dev.
 */
int labyrinth_device_fd(const struct labyrinth_device *dev);

/**
 * labyrinth_device_path() - the path the device was opened by
 * @dev: the device
 *
 * Return: the path, which belongs to @dev.
 */
const char *labyrinth_device_path(const struct labyrinth_device *dev);

/**
 * labyrinth_device_info() - what the device can do
 * @dev: the device
 * @info: filled in; see &struct labyrinth_info
 * @size: sizeof(struct labyrinth_info), so that both can grow
 *
 * Fields newer than the loaded module are 0.
 *
 * Return: 0, or -1 on error.
 */
int labyrinth_device_info(struct labyrinth_device *dev, struct labyrinth_info *info,
			  size_t size);

/**
 * labyrinth_device_stat() - the state of the pool and all counters, in one snapshot
 * @dev: the device
 * @stat: filled in; see &struct labyrinth_stat
 * @size: sizeof(struct labyrinth_stat), so that both can grow
 *
 * Fields newer than the loaded module are 0.
 *
 * Return: 0, or -1 on error.
 */
int labyrinth_device_stat(struct labyrinth_device *dev, struct labyrinth_stat *stat,
			  size_t size);

/**
 * labyrinth_buf_acquire() - become the owner of one page
 * @dev: the device
 *
 * Waits, first come first served, until there is one. It reads as zeroes.
 *
 * Errors: EAGAIN (O_NONBLOCK is set on labyrinth_device_fd()), EINTR, EDQUOT, ENOBUFS,
 * ENOMEM; see &struct labyrinth_acquire.
 *
 * Return: the buffer, to be released with labyrinth_buf_release(); NULL on error.
 */
struct labyrinth_buf *labyrinth_buf_acquire(struct labyrinth_device *dev);

/**
 * labyrinth_bufs_acquire() - become the owner of several buffers
 * @dev: the device
 * @count: buffers wanted, 1 to max_batch of &struct labyrinth_info
 * @options: how; NULL waits for single pages without limit
 * @bufs: array of @count, filled from the start
 *
 * All or nothing, unless LABYRINTH_ACQUIRE_PARTIAL is set.
 *
 * Errors: EAGAIN (LABYRINTH_ACQUIRE_NOWAIT, or O_NONBLOCK is set on
 * labyrinth_device_fd()), ETIMEDOUT (the deadline passed), EINTR, EINVAL, EOPNOTSUPP
 * (another flag than those two), E2BIG (options of a newer library), EDQUOT, ENOBUFS,
 * ENOMEM; see &struct labyrinth_acquire.
 *
 * Return: the number of buffers acquired, or -1 on error.
 */
int labyrinth_bufs_acquire(struct labyrinth_device *dev, unsigned int count,
			   const struct labyrinth_acquire_options *options,
			   struct labyrinth_buf **bufs);

/**
 * labyrinth_buf_release() - give a buffer back
 * @buf: the buffer, or NULL
 *
 * No mapping shows the memory any more when the call returns; touching it is SIGBUS,
 * or SIGSEGV where it was mapped by itself. Copies of it that wait end with ECANCELED.
 *
 * On failure the buffer is as it was.
 *
 * Return: 0, or -1 on error.
 */
int labyrinth_buf_release(struct labyrinth_buf *buf);

/**
 * labyrinth_bufs_release() - give several buffers back
 * @bufs: array of buffers; a NULL entry is skipped
 * @count: entries in @bufs
 *
 * Goes through the array in batches. Each entry given back is set to NULL, so that on
 * failure the array says what is left.
 *
 * Return: 0 when all were released, or -1 on error.
 */
int labyrinth_bufs_release(struct labyrinth_buf **bufs, size_t count);

/**
 * labyrinth_bufs_give() - put buffers into a ticket, for somebody else to take
 * @bufs: array of buffers of one open device
 * @count: entries in @bufs, 1 to max_batch of &struct labyrinth_info
 *
 * All or nothing. The buffers keep their content; no mapping of this process shows them
 * when the call returns, and every entry is set to NULL. Send the descriptor with
 * SCM_RIGHTS, or pass it on by fork(). When its last copy is closed and nobody has taken
 * the buffers, they are released. Until they are taken, this open device is charged.
 *
 * Errors: EBUSY (the device still copies from or to one of them, or a nested KVM guest
 * uses it), EINVAL (none, too many, an entry twice or NULL), EXDEV (buffers of two devices,
 * or of two opens of one), EMFILE, ENFILE, ENOMEM.
 *
 * Return: the ticket, a close-on-exec file descriptor that belongs to the caller; -1 on
 * error, and every buffer is as it was.
 */
int labyrinth_bufs_give(struct labyrinth_buf **bufs, unsigned int count);

/**
 * labyrinth_bufs_take() - become the owner of what a ticket holds
 * @dev: the device the buffers are of, opened by whoever takes them
 * @ticket: the ticket, which stays open and is empty afterwards
 * @bufs: array of @max, filled from the start in the order they were given
 * @max: entries in @bufs; max_batch of &struct labyrinth_info is always enough
 *
 * All or nothing. Where buffers are mapped one by one and that fails, they have been
 * released.
 *
 * Errors: EINVAL (not a ticket), ENOENT (taken already), EXDEV (a ticket of another
 * device), EBUSY (somebody else is taking it right now), ENOSPC (@max is too small, and
 * the text says what is not), EDQUOT, ENOBUFS (the ticket keeps the buffers).
 *
 * Return: the number of buffers taken, or -1 on error.
 */
int labyrinth_bufs_take(struct labyrinth_device *dev, int ticket,
			struct labyrinth_buf **bufs, unsigned int max);

/**
 * labyrinth_ticket_count() - how many buffers a ticket holds
 * @dev: the device the buffers are of
 * @ticket: the ticket
 *
 * Somebody else may take them before this process does.
 *
 * Errors: EINVAL (not a ticket), ENOENT (taken already), EXDEV (a ticket of another
 * device), EBUSY (somebody else is taking it right now).
 *
 * Return: the number of buffers, at least 1; -1 on error.
 */
int labyrinth_ticket_count(struct labyrinth_device *dev, int ticket);

/**
 * labyrinth_cache_create() - make an empty cache of single pages
 * @dev: the device, which must stay open until the cache is destroyed
 * @size: pages to keep at most, at least 1
 *
 * A thread that acquires and releases single pages all the time does so through a
 * cache without a system call. The cache asks for pages in batches when it is empty,
 * and gives the oldest back in batches when it is full: half of @size each time, but
 * not more than max_batch of &struct labyrinth_info.
 *
 * A cache is for one thread. The pages in it are still owned through @dev: they count
 * against its quotas, and nobody else can have them. **They are not scrubbed**: a page
 * from the cache holds what was in it when it was put there, or zeroes if it has just
 * come from the device. Whoever gives such a page away gives that away with it.
 *
 * Errors: EINVAL (@size is 0), ENOMEM.
 *
 * Return: the cache, to be destroyed with labyrinth_cache_destroy(); NULL on error.
 */
struct labyrinth_cache *labyrinth_cache_create(struct labyrinth_device *dev,
					       unsigned int size);

/**
 * labyrinth_cache_acquire() - take a page from a cache
 * @cache: the cache
 *
 * It is the page put there last; when the cache is empty, it acquires a batch first, or
 * what there is of it, and waits as labyrinth_buf_acquire() does until there is one page.
 * Where a page is in the cache, it is returned even when the device is gone.
 *
 * The buffer is like any other. It need not come back to the cache:
 * labyrinth_buf_release() and labyrinth_bufs_give() do with it what they always do.
 *
 * Errors, only when the cache is empty: EAGAIN (O_NONBLOCK is set on
 * labyrinth_device_fd()), EINTR, EDQUOT, ENOBUFS, ENOMEM; see &struct labyrinth_acquire.
 *
 * Return: the buffer, one page; NULL on error.
 */
struct labyrinth_buf *labyrinth_cache_acquire(struct labyrinth_cache *cache);

/**
 * labyrinth_cache_release() - put a page into a cache
 * @cache: the cache
 * @buf: a buffer of one page of the cache's device, wherever it came from
 *
 * The memory is neither scrubbed nor taken out of mappings, yet it must not be used any
 * more: the next labyrinth_cache_acquire() returns it. Copies of it go on, so wait for
 * their end before. Until it is acquired again, it is for all other functions as if it
 * were released.
 *
 * On failure the buffer is as it was.
 *
 * Errors: EINVAL (NULL, a buffer of another open device, of several pages, or one that
 * was released before). When the cache is full, also those of labyrinth_buf_release().
 *
 * Return: 0, or -1 on error.
 */
int labyrinth_cache_release(struct labyrinth_cache *cache, struct labyrinth_buf *buf);

/**
 * labyrinth_cache_drain() - give back every page that is in a cache
 * @cache: the cache, which can be used as before
 *
 * The pages are scrubbed, and anybody can have them. On failure, those that could not
 * be given back are still in the cache.
 *
 * Return: 0 when the cache is empty, or -1 on error.
 */
int labyrinth_cache_drain(struct labyrinth_cache *cache);

/**
 * labyrinth_cache_destroy() - drain a cache, and free it
 * @cache: the cache, or NULL
 *
 * Pages that were acquired from it and did not come back remain the caller's. Those that
 * cannot be given back, because the device is gone, go when it is closed.
 */
void labyrinth_cache_destroy(struct labyrinth_cache *cache);

/**
 * labyrinth_buf_data() - where the buffer's memory is
 * @buf: the buffer
 *
 * The memory belongs to this process alone, until the buffer is released. When the
 * device is unplugged, touching it is SIGBUS. It cannot be pinned: O_DIRECT and
 * registered io_uring buffers do not work on it.
 *
 * Return: the address, which is page aligned.
 */
void *labyrinth_buf_data(const struct labyrinth_buf *buf);

/**
 * labyrinth_buf_size() - how much memory it is
 * @buf: the buffer
 *
 * Return: the length in bytes.
 */
size_t labyrinth_buf_size(const struct labyrinth_buf *buf);

/**
 * labyrinth_buf_handle() - the kernel's name for this ownership
 * @buf: the buffer
 *
 * For ioctls made directly. Only the library's functions may end the ownership.
 *
 * Return: the handle, never 0.
 */
uint64_t labyrinth_buf_handle(const struct labyrinth_buf *buf);

/**
 * labyrinth_copy() - let the device copy between two buffers, and wait for the end
 * @dst: buffer to write
 * @dst_offset: first byte to write, from the start of the buffer
 * @src: buffer to read; may be @dst if the ranges do not overlap
 * @src_offset: first byte to read, from the start of the buffer
 * @length: bytes to copy, 1 to max_copy of &struct labyrinth_info
 *
 * Events of other copies that arrive meanwhile are kept for labyrinth_events_read().
 *
 * Errors: EINTR (the wait was interrupted; the copy goes on, and its end will not be
 * told), EINVAL (range), EXDEV (buffers of two devices, or of two opens of one), EAGAIN
 * (no place, see labyrinth_copy_start()), ECANCELED (a buffer was released), ETIMEDOUT
 * (the device did not finish).
 *
 * Return: 0 when the bytes have been copied, or -1 on error.
 */
int labyrinth_copy(struct labyrinth_buf *dst, size_t dst_offset,
		   struct labyrinth_buf *src, size_t src_offset, size_t length);

/**
 * labyrinth_copy_start() - let the device copy between two buffers, without waiting
 * @dst: buffer to write
 * @dst_offset: first byte to write, from the start of the buffer
 * @src: buffer to read; may be @dst if the ranges do not overlap
 * @src_offset: first byte to read, from the start of the buffer
 * @length: bytes to copy, 1 to max_copy of &struct labyrinth_info
 * @user_data: comes back in the event
 *
 * The copy ends with exactly one event, in the order the copies started; until that has
 * been read, it takes one of the copy_depth places. What fails once it is queued is in the
 * event's result. Until then both ranges are the device's: nothing says what it has read
 * or written. LABYRINTH_COPY_FENCE, see labyrinth(4), would keep the program off them.
 *
 * Errors: EAGAIN (no place: read events first), EINVAL (range), EXDEV (buffers of two
 * devices, or of two opens of one).
 *
 * Return: 0 when the copy is queued, or -1 on error.
 */
int labyrinth_copy_start(struct labyrinth_buf *dst, size_t dst_offset,
			 struct labyrinth_buf *src, size_t src_offset, size_t length,
			 uint64_t user_data);

/**
 * labyrinth_events_wait() - wait until there is an event to read
 * @dev: the device
 * @timeout_ms: milliseconds to wait at most; 0 only looks, -1 waits without limit
 *
 * Errors: EINTR; ENODEV (the device is gone and every event was read).
 *
 * Return: 1 if there is an event, 0 if there is none yet, or -1 on error.
 */
int labyrinth_events_wait(struct labyrinth_device *dev, int timeout_ms);

/**
 * labyrinth_events_read() - read the events of copies that have ended
 * @dev: the device
 * @events: array to fill; see &struct labyrinth_event
 * @max: entries in @events
 *
 * Never waits.
 *
 * Errors: ENODEV (the device is gone and every event was read).
 *
 * Return: the number of events, 0 if there is none yet, or -1 on error.
 */
int labyrinth_events_read(struct labyrinth_device *dev, struct labyrinth_event *events,
			  unsigned int max);

/**
 * labyrinth_events_pending() - how many events the handle keeps
 * @dev: the device
 *
 * labyrinth_copy() and labyrinth_events_wait() take events from the kernel; poll() does
 * not show those any more. A program with its own poll() loop asks here before it
 * sleeps.
 *
 * Return: events that labyrinth_events_read() can return without asking the kernel.
 */
unsigned int labyrinth_events_pending(const struct labyrinth_device *dev);

/**
 * labyrinth_strerror() - what went wrong, and what to do about it
 *
 * Return: the text for the calling thread's last failed library call, with figures as
 * they were then; "no error" if none failed. It belongs to the library, and lasts until
 * this thread's next failed call.
 */
const char *labyrinth_strerror(void);

#ifdef __cplusplus
}
#endif

#endif /* LABYRINTH_H */
