// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The processes of `labyrinth stress`: they are started, watched, and stopped together.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

#define LOOK_SECONDS	0.2
#define EXIT_LOST	100		/* a worker's, when the device went away */

static pid_t *crew;
static unsigned int alive;
static bool drawn;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void end_progress(void)
{
	if (drawn)
		fputc('\n', stderr);
	drawn = false;
}

void crew_sum(const struct stress *stress, struct tally *tallies, struct tally *sum)
{
	unsigned int i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < stress->workers; i++) {
		sum->rounds += tallies[i].rounds;
		sum->pages += tallies[i].pages;
		sum->refused += tallies[i].refused;
		sum->copies += tallies[i].copies;
		sum->tickets += tallies[i].tickets;
	}
}

static void draw(const struct stress *stress, struct tally *tallies, double seconds)
{
	struct tally sum;

	crew_sum(stress, tallies, &sum);
	fprintf(stderr, "\r\033[K%.0f s", seconds);
	if (stress->seconds)
		fprintf(stderr, " of %g", stress->seconds);
	fprintf(stderr, "  %" PRIu64 " pages  %" PRIu64 " copies  %" PRIu64 " tickets",
		(uint64_t)sum.pages, (uint64_t)sum.copies, (uint64_t)sum.tickets);
	fflush(stderr);
	drawn = true;
}

static void stop(const struct stress *stress)
{
	unsigned int i;

	for (i = 0; crew && i < stress->workers; i++)
		if (crew[i] > 0)
			kill(crew[i], SIGTERM);
}

static void leave_device(void)
{
	_exit(EXIT_LOST);
}

/*
 * A worker dies with its parent, whatever becomes of that. What it has to say it leaves
 * in its tally, so that a person gets one line, not one from each.
 */
static _Noreturn void be_worker(const struct stress *stress, unsigned int number,
				struct tally *tally, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signals_on_device_loss(leave_device);
	report_into(tally->reason, sizeof(tally->reason));
	_exit(getppid() == parent ? worker_run(stress, number, tally) : EXIT_FAILED);
}

int crew_start(const struct stress *stress, struct tally *tallies)
{
	const pid_t parent = getpid();
	unsigned int i;

	report_after(end_progress);
	crew = calloc(stress->workers, sizeof(*crew));
	if (!crew)
		return failed("out of memory");
	for (i = 0; i < stress->workers; i++) {
		crew[i] = fork();
		if (!crew[i])
			be_worker(stress, i, &tallies[i], parent);
		if (crew[i] < 0) {
			return failed("cannot start %u workers: %s; ask for fewer (-w)",
				      stress->workers, strerror(errno));
		}
		alive++;
	}
	return EXIT_DONE;
}

static int device_lost(void)
{
	return failed("the device went away while its pages were in use");
}

/* Says why a worker has ended early. */
static int report_end(int status, const struct tally *tally)
{
	if (!WIFEXITED(status))
		return failed("a worker was killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == EXIT_LOST)
		return device_lost();
	if (WEXITSTATUS(status))
		failed("%s", tally->reason);
	return WEXITSTATUS(status);
}

/* Forgets the worker, and returns its number. */
static unsigned int forget(const struct stress *stress, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < stress->workers - 1 && crew[i] != pid; i++)
		;
	crew[i] = 0;
	alive--;
	return i;
}

/* Looks at those that have ended, with the @flags of waitpid(). The first failure counts. */
static int collect(const struct stress *stress, struct tally *tallies, int flags, int code)
{
	unsigned int number;
	int status;
	pid_t pid;

	while (alive) {
		pid = waitpid(-1, &status, flags);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid <= 0)
			break;
		number = forget(stress, pid);
		if (!code)
			code = report_end(status, &tallies[number]);
	}
	return code;
}

/*
 * Until the time is over, a signal comes, or something goes wrong, which @code says has
 * happened already.
 */
int crew_work(const struct stress *stress, struct tally *tallies, int device_fd, int code)
{
	const double begin = now();

	while (alive && !code && !signals_stopped() &&
	       (!stress->seconds || now() < begin + stress->seconds)) {
		if (signals_hold(LOOK_SECONDS, device_fd))
			code = collect(stress, tallies, WNOHANG, code);
		else
			code = device_lost();
		if (!code && !stress->quiet && isatty(STDERR_FILENO))
			draw(stress, tallies, now() - begin);
	}
	stop(stress);
	code = collect(stress, tallies, 0, code);
	end_progress();
	free(crew);
	return code;
}
