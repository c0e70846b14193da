// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test by itself: run after one, it says nothing if every device still has all its
 * pages, nobody holds any, and those that are free can be had. Otherwise one line for each
 * fault, and 1.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/labyrinth.h>

/* Files of a killed process may go a little after it. */
#define TRIES		50
#define PAUSE_US	100000

#define AT_ONCE		32	/* pages in one call */

static bool is_conserved(const struct labyrinth_stat *stat)
{
	return stat->total == stat->free + stat->owned + stat->ticketed +
			      stat->kernel + stat->quarantined + stat->poisoned;
}

static bool is_idle(const struct labyrinth_stat *stat)
{
	return !stat->owned && !stat->ticketed && !stat->kernel && !stat->quarantined &&
	       !stat->waiters;
}

/*
 * The states may add up though a page is lost: one that counts as free, and that nobody will
 * ever be given.
 */
static bool can_be_had(const char *path, __u64 pages)
{
	struct labyrinth_buffer buffers[AT_ONCE];
	struct labyrinth_acquire cmd = {
		.size = sizeof(cmd),
		.flags = LABYRINTH_ACQUIRE_NOWAIT | LABYRINTH_ACQUIRE_PARTIAL,
		.buffers = (uintptr_t)buffers,
	};
	int fd = open(path, O_RDWR | O_CLOEXEC), result = 0;

	if (fd < 0)
		return false;
	while (pages && !result) {
		cmd.count = pages < AT_ONCE ? pages : AT_ONCE;
		result = ioctl(fd, LABYRINTH_ACQUIRE, &cmd);
		if (!result)
			pages -= cmd.acquired;
	}
	close(fd);
	return !result;
}

static __u64 spare(const struct labyrinth_stat *stat)
{
	return stat->free > stat->reserve ? stat->free - stat->reserve : 0;
}

static int get_stat(int fd, struct labyrinth_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	return ioctl(fd, LABYRINTH_STAT, stat);
}

/* In sentinel mode, the pages are looked at when they are taken. */
static bool are_untouched(int fd, __u64 poisoned)
{
	struct labyrinth_stat stat;

	return !get_stat(fd, &stat) && stat.poisoned == poisoned;
}

static const char *fault(const struct labyrinth_stat *stat)
{
	if (!is_conserved(stat))
		return "pages lost or made up";
	return is_idle(stat) ? "free pages cannot be had" : "still in use";
}

static int check(const char *path)
{
	struct labyrinth_stat stat;
	int fd, tries, status = 1;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		printf("%s: cannot open: %s\n", path, strerror(errno));
		return 1;
	}
	for (tries = 0; tries < TRIES; tries++) {
		if (get_stat(fd, &stat)) {
			printf("%s: no STAT: %s\n", path, strerror(errno));
			goto out;
		}
		/* The sum holds in every snapshot, or it does not hold. */
		if (!is_conserved(&stat))
			break;
		/* Surplus is free until it is gone, and cannot be had: hence more than once. */
		if (is_idle(&stat) && can_be_had(path, spare(&stat))) {
			status = !are_untouched(fd, stat.poisoned);
			if (status)
				printf("%s: free pages have been written to\n", path);
			goto out;
		}
		usleep(PAUSE_US);
	}
	printf("%s: %s: total %llu, free %llu, owned %llu, ticketed %llu, ",
	       path, fault(&stat),
	       (unsigned long long)stat.total, (unsigned long long)stat.free,
	       (unsigned long long)stat.owned, (unsigned long long)stat.ticketed);
	printf("kernel %llu, quarantined %llu, poisoned %llu, waiters %llu\n",
	       (unsigned long long)stat.kernel, (unsigned long long)stat.quarantined,
	       (unsigned long long)stat.poisoned, (unsigned long long)stat.waiters);
out:
	close(fd);
	return status;
}

int main(void)
{
	glob_t devices;
	int status = 0;
	size_t i;

	if (glob("/dev/labyrinth*", 0, NULL, &devices)) {
		puts("/dev: no labyrinth device");
		return 1;
	}
	for (i = 0; i < devices.gl_pathc; i++)
		status |= check(devices.gl_pathv[i]);
	globfree(&devices);
	return status;
}
