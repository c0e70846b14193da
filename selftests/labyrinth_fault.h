/* SPDX-License-Identifier: GPL-2.0 */
/* Touching memory that may answer with a signal. */
#ifndef LABYRINTH_FAULT_H
#define LABYRINTH_FAULT_H

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>

#include "labyrinth_utils.h"

/* Per thread, so that a racing toucher and the main thread can both fault. */
static __thread sigjmp_buf fault_return;

static inline void fault_handler(int sig)
{
	siglongjmp(fault_return, sig);
}

/* SIGBUS and SIGSEGV come back as return values of touch() from here on. */
static inline void fault_catch(void)
{
	struct sigaction action = { .sa_handler = fault_handler };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

enum touch { TOUCH_READ, TOUCH_WRITE };

/* 0, or the signal the access was answered with. */
static inline int touch(void *address, enum touch how)
{
	unsigned char *byte = address;
	int sig;

	sig = sigsetjmp(fault_return, 1);
	if (sig)
		return sig;
	if (how == TOUCH_WRITE)
		__atomic_store_n(byte, 0xee, __ATOMIC_RELAXED);
	else
		__atomic_load_n(byte, __ATOMIC_RELAXED);
	return 0;
}

#define test_touch(address)						\
({									\
	EXPECT_EQ(0, touch(address, TOUCH_READ));			\
	EXPECT_EQ(0, touch(address, TOUCH_WRITE));			\
})

#define test_sigbus(address)						\
({									\
	EXPECT_EQ(SIGBUS, touch(address, TOUCH_READ));			\
	EXPECT_EQ(SIGBUS, touch(address, TOUCH_WRITE));			\
})

/* A thread that writes to one address again and again. */
struct toucher {
	pthread_t thread;
	atomic_uintptr_t address;
	atomic_bool stop;
	atomic_ulong touched;
	atomic_ulong faulted;
};

static inline void *toucher_run(void *argument)
{
	struct toucher *toucher = argument;

	while (!atomic_load(&toucher->stop)) {
		if (touch((void *)atomic_load(&toucher->address), TOUCH_WRITE))
			atomic_fetch_add(&toucher->faulted, 1);
		else
			atomic_fetch_add(&toucher->touched, 1);
	}
	return NULL;
}

static inline int toucher_start(struct toucher *toucher, void *address)
{
	memset(toucher, 0, sizeof(*toucher));
	atomic_store(&toucher->address, (uintptr_t)address);
	return pthread_create(&toucher->thread, NULL, toucher_run, toucher);
}

static inline int toucher_stop(struct toucher *toucher)
{
	atomic_store(&toucher->stop, true);
	return pthread_join(toucher->thread, NULL);
}

#endif /* LABYRINTH_FAULT_H */
