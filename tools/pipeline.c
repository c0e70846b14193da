// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keeps the device's DMA engine busy with pieces of the file.
 *
 * Each piece has a pair of pages: it is read into the first, copied by the device into
 * the second, and written from there. Pieces end in the order they were started, so the
 * pairs form a ring.
 */
#include <errno.h>
#include <string.h>

#include "copy.h"

/* Enough to have the next piece waiting whenever the device ends one. */
#define MAX_PAIRS	8

struct pipeline {
	struct transfer *transfer;
	struct labyrinth_buf *bufs[2 * MAX_PAIRS];	/* sources, destinations in turn */
	size_t lengths[MAX_PAIRS];
	size_t piece;			/* bytes in a whole one */
	unsigned int pairs;
	unsigned int first, busy;	/* of the ring */
	bool at_end;
};

static int interrupted(const struct transfer *transfer)
{
	return failed("stopped: %s was not written", transfer->output->name);
}

/* Two pages are needed; waits for them, and says so. */
static int acquire_first_pair(struct pipeline *pipeline)
{
	struct labyrinth_acquire_options options = {
		.size = sizeof(options),
		.flags = LABYRINTH_ACQUIRE_NOWAIT,
	};
	struct transfer *transfer = pipeline->transfer;

	if (labyrinth_bufs_acquire(transfer->dev, 2, &options, pipeline->bufs) == 2)
		return EXIT_DONE;
	if (errno == EAGAIN) {
		if (!transfer->quiet)
			note("waiting: %s", labyrinth_strerror());
		if (labyrinth_bufs_acquire(transfer->dev, 2, NULL, pipeline->bufs) == 2)
			return EXIT_DONE;
	}
	return errno == EINTR ? interrupted(transfer) : library_failed();
}

/* More pairs make it faster: take what there is, also when that is nothing. */
static int acquire_more_pairs(struct pipeline *pipeline, const struct labyrinth_info *info)
{
	struct labyrinth_acquire_options options = {
		.size = sizeof(options),
		.flags = LABYRINTH_ACQUIRE_NOWAIT | LABYRINTH_ACQUIRE_PARTIAL,
	};
	unsigned int pairs = info->copy_depth < MAX_PAIRS ? info->copy_depth : MAX_PAIRS;
	unsigned int want = 2 * (pairs - 1);
	int got = 0;

	if (want > info->max_batch)
		want = info->max_batch;
	if (want)
		got = labyrinth_bufs_acquire(pipeline->transfer->dev, want, &options,
					     pipeline->bufs + 2);
	pipeline->pairs = 1 + (got > 0 ? got / 2 : 0);
	if (got > 0 && got % 2 && labyrinth_buf_release(pipeline->bufs[1 + got]) < 0)
		return library_failed();
	return EXIT_DONE;
}

static int set_up(struct pipeline *pipeline)
{
	struct labyrinth_info info;
	int code;

	if (labyrinth_device_info(pipeline->transfer->dev, &info, sizeof(info)) < 0)
		return library_failed();
	/* More than a chunk would cost the device a second pair of transfers. */
	pipeline->piece = info.copy_chunk < info.page_size ? info.copy_chunk : info.page_size;
	if (!(info.capabilities & LABYRINTH_CAP_COPY) || !pipeline->piece || !info.copy_depth)
		return failed("the loaded module cannot copy: load a newer one");
	code = acquire_first_pair(pipeline);
	return code ? code : acquire_more_pairs(pipeline, &info);
}

/* Reads straight into the page, as much as there is up to a whole piece. */
static int fill(struct pipeline *pipeline, struct labyrinth_buf *buf, size_t *length)
{
	struct transfer *transfer = pipeline->transfer;
	void *data = labyrinth_buf_data(buf);

	if (input_read(transfer->source, data, pipeline->piece, length) < 0)
		return signals_stopped() ? interrupted(transfer) :
					   input_failed(transfer->source_name, errno);
	if (transfer->source_sum)
		SHA256Update(transfer->source_sum, data, *length);
	transfer->bytes_read += *length;
	return EXIT_DONE;
}

static int start_piece(struct pipeline *pipeline)
{
	unsigned int pair = (pipeline->first + pipeline->busy) % pipeline->pairs;
	struct labyrinth_buf *source = pipeline->bufs[2 * pair];
	struct labyrinth_buf *destination = pipeline->bufs[2 * pair + 1];
	size_t length;
	int code;

	code = fill(pipeline, source, &length);
	if (code)
		return code;
	if (length < pipeline->piece)
		pipeline->at_end = true;
	if (!length)
		return EXIT_DONE;
	if (labyrinth_copy_start(destination, 0, source, 0, length, pair) < 0)
		return library_failed();
	pipeline->lengths[pair] = length;
	pipeline->busy++;
	return EXIT_DONE;
}

static int finish_piece(struct pipeline *pipeline, const struct labyrinth_event *event)
{
	struct transfer *transfer = pipeline->transfer;
	unsigned int pair = pipeline->first;
	size_t length = pipeline->lengths[pair];
	const void *data = labyrinth_buf_data(pipeline->bufs[2 * pair + 1]);
	int code;

	if (event->result == -ENODEV)
		return failed("the device went away while it copied byte %llu of %s",
			      (unsigned long long)transfer->bytes_written,
			      transfer->source_name);
	if (event->result)
		return failed("the device failed to copy the piece at byte %llu of %s: %s",
			      (unsigned long long)transfer->bytes_written,
			      transfer->source_name, strerror(-event->result));
	if (event->user_data != pair)
		return failed("the device answered out of order: load a newer module");
	code = output_write(transfer->output, data, length);
	if (code)
		return code;
	if (transfer->output_sum)
		SHA256Update(transfer->output_sum, data, length);
	transfer->bytes_written += length;
	progress_update(transfer->bytes_written);

	pipeline->first = (pair + 1) % pipeline->pairs;
	pipeline->busy--;
	return EXIT_DONE;
}

static int finish_pieces(struct pipeline *pipeline)
{
	struct labyrinth_event events[MAX_PAIRS];
	int count, code, i;

	if (labyrinth_events_wait(pipeline->transfer->dev, -1) < 0) {
		if (signals_stopped())
			return interrupted(pipeline->transfer);
		return errno == EINTR ? EXIT_DONE : library_failed();
	}
	count = labyrinth_events_read(pipeline->transfer->dev, events, MAX_PAIRS);
	if (count < 0)
		return library_failed();
	for (i = 0; i < count; i++) {
		code = finish_piece(pipeline, &events[i]);
		if (code)
			return code;
	}
	return EXIT_DONE;
}

/* The pages go back when the caller closes the device. */
int pipeline_run(struct transfer *transfer)
{
	struct pipeline pipeline = { .transfer = transfer };
	int code;

	code = set_up(&pipeline);
	while (!code && !(pipeline.at_end && !pipeline.busy)) {
		if (!pipeline.at_end && pipeline.busy < pipeline.pairs)
			code = start_piece(&pipeline);
		else
			code = finish_pieces(&pipeline);
	}
	return code;
}
