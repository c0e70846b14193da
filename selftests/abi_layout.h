/* SPDX-License-Identifier: GPL-2.0 */
/* The numbers and layouts that programs in the field were compiled with. */
#ifndef ABI_LAYOUT_H
#define ABI_LAYOUT_H

#include <stddef.h>

#include <linux/labyrinth.h>

#define PIN_NUMBER(name, value) \
	_Static_assert((name) == (value), #name " has moved")
#define PIN_SIZE(type, value) \
	_Static_assert(sizeof(struct type) == (value), #type " has changed size")
#define PIN(type, field, value) \
	_Static_assert(offsetof(struct type, field) == (value), #field " has moved")

PIN_NUMBER(LABYRINTH_INFO, 0xed00);
PIN_NUMBER(LABYRINTH_STAT, 0xed01);
PIN_NUMBER(LABYRINTH_ACQUIRE, 0xed02);
PIN_NUMBER(LABYRINTH_RELEASE, 0xed03);
PIN_NUMBER(LABYRINTH_COPY, 0xed04);
PIN_NUMBER(LABYRINTH_GIVE, 0xed05);
PIN_NUMBER(LABYRINTH_TAKE, 0xed06);

PIN_NUMBER(LABYRINTH_CAP_COPY, 1);
PIN_NUMBER(LABYRINTH_CAP_PARTIAL, 2);
PIN_NUMBER(LABYRINTH_CAP_CONTIGUOUS, 4);
PIN_NUMBER(LABYRINTH_CAP_POPULATE, 8);
PIN_NUMBER(LABYRINTH_CAP_TICKETS, 16);
PIN_NUMBER(LABYRINTH_CAP_FENCE, 32);
PIN_NUMBER(LABYRINTH_CAP_SENTINEL, 64);
PIN_NUMBER(LABYRINTH_CAP_USER_QUOTA, 128);
PIN_NUMBER(LABYRINTH_ACQUIRE_NOWAIT, 1);
PIN_NUMBER(LABYRINTH_ACQUIRE_PARTIAL, 2);
PIN_NUMBER(LABYRINTH_ACQUIRE_POPULATE, 4);
PIN_NUMBER(LABYRINTH_RELEASE_IF_UNMAPPED, 1);
PIN_NUMBER(LABYRINTH_COPY_FENCE, 1);
PIN_NUMBER(LABYRINTH_EVENT_COPY, 1);

PIN_SIZE(labyrinth_info, 72);
PIN(labyrinth_info, abi_version, 8);
PIN(labyrinth_info, page_size, 12);
PIN(labyrinth_info, capabilities, 16);
PIN(labyrinth_info, arena_length, 24);
PIN(labyrinth_info, max_copy, 32);
PIN(labyrinth_info, max_pages, 40);
PIN(labyrinth_info, max_order, 44);
PIN(labyrinth_info, max_batch, 48);
PIN(labyrinth_info, max_request, 52);
PIN(labyrinth_info, file_quota, 56);
PIN(labyrinth_info, user_quota, 60);
PIN(labyrinth_info, copy_depth, 64);
PIN(labyrinth_info, copy_chunk, 68);

PIN_SIZE(labyrinth_stat, 312);
PIN(labyrinth_stat, total, 8);
PIN(labyrinth_stat, free, 16);
PIN(labyrinth_stat, owned, 24);
PIN(labyrinth_stat, ticketed, 32);
PIN(labyrinth_stat, kernel, 40);
PIN(labyrinth_stat, quarantined, 48);
PIN(labyrinth_stat, poisoned, 56);
PIN(labyrinth_stat, charged, 64);
PIN(labyrinth_stat, waiters, 72);
PIN(labyrinth_stat, low, 80);
PIN(labyrinth_stat, high, 88);
PIN(labyrinth_stat, reserve, 96);
PIN(labyrinth_stat, max, 104);
PIN(labyrinth_stat, acquired, 112);
PIN(labyrinth_stat, released, 120);
PIN(labyrinth_stat, revoked, 128);
PIN(labyrinth_stat, scrubbed, 136);
PIN(labyrinth_stat, irq_refills, 144);
PIN(labyrinth_stat, irq_refill_pages, 152);
PIN(labyrinth_stat, irq_hard, 160);
PIN(labyrinth_stat, irq_threaded, 168);
PIN(labyrinth_stat, worker_refills, 176);
PIN(labyrinth_stat, worker_refill_pages, 184);
PIN(labyrinth_stat, refill_failures, 192);
PIN(labyrinth_stat, trimmed, 200);
PIN(labyrinth_stat, exhaustion_waits, 208);
PIN(labyrinth_stat, exhaustion_fails, 216);
PIN(labyrinth_stat, fragmentation_fails, 224);
PIN(labyrinth_stat, steals, 232);
PIN(labyrinth_stat, copies, 240);
PIN(labyrinth_stat, copies_failed, 248);
PIN(labyrinth_stat, copied_bytes, 256);
PIN(labyrinth_stat, chunks, 264);
PIN(labyrinth_stat, chunks_outside, 272);
PIN(labyrinth_stat, dma_timeouts, 280);
PIN(labyrinth_stat, given, 288);
PIN(labyrinth_stat, taken, 296);
PIN(labyrinth_stat, shrunk, 304);

PIN_SIZE(labyrinth_buffer, 32);
PIN(labyrinth_buffer, handle, 0);
PIN(labyrinth_buffer, offset, 8);
PIN(labyrinth_buffer, length, 16);
PIN(labyrinth_buffer, order, 24);
PIN(labyrinth_buffer, flags, 28);

PIN_SIZE(labyrinth_acquire, 48);
PIN(labyrinth_acquire, count, 8);
PIN(labyrinth_acquire, order, 12);
PIN(labyrinth_acquire, buffers, 16);
PIN(labyrinth_acquire, deadline_ns, 24);
PIN(labyrinth_acquire, arena_addr, 32);
PIN(labyrinth_acquire, acquired, 40);
PIN(labyrinth_acquire, reserved, 44);

PIN_SIZE(labyrinth_release, 24);
PIN(labyrinth_release, count, 8);
PIN(labyrinth_release, reserved, 12);
PIN(labyrinth_release, handles, 16);

PIN_SIZE(labyrinth_copy, 56);
PIN(labyrinth_copy, src_handle, 8);
PIN(labyrinth_copy, dst_handle, 16);
PIN(labyrinth_copy, src_offset, 24);
PIN(labyrinth_copy, dst_offset, 32);
PIN(labyrinth_copy, length, 40);
PIN(labyrinth_copy, user_data, 48);

PIN_SIZE(labyrinth_give, 24);
PIN(labyrinth_give, count, 8);
PIN(labyrinth_give, ticket_fd, 12);
PIN(labyrinth_give, handles, 16);

PIN_SIZE(labyrinth_take, 24);
PIN(labyrinth_take, ticket_fd, 8);
PIN(labyrinth_take, count, 12);
PIN(labyrinth_take, buffers, 16);

PIN_SIZE(labyrinth_event, 24);
PIN(labyrinth_event, user_data, 0);
PIN(labyrinth_event, timestamp_ns, 8);
PIN(labyrinth_event, type, 16);
PIN(labyrinth_event, result, 20);

#endif /* ABI_LAYOUT_H */
