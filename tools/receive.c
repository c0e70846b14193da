// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth receive: become the owner of the pages that a sender gives, and write what
 * is in them to a file.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "copy.h"

/**
 * struct receiving - a file on its way from the sender
 * @dev: the device
 * @channel: to the sender
 * @output: where it goes
 * @quiet: say nothing but errors
 * @json: report as JSON
 * @tickets: so far
 * @bytes: so far
 * @sum: of the bytes
 */
struct receiving {
	struct labyrinth_device *dev;
	struct channel channel;
	struct output output;
	bool quiet;
	bool json;
	uint64_t tickets;
	uint64_t bytes;
	SHA2_CTX sum;
};

/* Nobody can change the pages between the sum and the file: they are ours alone. */
static int write_pages(struct receiving *receiving, struct labyrinth_buf **bufs, int count,
		       uint64_t length)
{
	int i, code = EXIT_DONE;

	for (i = 0; i < count && length && !code; i++) {
		const void *data = labyrinth_buf_data(bufs[i]);
		size_t size = labyrinth_buf_size(bufs[i]);

		if (size > length)
			size = length;
		SHA256Update(&receiving->sum, data, size);
		code = output_write(&receiving->output, data, size);
		receiving->bytes += size;
		length -= size;
	}
	if (!code && length)
		code = failed("the sender announced more bytes than its pages hold");
	return code;
}

static int take_failed(void)
{
	/* Only this one means the device; the others mean the ticket. */
	if (errno == ENODEV)
		return library_failed();
	if (errno == EXDEV)
		return failed("%s: choose the sender's with -d", labyrinth_strerror());
	return failed("%s", labyrinth_strerror());
}

static int receive_ticket(struct receiving *receiving, int ticket, uint64_t length)
{
	struct labyrinth_buf *bufs[CHANNEL_PAGES];
	int count, code;

	count = labyrinth_bufs_take(receiving->dev, ticket, bufs, CHANNEL_PAGES);
	if (count < 0)
		return take_failed();
	code = write_pages(receiving, bufs, count, length);
	if (code)
		return code;
	if (labyrinth_bufs_release(bufs, count) < 0)
		return library_failed();
	receiving->tickets++;
	return channel_acknowledge(&receiving->channel);
}

static int check(const struct receiving *receiving, const struct channel_message *last,
		 const char *sum)
{
	if (last->length != receiving->bytes)
		return failed("%" PRIu64 " bytes were sent, but %" PRIu64 " have come",
			      last->length, receiving->bytes);
	if (memcmp(last->sum, sum, CHANNEL_SUM))
		return failed("bytes were lost or changed: SHA-256 %.*s sent, %s received",
			      CHANNEL_SUM, last->sum, sum);
	return EXIT_DONE;
}

static int report(const struct receiving *receiving, const char *sum)
{
	const struct style style = {
		.json = true,
		.stream = receiving->output.direct ? stderr : stdout,
	};
	const struct field fields[] = {
		{ "device", "", labyrinth_device_path(receiving->dev), 0 },
		{ "output", "", receiving->output.name, 0 },
		{ "bytes", "", NULL, receiving->bytes },
		{ "tickets", "", NULL, receiving->tickets },
		{ "sha256", "", sum, 0 },
	};

	if (receiving->json)
		return fields_print("receive", fields, ARRAY_SIZE(fields), &style);
	fprintf(stderr, "received %" PRIu64 " bytes in %" PRIu64 " ticket%s of %s\n"
		"SHA-256 %s  %s (equal)\n", receiving->bytes, receiving->tickets,
		receiving->tickets == 1 ? "" : "s",
		labyrinth_device_path(receiving->dev), sum, receiving->output.name);
	return EXIT_DONE;
}

static int finish(struct receiving *receiving, const struct channel_message *last)
{
	char sum[DIGEST_TEXT];
	int code;

	SHA256End(&receiving->sum, sum);
	code = check(receiving, last, sum);
	if (!code)
		code = output_sync(&receiving->output);
	if (!code)
		code = output_commit(&receiving->output);
	if (code)
		return code;
	/* All is in place, also where the sender cannot be told any more. */
	channel_acknowledge(&receiving->channel);
	return receiving->quiet ? EXIT_DONE : report(receiving, sum);
}

static int receive_all(struct receiving *receiving)
{
	struct channel_message message;
	int ticket, code;

	SHA256Init(&receiving->sum);
	for (;;) {
		code = channel_receive(&receiving->channel, &message, &ticket);
		if (code)
			return code;
		if (message.last)
			return finish(receiving, &message);
		code = receive_ticket(receiving, ticket, message.length);
		close(ticket);
		if (code)
			return code;
	}
}

static int receive_on(const struct request *request, struct receiving *receiving)
{
	int code;

	receiving->dev = channel_select_device(request->device, &code);
	if (!receiving->dev)
		return code;
	code = channel_accept(&receiving->channel, request->first, request->quiet);
	if (!code)
		code = receive_all(receiving);
	channel_close(&receiving->channel);
	/* Releases what is left, too. */
	labyrinth_device_close(receiving->dev);
	return code;
}

/* The file first: what is wrong with it does not depend on a device or a sender. */
static int receive(const struct request *request)
{
	struct receiving receiving = { .quiet = request->quiet, .json = request->json };
	/* There is no file yet whose mode it could have, and none that it must not be. */
	const struct stat source = { .st_mode = 0 };
	int code;

	output_catch_signals();
	if (request->second)
		code = output_open(&receiving.output, request->second, &source);
	else
		code = output_open_standard(&receiving.output);
	if (!code)
		code = receive_on(request, &receiving);
	output_discard(&receiving.output);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	return request_run(command, argc, argv, false,
			   "name the socket, and at most one file to write", receive);
}

const struct command command_receive = {
	.name = "receive",
	.synopsis = "SOCKET [OUT] [-d DEV] [--quiet] [--json]",
	.summary = "write what 'labyrinth send' gives to a file",
	.help = "Makes SOCKET, waits there for one 'labyrinth send', and removes SOCKET. Takes\n"
		"the pages that the sender gives, writes them to OUT, or the standard output,\n"
		"and releases them. OUT gets its name only when it is complete, on the disk, and\n"
		"its SHA-256 is the sender's; a pipe or a character device is written to at once.\n\n"
		DEVICE_HELP
		"  -j, --json        report as JSON: on the standard output, unless OUT is that\n"
		"  -q, --quiet       neither messages about waiting nor a report\n",
	.run = run,
};
