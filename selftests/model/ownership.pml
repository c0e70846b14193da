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
 *	claim: waiting		wait.c labyrinth_pool_join_queue(), labyrinth_pool_wait()
 *	serve			wait.c labyrinth_pool_serve_oldest()
 *	opener: release		release.c labyrinth_do_release(), disown()
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
 *	owner, state, mapped	struct labyrinth_page: owner, state; page tables
 *	mutex			struct labyrinth_file: state
 *	busy			pool.c labyrinth_pool_enter(), labyrinth_pool_leave()
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

/* Under the pool's lock: a spare page goes to whoever has waited longest. */
inline serve()
{
	if
	:: available > 0 && first != NOBODY ->
		available--;
		served[first] = true;
		first = second;
		second = NOBODY
	:: else
	fi
}

/* There is a page for every claim. */
inline collect(p)
{
	p = 0;
	do
	:: p < PAGES && !HAS(stock, p) -> p++
	:: else -> break
	od;
	assert(p < PAGES);
	DROP(stock, p)
}

inline become_free(p)
{
	assert(!HAS(stock, p) && !HAS(returned, p));
	assert(UNREACHED(p) && HAS(memory, p));
	state[p] = FREE;
	ADD(stock, p);
	available++;
#ifndef PLANT_NO_WAKE_UP
	serve();
#endif
	skip
}

inline begin_scrub(p)
{
	assert(HAS(memory, p));
	ADD(scrubbing, p)
}

inline end_scrub(p)
{
	assert(HAS(memory, p));
	DROP(scrubbing, p);
#ifndef PLANT_NO_SCRUB
	content[p] = ZERO;
#endif
	become_free(p)
}

/* The end of an ownership: what is in the page is no longer the owner's. */
inline let_go(f, p)
{
	d_step {
		owner[p] = NOBODY;
		content[p] = (content[p] == OWN -> OLD : content[p]);
		if
		:: HAS(job[f], p) -> job[f] = 0; job_dst[f] = 0
		:: else
		fi;
		if
#ifndef PLANT_NO_QUARANTINE
		:: in_device != NOBODY && HAS(device_pages, p) ->
			state[p] = QUARANTINED
#endif
		:: else -> ADD(hand, p)
		fi;
		mutex[f] = false
	}
}

#ifdef PLANT_NO_ENTER
#define ENTER			entered = true
#define LEAVE			entered = false
#else
#define ENTER			busy++; entered = true
#define LEAVE			busy--; entered = false
#endif

/* The pages in hand become free, unless the device has gone. */
inline give_back(p)
{
	atomic {
		if
		:: !dead && hand -> ENTER
		:: else -> hand = 0
		fi;
		p = 0
	};
	do
	:: atomic { HAS(hand, p) && !dead -> DROP(hand, p); begin_scrub(p) };
		d_step { end_scrub(p); p = 0 }
	:: atomic { hand && !HAS(hand, p) && !dead -> p++ }
	:: atomic { !hand || dead ->
			hand = 0;
			p = 0;
			if
			:: entered -> LEAVE
			:: else
			fi;
			break
		}
	od
}

#ifdef PLANT_NO_DEAD_CHECK_AT_COMMIT
#define ALIVE_AT_COMMIT		true
#else
#define ALIVE_AT_COMMIT		!dead
#endif

inline claim(f)
{
	atomic {
		if
		:: dead
		:: !dead && available > 0 && first == NOBODY ->
			available--;
			claimed = true
		:: !dead && (available == 0 || first != NOBODY) ->
			if
			:: skip				/* NOWAIT */
			::
				if
				:: first == NOBODY -> first = f
				:: else -> second = f
				fi;
				waiting = true
			fi
		fi
	};
	if
	:: waiting ->
		/* Who keeps nothing from others may count on being served. */
		if
		:: owner[0] != f && owner[PAGES - 1] != f && !ticket ->
			served[f] || sent_away[f]
		:: skip					/* a signal */
		fi;
		d_step {
			if
			:: served[f] -> claimed = true
			:: sent_away[f]
			:: else ->
				first = (first == f -> second : first);
				second = NOBODY
			fi;
			served[f] = false;
			sent_away[f] = false;
			waiting = false
		}
	:: else
	fi
}

/* The pool's lock first, which tells whether the device is there, then the owner. */
inline become_owner(f, p)
{
	assert(HAS(memory, p) && UNREACHED(p));
	owner[p] = f
}

inline acquire(f, p)
{
	claim(f);
	if
	:: claimed ->
		d_step { claimed = false; collect(p); ADD(hand, p) };
#ifdef PLANT_EARLY_PUBLISH
		d_step {
			if
			:: !dead -> become_owner(f, p)
			:: else
			fi
		};
#endif
		/* The handle is copied out, which may fail. */
		if
		:: atomic {
			!mutex[f] ->
				if
				:: ALIVE_AT_COMMIT ->
					mutex[f] = true;
					state[p] = OWNED;
					DROP(hand, p)
				:: else
				fi
			};
			atomic {
				if
				:: mutex[f] && !HAS(hand, p) ->
					assert(content[p] == ZERO);
					become_owner(f, p);
					mutex[f] = false
				:: else
				fi
			}
		:: skip
		fi;
		/* What has not become anybody's goes back as it is. */
		d_step {
			if
			:: HAS(hand, p) ->
				hand = 0;
				ADD(stock, p);
				available++;
				serve()
			:: else
			fi;
			p = 0
		}
	:: else
	fi
}

#ifdef PLANT_NO_OWNER_CHECK
#define MAY_RELEASE(f, p)	(!dead && owner[p] < TICKET)
#else
#define MAY_RELEASE(f, p)	(!dead && owner[p] == f)
#endif

/* RELEASE of a page that the caller names, whoever owns it. */
inline release(f, p)
{
	if
	:: atomic { !mutex[f] && MAY_RELEASE(f, p) -> mutex[f] = true };
#ifndef PLANT_NO_REVOKE
		DROP(mapped[f], p);
#endif
		let_go(f, p);
		give_back(p)
	:: !mutex[f] && !MAY_RELEASE(f, p)
	fi
}

/* COPY from one page to another, or inside one. */
inline copy(f, p)
{
	d_step {
		!mutex[f];
		if
		:: !engine_dead && !job[f] && in_device != f && owner[p] == f ->
			job[f] = BIT(p);
			job_dst[f] = BIT(p);
			p = (p + 1) % PAGES;
			if
			:: owner[p] == f -> ADD(job[f], p)
			:: else
			fi
		:: else
		fi
	}
}

#define MAY_GIVE(f, p)		(!dead && owner[p] == f && !IN_DMA(p) && \
				 !ticket && !taking)

inline give(f, p)
{
	if
	:: atomic { !mutex[f] && MAY_GIVE(f, p) -> mutex[f] = true };
#ifndef PLANT_NO_REVOKE_AT_GIVE
		DROP(mapped[f], p);
#endif
		d_step {
			if
			:: !dead && !ticket ->
				state[p] = TICKETED;
				owner[p] = TICKET;
				ticket = true;
				ticket_page = p
			:: else
			fi;
			mutex[f] = false
		}
	:: !mutex[f] && !MAY_GIVE(f, p)
	fi
}

inline take(f)
{
	/* The new handle is copied out, which may fail. */
	if
	:: atomic {
			!mutex[f];
			if
			:: !dead ->
				mutex[f] = true;
				assert(owner[ticket_page] == TICKET);
				state[ticket_page] = OWNED
			:: else
			fi
		};
		atomic {
			if
			:: mutex[f] && state[ticket_page] == OWNED ->
				become_owner(f, ticket_page);
				ticket_page = 0;
				ticket = false;
				mutex[f] = false
			:: else
			fi;
			taking = false
		}
	:: taking = false
	fi
}

/* Its last reference is gone: no TAKE is under way, and none will be. */
inline close_ticket(p)
{
	d_step {
		if
		:: ticket && !taking ->
			ticket = false;
			p = ticket_page;
			ticket_page = 0;
			owner[p] = NOBODY;
			content[p] = (content[p] == OWN -> OLD : content[p]);
#ifndef PLANT_TICKET_LEAK
			ADD(hand, p)
#endif
		:: else
		fi
	};
	give_back(p)
}

/* Everything that the file has goes the way of a release. */
inline close(f, p)
{
	d_step {
		job[f] = 0;
		job_dst[f] = 0
	};
	p = 0;
	do
	:: atomic { p < PAGES && owner[p] == f && !mutex[f] -> mutex[f] = true };
		let_go(f, p)
	:: p < PAGES && owner[p] != f -> p++
	:: p == PAGES -> break
	od;
	give_back(p)
}

proctype opener(byte f)
{
	byte p, hand;
	bool waiting, claimed, entered, last;

	do
	:: acquire(f, p)
	:: release(f, p)
#if PAGES > 1
	:: p = 1; release(f, p); p = 0
#endif
#ifndef NO_COPY
	:: f == 0 -> copy(f, p); p = 0
#if PAGES > 1
	:: f == 0 -> p = 1; copy(f, p); p = 0
#endif
#endif
#ifndef NO_TICKET
	:: f == 0 -> give(f, p)
#if PAGES > 1
	:: f == 0 -> p = 1; give(f, p); p = 0
#endif
	:: atomic { !taking && ticket -> taking = true }; take(f)
	:: ticket && !taking -> close_ticket(p)
#endif
	:: !touching[f] -> break
	od;
	close(f, p);
	/* Its descriptor goes too, or else it is passed on to somebody who does not wait. */
	atomic { closed[f] = true; last = closed[1 - f] || first != NOBODY };
	if
	:: last -> close_ticket(p)
	:: else
	fi;
	alive--
}

#ifdef PLANT_NO_DEAD_CHECK
#define MAY_TOUCH(f, p)		(owner[p] == f)
#else
#define MAY_TOUCH(f, p)		(!dead && owner[p] == f)
#endif

/* It is written to, at once. That it may be later too makes no difference. */
inline map(f, p)
{
	d_step {
		ADD(mapped[f], p);
		assert(owner[p] == f && HAS(memory, p));
		assert(content[p] != OLD);
		content[p] = OWN;
		mutex[f] = false;
		p = 0
	}
}

/* A thread of the opener's that touches pages of the arena. */
proctype toucher(byte f)
{
	byte p;

	do
	:: atomic { !mutex[f] && MAY_TOUCH(f, 0) -> mutex[f] = true; p = 0 };
		map(f, p)
#if PAGES > 1
	:: atomic { !mutex[f] && MAY_TOUCH(f, 1) -> mutex[f] = true; p = 1 };
		map(f, p)
#endif
	:: break
	od;
	atomic {
		!mutex[f];
		mapped[f] = 0;
		touching[f] = false;
		alive--
	}
}

/* A transfer begins, lands in memory, and its interrupt ends it. */
proctype device()
{
	byte f, p;

end:	do
	:: d_step {
		in_device == NOBODY && !engine_dead && (job[0] || job[1]) ->
			f = (job[0] -> 0 : 1);
			in_device = f;
			device_pages = job[f];
			device_dst = job_dst[f];
			job[f] = 0;
			job_dst[f] = 0;
			f = 0
		}
	:: d_step {
		in_device == NOBODY && !engine_dead && job[0] && job[1] ->
			in_device = 1;
			device_pages = job[1];
			device_dst = job_dst[1];
			job[1] = 0;
			job_dst[1] = 0
		}
	:: d_step {
		in_device != NOBODY && !landed && mastering ->
			p = (HAS(device_dst, 0) -> 0 : 1);
			assert(HAS(memory, p));
			assert(owner[p] == in_device || state[p] == QUARANTINED);
			content[p] = (state[p] == QUARANTINED -> OLD : OWN);
			landed = true;
			p = 0
		}
	:: d_step {
		in_device != NOBODY && landed && listening && !engine_dead ->
			in_device = NOBODY;
			landed = false;
			p = 0;
			do
			:: p < PAGES ->
				if
				:: HAS(device_pages, p) && state[p] == QUARANTINED &&
				   !dead ->
					ADD(returned, p)
				:: else
				fi;
				p++
			:: else -> break
			od;
			device_pages = 0;
			device_dst = 0;
			p = 0
		}
	od
}

/* Scrubs what comes back, gives surplus to the system, and gets new pages from it. */
proctype worker()
{
	byte p;

end:	do
	:: atomic {
		returned && !no_work ->
			working = true;
			p = (HAS(returned, 0) -> 0 : 1);
			DROP(returned, p);
			begin_scrub(p)
		};
		d_step {
			end_scrub(p);
			working = false;
			p = 0
		}
#ifndef NO_REFILL
	:: atomic {
		available > 0 && !dead && first == NOBODY && !no_work && alive ->
			working = true;
			available--;
			collect(p)
		};
		d_step {
			assert(UNREACHED(p) && HAS(memory, p));
			DROP(memory, p);
			state[p] = EMPTY;
			working = false;
			p = 0
		}
	:: atomic {
		!dead && !no_work && memory != (1 << PAGES) - 1 && alive ->
			working = true;
			p = (HAS(memory, 0) -> 1 : 0);
			assert(state[p] == EMPTY);
			ADD(memory, p);
			content[p] = ZERO
		};
		d_step {
			become_free(p);
			working = false;
			p = 0
		}
#endif
	od
}

/* Takes one page at a time, and gives it back when it likes or is told to. */
proctype client()
{
	byte p;

	do
#ifndef NO_CLIENT
	:: d_step {
		!dead && !gone && available > 0 ->
			available--;
			collect(p);
			assert(HAS(memory, p) && UNREACHED(p) && content[p] == ZERO);
			state[p] = KERNEL
		};
		assert(owner[p] == NOBODY && state[p] == KERNEL && HAS(memory, p));
		d_step {
			assert(HAS(memory, p));
			content[p] = OLD;
			ADD(returned, p);
			p = 0
		}
#endif
	:: gone -> break
	:: !removing -> break
	od;
	atomic { client_gone = true; alive-- }
}

#ifdef PLANT_NO_MASTER_OFF
#define STILL_MASTERING		true
#else
#define STILL_MASTERING		false
#endif

#ifdef PLANT_NO_WAIT_FOR_BUSY
#define MAY_STOP		true
#else
#define MAY_STOP		!busy
#endif

proctype remover()
{
	byte p, f;

	if
#ifndef NO_REMOVAL
	:: skip
#endif
	:: goto done			/* it never is removed */
	fi;
	d_step {
		removing = true;
		dead = true;
		do
#ifndef PLANT_NO_DISMISSAL
		:: first != NOBODY ->
			sent_away[first] = true;
			first = second;
			second = NOBODY
#endif
		:: else -> break
		od;
		f = 0
	};
	d_step { engine_dead = true; listening = false };
	/* Waits for the transfer under way, but not for ever. */
	d_step { mastering = STILL_MASTERING; gone = true };
	atomic {
		client_gone && MAY_STOP && !working ->
			no_work = true;
			job[0] = 0;
			job[1] = 0;
			job_dst[0] = 0;
			job_dst[1] = 0
	};
#ifndef PLANT_FREE_BEFORE_REVOKE
	f = 0;
	do
	:: f < FILES && !closed[f] ->
		atomic { !mutex[f]; mapped[f] = 0; f++ }
	:: f < FILES && closed[f] -> f++
	:: f == FILES -> break
	od;
	f = 0;
#endif
	memory = 0;
#ifdef PLANT_FREE_BEFORE_REVOKE
	mapped[0] = 0;
	mapped[1] = 0;
#endif
	removed = true;
done:	skip
}

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
