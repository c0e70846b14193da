/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of a page in the pool: claimed, scrubbed, free again, somebody else's. */

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
