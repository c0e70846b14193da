/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: what happens to pages, in the order it happens. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM labyrinth

#if !defined(LABYRINTH_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define LABYRINTH_TRACE_H

#include <linux/tracepoint.h>

#include "compat.h"
#include "engine.h"
#include "pool.h"

/* A buffer changes hands. Handles name it; addresses are never shown. */
DECLARE_EVENT_CLASS(labyrinth_ownership,
	TP_PROTO(struct labyrinth_pool *pool, struct labyrinth_page *page),
	TP_ARGS(pool, page),
	TP_STRUCT__entry(
		__string(device, dev_name(pool->dev))
		__field(u64, handle)
		__field(u64, offset)
		__field(u32, pages)
	),
	TP_fast_assign(
		labyrinth_assign_device();
		__entry->handle = page->handle;
		__entry->offset = (u64)labyrinth_page_pgoff(pool, page) << PAGE_SHIFT;
		__entry->pages = labyrinth_page_count(page);
	),
	TP_printk("%s handle=%#llx offset=%#llx pages=%u", __get_str(device),
		  __entry->handle, __entry->offset, __entry->pages)
);

DEFINE_EVENT(labyrinth_ownership, labyrinth_acquire,
	TP_PROTO(struct labyrinth_pool *pool, struct labyrinth_page *page),
	TP_ARGS(pool, page));
DEFINE_EVENT(labyrinth_ownership, labyrinth_release,
	TP_PROTO(struct labyrinth_pool *pool, struct labyrinth_page *page),
	TP_ARGS(pool, page));
DEFINE_EVENT(labyrinth_ownership, labyrinth_give,
	TP_PROTO(struct labyrinth_pool *pool, struct labyrinth_page *page),
	TP_ARGS(pool, page));
DEFINE_EVENT(labyrinth_ownership, labyrinth_take,
	TP_PROTO(struct labyrinth_pool *pool, struct labyrinth_page *page),
	TP_ARGS(pool, page));

TRACE_EVENT(labyrinth_refill,
	TP_PROTO(struct labyrinth_pool *pool, bool interrupt, u32 pages, bool failed),
	TP_ARGS(pool, interrupt, pages, failed),
	TP_STRUCT__entry(
		__string(device, dev_name(pool->dev))
		__field(bool, interrupt)
		__field(u32, pages)
		__field(bool, failed)
	),
	TP_fast_assign(
		labyrinth_assign_device();
		__entry->interrupt = interrupt;
		__entry->pages = pages;
		__entry->failed = failed;
	),
	TP_printk("%s by=%s pages=%u%s", __get_str(device),
		  __entry->interrupt ? "interrupt" : "worker", __entry->pages,
		  __entry->failed ? " failed" : "")
);

TRACE_EVENT(labyrinth_poison,
	TP_PROTO(struct labyrinth_pool *pool, u64 offset, u32 byte),
	TP_ARGS(pool, offset, byte),
	TP_STRUCT__entry(
		__string(device, dev_name(pool->dev))
		__field(u64, offset)
		__field(u32, byte)
	),
	TP_fast_assign(
		labyrinth_assign_device();
		__entry->offset = offset;
		__entry->byte = byte;
	),
	TP_printk("%s offset=%#llx byte=%u", __get_str(device), __entry->offset,
		  __entry->byte)
);

TRACE_EVENT(labyrinth_copy,
	TP_PROTO(struct labyrinth_pool *pool, struct labyrinth_job *job),
	TP_ARGS(pool, job),
	TP_STRUCT__entry(
		__string(device, dev_name(pool->dev))
		__field(u64, user_data)
		__field(u32, length)
		__field(u32, moved)
		__field(int, result)
	),
	TP_fast_assign(
		labyrinth_assign_device();
		__entry->user_data = job->user_data;
		__entry->length = job->length;
		__entry->moved = job->moved;
		__entry->result = job->result;
	),
	TP_printk("%s user_data=%#llx length=%u moved=%u result=%d", __get_str(device),
		  __entry->user_data, __entry->length, __entry->moved, __entry->result)
);

#endif /* LABYRINTH_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
