/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who owns a page: files that acquire, touch, copy, give, take and release, a ticket, a
 * client in the kernel, the device's DMA, the worker that scrubs, and removal at any
 * point. Spin looks at every order in which their steps can be taken.
 *
 * One step here is one lock section, or what a task does between two of them. Left out
 * are numbers (quotas, watermarks, batches), which error comes, time-outs of a DMA, and
 * handles: everybody is taken to know that of every page, so that all depends on the
 * check of the owner. Only file 0 copies and gives; what file 1 would do is the same.
 *
 *	here			in driver/
 *	opener: acquire		acquire.c labyrinth_do_acquire(): claim.c
 *				labyrinth_pool_take(), labyrinth_tell_buffers(),
 *				labyrinth_adopt(); or undo(), labyrinth_pool_untake()
 *	its short way		short.c labyrinth_acquire_short(): single.h
 *				labyrinth_pool_take_single(), tell(), adopt(); or undo()
 *	claim: waiting		wait.c labyrinth_pool_join_queue(), labyrinth_pool_wait()
 *	serve			wait.c labyrinth_pool_serve_oldest()
 *	opener: release		release.c labyrinth_do_release(), disown(); short.c
 *				labyrinth_release_short(), disown()
 *	opener: copy		copy.c submit(), engine.c labyrinth_engine_submit()
 *	opener: give, take	ticket.c fill_ticket(), labyrinth_do_take()
 *	opener: close ticket	ticket.c close_ticket()
 *	opener: close		file.c labyrinth_close(), queue.c labyrinth_queue_close(),
 *				release.c labyrinth_release_all()
 *	let_go			engine.c labyrinth_engine_let_go(), scrub.c
 *				labyrinth_pool_quarantine()
 *	give_back, become_free	scrub.c labyrinth_pool_return(), publish()
 *	toucher: fault		mapping.c labyrinth_fault()
 *	toucher: munmap		mapping.c labyrinth_vma_close()
 *	device			edu.c, engine.c advance(), labyrinth_engine_end_active(),
 *				scrub.c labyrinth_pool_unquarantine()
 *	worker			scrub.c labyrinth_pool_tidy(), refill.c
 *				labyrinth_pool_refill_worker()
 *	client			atomic.c labyrinth_pool_take_free(),
 *				labyrinth_pool_return_later()
 *	remover			pci.c quiesce(), retire()
 *	owner			struct labyrinth_page: account, held; a ticket's list
 *	state, mapped		struct labyrinth_page: state; page tables
 *	mutex			struct labyrinth_file: state
 *	busy			pool.h labyrinth_pool_enter(), labyrinth_pool_leave()
 *
 * Each PLANT_... takes out one step that the protocol needs; "check" wants to see every
 * one of them found.
 */

#ifndef PAGES
#define PAGES	2
#endif
#define FILES	2

/* Owners besides the files 0 and 1. */
#define TICKET	2
#define NOBODY	3

/* What is in a page. */
#define ZERO	0	/* zeroes */
#define OWN	1	/* what its owner, or the one he has it from, has written */
#define OLD	2	/* what an earlier owner has written */

mtype = { EMPTY, FREE, OWNED, TICKETED, KERNEL, QUARANTINED };

/* The pages. Sets of them are masks. */
mtype state[PAGES];
byte owner[PAGES];
byte content[PAGES];
byte memory;			/* slots that have coherent memory */
byte stock;			/* free pages, claimed or not */
byte returned;			/* to be scrubbed by the worker */
byte mapped[FILES];		/* what the page tables of a file's process show */
byte scrubbing;			/* somebody is writing zeroes there, from the kernel */

/* The pool, under its lock. */
byte available;			/* pages in the stock without a claim */
byte busy;
bool dead;
byte first = NOBODY, second = NOBODY;	/* who waits, oldest first */
bool served[FILES], sent_away[FILES];

/* The files. */
bool mutex[FILES];
bool touching[FILES];		/* there is a mapping, which holds the file */
bool closed[FILES];

/* The ticket: none, or one with a page in it, and who is at it. */
bool ticket;
byte ticket_page;
bool taking;

/* The engine: at most one job for each file. */
byte job[FILES];		/* pages of the job, source and destination; 0 for none */
byte job_dst[FILES];
byte in_device = NOBODY;	/* whose job is in the device */
byte device_pages, device_dst;
bool landed;			/* it has ended, but nobody has been told yet */
bool engine_dead, listening = true, mastering = true;

/* The rest. */
bool working, no_work, gone, client_gone;
bool removing, removed;
byte alive = 2 * FILES + 1;	/* files, mappings, the client */

#define BIT(p)			(1 << (p))
#define HAS(set, p)		(((set) >> (p)) & 1)
#define ADD(set, p)		set = set | BIT(p)
#define DROP(set, p)		set = set & ~BIT(p)
#define IN_DMA(p)		(HAS(job[0], p) || HAS(job[1], p) || \
				 (in_device != NOBODY && HAS(device_pages, p)))

/* Nobody can reach the page who should not. */
#define SHOWN_RIGHTLY(f, p)	(!HAS(mapped[f], p) || \
				 (owner[p] == f && HAS(memory, p)))
#define UNREACHED(p)		(!HAS(mapped[0], p) && !HAS(mapped[1], p) && \
				 !IN_DMA(p) && !HAS(scrubbing, p))

#include "pool.pml"
#include "opener.pml"
#include "kernel.pml"

/*
 * Has nothing to do as long as all is well, but when nobody can take a step any more:
 * then all have ended, or there is a deadlock.
 */
proctype umpire()
{
end:	do
	:: atomic { !SHOWN_RIGHTLY(0, 0) || !SHOWN_RIGHTLY(1, 0) ->
		assert(false) }	/* a mapping has outlived the ownership */
#if PAGES > 1
	:: atomic { !SHOWN_RIGHTLY(0, 1) || !SHOWN_RIGHTLY(1, 1) ->
		assert(false) }
#endif
	:: atomic { scrubbing & ~memory -> assert(false) }	/* freed under a scrub */
	:: atomic { removed && memory -> assert(false) }	/* memory outlives removal */
	/* Without removal, every page is free in the end, or given to the system. */
	:: atomic { timeout ->
		assert(!alive && !ticket && (!removing || removed));
		if
		:: !removed ->
			assert(available == HAS(stock, 0) + HAS(stock, 1));
			assert(stock == memory);
			assert(state[0] == FREE || state[0] == EMPTY);
			assert(state[PAGES - 1] == FREE || state[PAGES - 1] == EMPTY)
		:: else
		fi;
		break
		}
	od
}

init
{
	byte p;

	d_step {
		do
		:: p < PAGES ->
			state[p] = FREE;
			owner[p] = NOBODY;
			ADD(memory, p);
			ADD(stock, p);
			available++;
			p++
		:: else -> break
		od;
		p = 0;
		touching[0] = true;
		touching[1] = true
	};
	atomic {
		run opener(0);
		run opener(1);
		run toucher(0);
		run toucher(1);
		run device();
		run worker();
		run client();
		run remover();
		run umpire()
	}
}

#ifdef LIVENESS
ltl removal_ends { [] (removing -> <> removed) }
#endif
