// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ctrl-C, Ctrl-\ and the like end a command in order; the loss of the device does too.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"

static const int stopping[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP };
static atomic_bool stopped;
static void (*loss_clean_up)(void);

/*
 * A signal may come after the command has looked for one and before it sleeps: the
 * alarm, which comes here as well, wakes it once more, until it ends.
 */
static void on_stop(int number)
{
	(void)number;
	stopped = true;
	alarm(1);
}

/* nohup has SIGHUP ignored, and so it stays. */
void signals_catch(void)
{
	/* No SA_RESTART: what waits must return. */
	struct sigaction action = { .sa_handler = on_stop };
	struct sigaction before;
	size_t i;

	sigaction(SIGALRM, &action, NULL);
	for (i = 0; i < ARRAY_SIZE(stopping); i++)
		sigaction(stopping[i], &action, stopping[i] == SIGHUP ? &before : NULL);
	if (before.sa_handler == SIG_IGN)
		sigaction(SIGHUP, &before, NULL);
}

bool signals_stopped(void)
{
	return stopped;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/*
 * Waits for @seconds, or until a signal if that is negative. False when the device went
 * away meanwhile. Signals are blocked outside ppoll(), so that none is overlooked
 * between looking and sleeping.
 */
bool signals_hold(double seconds, int device_fd)
{
	struct pollfd poll_fd = { .fd = device_fd };
	const double end = now() + seconds;
	sigset_t blocked, before;
	struct timespec rest;
	bool present = true;
	double left = 0;
	size_t i;

	sigemptyset(&blocked);
	for (i = 0; i < ARRAY_SIZE(stopping); i++)
		sigaddset(&blocked, stopping[i]);
	sigprocmask(SIG_BLOCK, &blocked, &before);

	while (present && !stopped && (seconds < 0 || (left = end - now()) > 0)) {
		if (seconds >= 0) {
			rest.tv_sec = left;
			rest.tv_nsec = (left - rest.tv_sec) * 1e9;
		}
		if (ppoll(&poll_fd, 1, seconds < 0 ? NULL : &rest, &before) > 0)
			present = false;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return present;
}

static void on_device_loss(int number)
{
	static const char text[] = ": the device went away while its pages were in use\n";

	(void)number;
	if (loss_clean_up)
		loss_clean_up();
	if (write(STDERR_FILENO, program, strlen(program)) < 0 ||
	    write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(EXIT_FAILED);
	_exit(EXIT_FAILED);
}

/* Touching a page of a device that was unplugged is SIGBUS. @clean_up may be NULL. */
void signals_on_device_loss(void (*clean_up)(void))
{
	struct sigaction action = { .sa_handler = on_device_loss };

	loss_clean_up = clean_up;
	sigaction(SIGBUS, &action, NULL);
}
