// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth send: read a file into exclusive pages, and give these to the receiver.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "copy.h"

/**
 * struct sending - a file on its way to the receiver
 * @dev: the device
 * @channel: to the receiver
 * @source_name: as the person called it
 * @source: what to read
 * @expected: bytes it has; 0 if unknown
 * @quiet: say nothing but errors
 * @json: report as JSON
 * @unacknowledged: tickets that the receiver has not done with
 * @tickets: so far
 * @bytes: so far
 * @sum: of the bytes
 * @at_end: all has been read
 */
struct sending {
	struct labyrinth_device *dev;
	struct channel channel;
	const char *source_name;
	int source;
	uint64_t expected;
	bool quiet;
	bool json;
	unsigned int unacknowledged;
	uint64_t tickets;
	uint64_t bytes;
	SHA2_CTX sum;
	bool at_end;
};

static int interrupted(const struct sending *sending)
{
	return failed("stopped: %s was not sent", sending->source_name);
}

static int await_acknowledgement(struct sending *sending)
{
	int code = channel_await_acknowledgement(&sending->channel);

	if (!code)
		sending->unacknowledged--;
	return code;
}

static bool is_shortage(int error)
{
	return error == EAGAIN || error == EDQUOT || error == ENOBUFS || error == ENOMEM;
}

static int wait_for_page(struct sending *sending, struct labyrinth_buf **buf)
{
	if (!sending->quiet)
		note("waiting: %s", labyrinth_strerror());
	*buf = labyrinth_buf_acquire(sending->dev);
	if (*buf)
		return EXIT_DONE;
	return errno == EINTR ? interrupted(sending) : library_failed();
}

/* As many pages as there are up to a ticket's worth, but one at least. */
static int acquire(struct sending *sending, struct labyrinth_buf **bufs, unsigned int want,
		   unsigned int *count)
{
	struct labyrinth_acquire_options options = {
		.size = sizeof(options),
		.flags = LABYRINTH_ACQUIRE_NOWAIT | LABYRINTH_ACQUIRE_PARTIAL,
	};
	int got, code;

	for (;;) {
		got = labyrinth_bufs_acquire(sending->dev, want, &options, bufs);
		if (got > 0) {
			*count = got;
			return EXIT_DONE;
		}
		if (!is_shortage(errno))
			return library_failed();
		if (!sending->unacknowledged)
			break;
		/* The receiver gives pages back before it answers. */
		code = await_acknowledgement(sending);
		if (code)
			return code;
	}
	*count = 1;
	return errno == EAGAIN ? wait_for_page(sending, bufs) : library_failed();
}

/* Reads into @bufs; those that stay empty are released. Sets @count to what is full. */
static int fill(struct sending *sending, struct labyrinth_buf **bufs, unsigned int *count,
		uint64_t *length)
{
	unsigned int i;
	size_t got;

	*length = 0;
	for (i = 0; i < *count && !sending->at_end; i++) {
		void *data = labyrinth_buf_data(bufs[i]);
		size_t size = labyrinth_buf_size(bufs[i]);

		if (input_read(sending->source, data, size, &got) < 0)
			return signals_stopped() ? interrupted(sending) :
						   input_failed(sending->source_name, errno);
		sending->at_end = got < size;
		if (!got)
			break;
		SHA256Update(&sending->sum, data, got);
		*length += got;
	}
	if (labyrinth_bufs_release(bufs + i, *count - i) < 0)
		return library_failed();
	*count = i;
	return EXIT_DONE;
}

static int give(struct sending *sending, struct labyrinth_buf **bufs, unsigned int count,
		uint64_t length)
{
	struct channel_message message = { .length = length };
	int ticket, code = EXIT_DONE;

	if (sending->unacknowledged == CHANNEL_TICKETS)
		code = await_acknowledgement(sending);
	if (code)
		return code;
	ticket = labyrinth_bufs_give(bufs, count);
	if (ticket < 0)
		return library_failed();
	code = channel_send(&sending->channel, &message, ticket);
	close(ticket);
	if (code)
		return code;
	sending->unacknowledged++;
	sending->tickets++;
	sending->bytes += length;
	return EXIT_DONE;
}

/* A file that grows while it is read is sent to where it ends by then. */
static unsigned int pages_wanted(const struct sending *sending)
{
	uint64_t left, page = sysconf(_SC_PAGESIZE);

	if (!sending->expected)
		return CHANNEL_PAGES;
	if (sending->expected <= sending->bytes)
		return 1;
	left = (sending->expected - sending->bytes + page - 1) / page;
	return left < CHANNEL_PAGES ? left : CHANNEL_PAGES;
}

static int send_ticket(struct sending *sending)
{
	struct labyrinth_buf *bufs[CHANNEL_PAGES];
	unsigned int count;
	uint64_t length;
	int code;

	code = acquire(sending, bufs, pages_wanted(sending), &count);
	if (!code)
		code = fill(sending, bufs, &count, &length);
	if (!code && count)
		code = give(sending, bufs, count, length);
	return code;
}

/* The answer to this one says that everything has arrived. */
static int send_last(struct sending *sending, const char *sum)
{
	struct channel_message message = { .last = 1, .length = sending->bytes };
	int code;

	memcpy(message.sum, sum, sizeof(message.sum));
	code = channel_send(&sending->channel, &message, -1);
	sending->unacknowledged++;
	while (!code && sending->unacknowledged)
		code = await_acknowledgement(sending);
	return code;
}

static int report(const struct sending *sending, const char *sum)
{
	const struct style style = { .json = true };
	const struct field fields[] = {
		{ "device", "", labyrinth_device_path(sending->dev), 0 },
		{ "source", "", sending->source_name, 0 },
		{ "bytes", "", NULL, sending->bytes },
		{ "tickets", "", NULL, sending->tickets },
		{ "sha256", "", sum, 0 },
	};

	if (sending->json)
		return fields_print("send", fields, ARRAY_SIZE(fields), &style);
	fprintf(stderr, "sent %" PRIu64 " bytes in %" PRIu64 " ticket%s of %s\n"
		"SHA-256 %s  %s\n", sending->bytes, sending->tickets,
		sending->tickets == 1 ? "" : "s", labyrinth_device_path(sending->dev),
		sum, sending->source_name);
	return EXIT_DONE;
}

static int send_all(struct sending *sending)
{
	char sum[DIGEST_TEXT];
	int code = EXIT_DONE;

	SHA256Init(&sending->sum);
	while (!code && !sending->at_end)
		code = send_ticket(sending);
	if (code)
		return code;
	SHA256End(&sending->sum, sum);
	code = send_last(sending, sum);
	if (!code && !sending->quiet)
		code = report(sending, sum);
	return code;
}

static int open_source(const struct request *request, struct sending *sending)
{
	struct stat source;
	int code;

	if (!request->second) {
		sending->source_name = "the standard input";
		sending->source = STDIN_FILENO;
		return EXIT_DONE;
	}
	sending->source_name = request->second;
	code = input_open(request->second, &sending->source, &source);
	if (!code && S_ISREG(source.st_mode))
		sending->expected = source.st_size;
	return code;
}

static int send_from(const struct request *request, struct sending *sending)
{
	int code;

	sending->dev = channel_select_device(request->device, &code);
	if (!sending->dev)
		return code;
	code = channel_connect(&sending->channel, request->first);
	if (!code)
		code = send_all(sending);
	channel_close(&sending->channel);
	/* Releases what is left, too. */
	labyrinth_device_close(sending->dev);
	return code;
}

static int send_file(const struct request *request)
{
	struct sending sending = { .quiet = request->quiet, .json = request->json, .source = -1 };
	int code;

	signals_catch();
	signals_on_device_loss(NULL);
	code = open_source(request, &sending);
	if (!code)
		code = send_from(request, &sending);
	if (sending.source > STDIN_FILENO)
		close(sending.source);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	return request_run(command, argc, argv, false,
			   "name the socket, and at most one file to send", send_file);
}

const struct command command_send = {
	.name = "send",
	.synopsis = "SOCKET [FILE] [-d DEV] [--quiet] [--json]",
	.summary = "give a file's content to 'labyrinth receive', page by page",
	.help = "Reads FILE, or the standard input, into pages of the device, and gives them to\n"
		"the 'labyrinth receive' that listens on SOCKET. The bytes are not copied on the\n"
		"way: what goes over the socket are tickets, which own the pages, at most two of\n"
		"them at a time. Done means that the receiver has all in place, and the same\n"
		"SHA-256.\n\n"
		DEVICE_HELP
		"  -j, --json        report as JSON, on the standard output\n"
		"  -q, --quiet       no report\n",
	.run = run,
};
