/* SPDX-License-Identifier: GPL-2.0 */
/* Sending the whole machine to sleep, and having its host wake it up. */
#ifndef LABYRINTH_SUSPEND_H
#define LABYRINTH_SUSPEND_H

#include "labyrinth_device.h"

#define POWER	"/sys/power/"

static inline bool file_has(const char *path, const char *word)
{
	char line[128] = "";
	FILE *file = fopen(path, "r");

	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = 0;
	fclose(file);
	return strstr(line, word);
}

/* To RAM, which only a kernel and a machine that can do it, and a host, allow. */
static inline void suspend_require(struct __test_metadata *_metadata)
{
	if (!getenv("LABYRINTH_HOST"))
		SKIP(_exit(KSFT_SKIP), "no host to wake us up: LABYRINTH_HOST is not set");
	if (!file_has(POWER "state", "mem") || !file_has(POWER "mem_sleep", "deep"))
		SKIP(_exit(KSFT_SKIP), "this kernel cannot suspend this machine to RAM");
	if (access(POWER "state", W_OK))
		SKIP(_exit(KSFT_SKIP), "no right to suspend the machine");
	ASSERT_EQ(0, sysfs_write(POWER "mem_sleep", "deep"));
}

/* Returns after the machine has slept: 0, or -1 if it did not get so far. */
static inline int suspend_and_wake(void)
{
	if (host_command(getenv("LABYRINTH_HOST"), "wakeup 0\n"))
		return -1;
	return sysfs_write(POWER "state", "mem");
}

#endif /* LABYRINTH_SUSPEND_H */
