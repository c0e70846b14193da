/* SPDX-License-Identifier: GPL-2.0-only */
/* A process with an open file: its calls, and its touches of what is mapped. */

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
		/* The short way looks for the device's end under the mutex alone. */
		:: atomic { !mutex[f] && ALIVE_AT_COMMIT -> mutex[f] = true };
			atomic {
				assert(content[p] == ZERO);
				state[p] = OWNED;
				DROP(hand, p);
				become_owner(f, p);
				mutex[f] = false
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
