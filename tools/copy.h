/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of `labyrinth copy`; `labyrinth send` and `labyrinth receive` use some too.
 */
#ifndef LABYRINTH_COPY_H
#define LABYRINTH_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <sha2.h>

#include "command.h"

/**
 * struct request - what a person wants to be done
 * @device: the device, or NULL for the only one
 * @first: the file to copy, or else the socket
 * @second: the file to write, or else to send; NULL for a standard file
 * @quiet: say nothing but errors
 * @json: report as JSON
 */
struct request {
	const char *device;
	const char *first;
	const char *second;
	bool quiet;
	bool json;
};

/* request.c */
typedef int request_function(const struct request *request);

int request_run(const struct command *command, int argc, char **argv, bool both,
		const char *usage, request_function *run);

/* progress.c: there is one terminal, so there is one progress bar */
void progress_begin(bool wanted, uint64_t total);
void progress_update(uint64_t done);
void progress_end(void);
double progress_seconds(void);

/* digest.c */
#define DIGEST_TEXT	SHA256_DIGEST_STRING_LENGTH

int digest_file(int fd, uint64_t length, char *text);

/* input.c */
int input_open(const char *name, int *fd, struct stat *source);
int input_read(int fd, void *data, size_t length, size_t *got);
int input_failed(const char *name, int error);

/**
 * struct output - where the copy goes
 * @name: as the person called it
 * @path: the file to replace in the end, symbolic links resolved
 * @fd: what to write to
 * @direct: not a regular file: written to at once, and cannot be read again
 */
struct output {
	const char *name;
	char *path;
	int fd;
	bool direct;
};

/* output.c */
int output_open(struct output *output, const char *name, const struct stat *source);
int output_open_standard(struct output *output);
int output_write(struct output *output, const void *data, size_t length);
int output_sync(struct output *output);
int output_commit(struct output *output);
void output_discard(struct output *output);
void output_catch_signals(void);

/* temporary.c: there is one output, so there is one temporary file */
int temporary_open(const char *path);
int temporary_rename(int fd, const char *path);
void temporary_discard(void);
void temporary_unlink(void);
int temporary_open_folder(const char *path, int flags);

/**
 * struct transfer - a file on its way through the device
 * @dev: the device
 * @source_name: as the person called it
 * @source: what to read
 * @output: where it goes
 * @quiet: say nothing but errors
 * @json: report as JSON
 * @bytes_read: so far
 * @bytes_written: so far
 * @source_sum: of the bytes read, if they cannot be read again; or NULL
 * @output_sum: of the bytes written, if they cannot be read again; or NULL
 */
struct transfer {
	struct labyrinth_device *dev;
	const char *source_name;
	int source;
	struct output *output;
	bool quiet;
	bool json;
	uint64_t bytes_read;
	uint64_t bytes_written;
	SHA2_CTX *source_sum;
	SHA2_CTX *output_sum;
};

/* pipeline.c */
int pipeline_run(struct transfer *transfer);

#endif /* LABYRINTH_COPY_H */
