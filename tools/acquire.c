// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth acquire: own pages for a while.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

struct request {
	const char *device;
	unsigned int count;
	unsigned int order;
	double seconds;			/* negative: until a signal */
	bool nowait;
	const char *text;		/* written into every page, or NULL */
};

#define DESCRIPTION	64

/* "1 page", "8 pages", "2 buffers of 4 pages" */
static const char *describe(const struct request *request, char *text)
{
	const char *plural = request->count == 1 ? "" : "s";

	if (request->order)
		snprintf(text, DESCRIPTION, "%u buffer%s of %u pages", request->count, plural,
			 1U << request->order);
	else
		snprintf(text, DESCRIPTION, "%u page%s", request->count, plural);
	return text;
}

/* Single pages are waited for, and not too many at once; contiguous ones never are. */
static unsigned int batch_size(const struct labyrinth_info *info, const struct request *request)
{
	if (!request->nowait && !request->order && info->max_request < info->max_batch)
		return info->max_request;
	return info->max_batch;
}

static int acquire_failed(unsigned int done, unsigned int count)
{
	if (errno == EINTR)
		return failed("stopped while waiting for pages: %u of %u had come", done, count);
	return library_failed();
}

static int acquire_all(struct labyrinth_device *dev, const struct request *request,
		       struct labyrinth_buf **bufs)
{
	struct labyrinth_acquire_options options = {
		.size = sizeof(options),
		.flags = request->nowait ? LABYRINTH_ACQUIRE_NOWAIT : 0,
		.order = request->order,
	};
	struct labyrinth_info info;
	unsigned int done, batch, most;

	if (labyrinth_device_info(dev, &info, sizeof(info)) < 0)
		return library_failed();
	most = batch_size(&info, request);
	for (done = 0; done < request->count; done += batch) {
		batch = request->count - done;
		if (batch > most)
			batch = most;
		if (signals_stopped())
			errno = EINTR;
		else if (labyrinth_bufs_acquire(dev, batch, &options, bufs + done) >= 0)
			continue;
		return acquire_failed(done, request->count);
	}
	return EXIT_DONE;
}

static int check_zero(struct labyrinth_buf **bufs, unsigned int count)
{
	const unsigned char *data;
	size_t size, at;
	unsigned int i;

	for (i = 0; i < count; i++) {
		data = labyrinth_buf_data(bufs[i]);
		size = labyrinth_buf_size(bufs[i]);
		for (at = 0; at < size && !data[at]; at++)
			;
		if (at < size)
			return failed("buffer %u of %u was not zero on arrival: %#04x at byte %zu",
				      i + 1, count, data[at], at);
	}
	return EXIT_DONE;
}

static void write_text(struct labyrinth_buf **bufs, unsigned int count, const char *text)
{
	const size_t length = strlen(text);
	unsigned int i;
	size_t at;
	char *data;

	for (i = 0; i < count; i++) {
		data = labyrinth_buf_data(bufs[i]);
		for (at = 0; at < labyrinth_buf_size(bufs[i]); at++)
			data[at] = text[at % length];
	}
}

static int hold(struct labyrinth_device *dev, const struct request *request)
{
	char text[DESCRIPTION];

	printf("holding %s of %s, every byte zero on arrival%s, ", describe(request, text),
	       labyrinth_device_path(dev), request->text ? ", text written" : "");
	if (request->seconds < 0)
		puts("until Ctrl-C");
	else
		printf("for %g s\n", request->seconds);
	fflush(stdout);

	if (!signals_hold(request->seconds, labyrinth_device_fd(dev)))
		return failed("%s went away, and the pages with it",
			      labyrinth_device_path(dev));
	return EXIT_DONE;
}

static int use_pages(struct labyrinth_device *dev, const struct request *request,
		     struct labyrinth_buf **bufs)
{
	char text[DESCRIPTION];
	int code;

	code = acquire_all(dev, request, bufs);
	if (code)
		return code;
	code = check_zero(bufs, request->count);
	if (code)
		return code;
	if (request->text)
		write_text(bufs, request->count, request->text);
	code = hold(dev, request);
	if (code)
		return code;
	if (labyrinth_bufs_release(bufs, request->count) < 0)
		return library_failed();
	printf("released %s\n", describe(request, text));
	return EXIT_DONE;
}

static int acquire(const struct request *request)
{
	struct labyrinth_device *dev;
	struct labyrinth_buf **bufs;
	int code;

	dev = select_device(request->device, &code);
	if (!dev)
		return code;
	signals_catch();
	signals_on_device_loss(NULL);
	bufs = calloc(request->count, sizeof(struct labyrinth_buf *));
	code = bufs ? use_pages(dev, request, bufs) : failed("out of memory");
	free(bufs);
	/* Releases what is left, too. */
	labyrinth_device_close(dev);
	return code;
}

static int set_option(struct request *request, int option)
{
	switch (option) {
	case 'd':
		request->device = optarg;
		break;
	case 'n':
		if (!parse_number(optarg, INT_MAX, &request->count) || !request->count)
			return usage_error("'%s' is not a number of pages, 1 or more", optarg);
		break;
	case 'o':
		if (!parse_number(optarg, 31, &request->order))
			return usage_error("'%s' is not an order, the k of 2^k pages", optarg);
		break;
	case 't':
		if (!parse_seconds(optarg, &request->seconds))
			return usage_error("'%s' is not a number of seconds", optarg);
		break;
	case 'w':
		if (!*optarg)
			return usage_error("there is no text to write");
		request->text = optarg;
		break;
	case 'N':
		request->nowait = true;
		break;
	}
	return EXIT_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		DEVICE_OPTION,
		{ "count", required_argument, NULL, 'n' },
		{ "order", required_argument, NULL, 'o' },
		{ "time", required_argument, NULL, 't' },
		{ "write", required_argument, NULL, 'w' },
		{ "nowait", no_argument, NULL, 'N' },
		HELP_OPTION,
		VERSION_OPTION,
		LAST_OPTION
	};
	struct request request = { .count = 1, .seconds = -1 };
	int option, code;

	while ((option = getopt_long(argc, argv, ":d:n:o:t:w:NhV", options, NULL)) != -1) {
		if (!strchr("dnotwN", option))
			return common_option(command, option);
		code = set_option(&request, option);
		if (code)
			return code;
	}
	code = no_arguments(argc, argv);
	return code ? code : acquire(&request);
}

const struct command command_acquire = {
	.name = "acquire",
	.synopsis = "[-d DEV] [-n N] [-o K] [-t S] [--nowait] [--write TEXT]",
	.summary = "acquire pages, hold them for a while, release them",
	.help = DEVICE_HELP
		"  -n, --count N     how many pages, or buffers (default: 1)\n"
		"  -o, --order K     buffers of 2^K contiguous pages each (default: 0, one page);\n"
		"                    above 0 it never waits, and fails at once without memory\n"
		"  -t, --time S      hold them for S seconds (default: until Ctrl-C)\n"
		"  -N, --nowait      fail at once if there are too few\n"
		"  -w, --write TEXT  fill every page with TEXT, again and again\n",
	.run = run,
};
