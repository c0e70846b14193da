// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth copy: push a file through exclusive pages and the device's DMA engine, and
 * prove that nothing was lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "copy.h"

/* What can be read again is summed from the disk, on no page of the device. */
static int final_sum(const char *name, int fd, uint64_t length, SHA2_CTX *streamed, char *text)
{
	if (streamed) {
		SHA256End(streamed, text);
		return EXIT_DONE;
	}
	if (!digest_file(fd, length, text))
		return EXIT_DONE;
	if (signals_stopped())
		return failed("stopped while checking");
	if (!errno)
		return failed("%s is shorter than what was copied: was it changed meanwhile?",
			      name);
	return failed("cannot read %s again to check it: %s", name, strerror(errno));
}

static int check_length(const struct transfer *transfer)
{
	struct stat output;

	if (transfer->bytes_written != transfer->bytes_read)
		return failed("%" PRIu64 " bytes were read, but %" PRIu64 " written",
			      transfer->bytes_read, transfer->bytes_written);
	if (transfer->output->direct)
		return EXIT_DONE;
	if (fstat(transfer->output->fd, &output) < 0 ||
	    (uint64_t)output.st_size != transfer->bytes_read)
		return failed("%" PRIu64 " bytes were read, but %s has %" PRIu64,
			      transfer->bytes_read, transfer->output->name,
			      (uint64_t)output.st_size);
	return EXIT_DONE;
}

static int verify(const struct transfer *transfer, char *source_sum, char *output_sum)
{
	int code;

	code = check_length(transfer);
	if (!code)
		code = final_sum(transfer->source_name, transfer->source, transfer->bytes_read,
				 transfer->source_sum, source_sum);
	if (!code)
		code = final_sum(transfer->output->name, transfer->output->fd,
				 transfer->bytes_read, transfer->output_sum, output_sum);
	if (code)
		return code;
	if (strcmp(source_sum, output_sum))
		return failed("bytes of %s were lost or changed: SHA-256 %s read, %s written",
			      transfer->source_name, source_sum, output_sum);
	return EXIT_DONE;
}

static int report_json(const struct transfer *transfer, double seconds, const char *sum,
		       FILE *stream)
{
	const struct style style = { .json = true, .stream = stream };
	const struct field fields[] = {
		{ "device", "", labyrinth_device_path(transfer->dev), 0 },
		{ "source", "", transfer->source_name, 0 },
		{ "output", "", transfer->output->name, 0 },
		{ "bytes", "", NULL, transfer->bytes_written },
		{ "milliseconds", "", NULL, seconds * 1000 },
		{ "sha256", "", sum, 0 },
	};

	return fields_print("copy", fields, ARRAY_SIZE(fields), &style);
}

static int report(const struct transfer *transfer, double seconds, const char *source_sum,
		  const char *output_sum)
{
	/* A direct output may be the terminal, or the pipe that stdout is. */
	FILE *stream = transfer->output->direct ? stderr : stdout;

	if (transfer->json)
		return report_json(transfer, seconds, output_sum, stream);
	fprintf(stream, "copied %" PRIu64 " bytes through %s in %.1f s\n",
		transfer->bytes_written, labyrinth_device_path(transfer->dev), seconds);
	fprintf(stream, "SHA-256 %s  %s\n", source_sum, transfer->source_name);
	fprintf(stream, "SHA-256 %s  %s (equal)\n", output_sum, transfer->output->name);
	return EXIT_DONE;
}

static int move(struct transfer *transfer)
{
	char source_sum[DIGEST_TEXT], output_sum[DIGEST_TEXT];
	double seconds;
	int code;

	code = pipeline_run(transfer);
	progress_end();
	seconds = progress_seconds();
	if (!code)
		code = output_sync(transfer->output);
	if (!code)
		code = verify(transfer, source_sum, output_sum);
	if (!code)
		code = output_commit(transfer->output);
	if (!code && !transfer->quiet)
		code = report(transfer, seconds, source_sum, output_sum);
	return code;
}

static int copy_between(const struct request *request, struct transfer *transfer,
			const struct stat *source)
{
	const bool regular = S_ISREG(source->st_mode);
	SHA2_CTX source_sum, output_sum;
	int code;

	SHA256Init(&source_sum);
	SHA256Init(&output_sum);
	transfer->source_sum = regular ? NULL : &source_sum;
	transfer->output_sum = transfer->output->direct ? &output_sum : NULL;
	transfer->dev = select_device(request->device, &code);
	if (!transfer->dev)
		return code;
	progress_begin(!request->quiet, regular ? source->st_size : 0);
	code = move(transfer);
	labyrinth_device_close(transfer->dev);
	return code;
}

/* The files first: what is wrong with them does not depend on a device. */
static int copy(const struct request *request)
{
	struct transfer transfer = {
		.source_name = request->first,
		.source = -1,
		.quiet = request->quiet,
		.json = request->json,
	};
	struct output output;
	struct stat source;
	int code;

	output_catch_signals();
	code = input_open(request->first, &transfer.source, &source);
	if (!code) {
		code = output_open(&output, request->second, &source);
		transfer.output = &output;
		if (!code)
			code = copy_between(request, &transfer, &source);
		output_discard(&output);
	}
	if (transfer.source >= 0)
		close(transfer.source);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	return request_run(command, argc, argv, true,
			   "name the file to copy, and the file to write", copy);
}

const struct command command_copy = {
	.name = "copy",
	.synopsis = "FILE OUT [-d DEV] [--quiet] [--json]",
	.summary = "copy a file through exclusive pages and the device",
	.help = "OUT gets its name only when it is complete, on the disk, and its SHA-256 is that\n"
		"of FILE. A pipe or a character device is written to at once.\n\n"
		DEVICE_HELP
		"  -j, --json        report as JSON\n"
		"  -q, --quiet       no progress bar and no report\n",
	.run = run,
};
