/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens without being called: the device, the worker, a client, removal. */

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
