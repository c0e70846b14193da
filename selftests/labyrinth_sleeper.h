/* SPDX-License-Identifier: GPL-2.0 */
/* Threads and processes that sleep in an access to memory. */
#ifndef LABYRINTH_SLEEPER_H
#define LABYRINTH_SLEEPER_H

#include "labyrinth_fault.h"

/* The letter that /proc has for the state of a process or thread, 0 if it is gone. */
static inline char task_state(int id)
{
	char path[32], line[128], *state = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", id);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file))
		state = strrchr(line, ')');
	fclose(file);
	return state ? state[2] : 0;
}

/* A thread whose one access to a fenced page has to wait. */
struct sleeper {
	pthread_t thread;
	char *address;
	atomic_int id;
	int result;
	atomic_bool done;
};

static inline void *sleeper_run(void *argument)
{
	struct sleeper *sleeper = argument;

	atomic_store(&sleeper->id, gettid());
	sleeper->result = touch(sleeper->address, TOUCH_READ);
	atomic_store(&sleeper->done, true);
	return NULL;
}

/* Returns once it sleeps, and fails the test if a signal could not wake it. */
static inline void sleeper_start(struct __test_metadata *_metadata,
				 struct sleeper *sleeper, char *address)
{
	memset(sleeper, 0, sizeof(*sleeper));
	sleeper->address = address;
	ASSERT_EQ(0, pthread_create(&sleeper->thread, NULL, sleeper_run, sleeper));
	ASSERT_TRUE(wait_until(task_state(atomic_load(&sleeper->id)) == 'S'));
}

/* What the access was answered with. */
static inline int sleeper_join(struct __test_metadata *_metadata,
			       struct sleeper *sleeper)
{
	ASSERT_TRUE(wait_until(atomic_load(&sleeper->done)));
	EXPECT_EQ(0, pthread_join(sleeper->thread, NULL));
	return sleeper->result;
}

#endif /* LABYRINTH_SLEEPER_H */
