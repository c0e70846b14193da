// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * That `labyrinth copy` notices whatever becomes of the bytes on the way: the way is the
 * test's, and loses or changes some. Needs no device.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../copy.h"

#define LENGTH	100000

static unsigned int tests, failures;
static char said[512];			/* on stderr, by the last run_copy() */
static char bytes[LENGTH];

/* What happens on the way. */
static enum { NOTHING, WRITE_LESS, CHANGE, CUT_OUTPUT, CUT_SOURCE, READ_FAILS } mishap;

/* Of the next pread(), and of the next read(): the errno, or 0. */
static int pread_error, read_error;
static bool stop_reading;		/* a signal comes as well */

static void result(int passed, const char *name)
{
	printf("%sok %u - %s\n", passed ? "" : "not ", ++tests, name);
	if (!passed)
		printf("# said: %s\n", said);
	failures += !passed;
}

static ssize_t refuse(int *error)
{
	errno = *error;
	*error = 0;
	if (stop_reading)
		raise(SIGTERM);
	return -1;
}

ssize_t __wrap_pread64(int fd, void *data, size_t size, off_t offset);

ssize_t __wrap_pread64(int fd, void *data, size_t size, off_t offset)
{
	return pread_error ? refuse(&pread_error) :
	       syscall(SYS_pread64, fd, data, size, offset);
}

/* The same with _FORTIFY_SOURCE. */
ssize_t __wrap___pread64_chk(int fd, void *data, size_t size, off_t offset, size_t room);

ssize_t __wrap___pread64_chk(int fd, void *data, size_t size, off_t offset, size_t room)
{
	if (size > room)
		abort();
	return __wrap_pread64(fd, data, size, offset);
}

ssize_t __wrap_read(int fd, void *data, size_t size);

ssize_t __wrap_read(int fd, void *data, size_t size)
{
	return read_error ? refuse(&read_error) : syscall(SYS_read, fd, data, size);
}

/* There is no device. */
struct labyrinth_device *select_device(const char *choice, int *code)
{
	(void)choice;
	(void)code;
	return (struct labyrinth_device *)bytes;
}

void __wrap_labyrinth_device_close(struct labyrinth_device *dev);

void __wrap_labyrinth_device_close(struct labyrinth_device *dev)
{
	(void)dev;
}

const char *__wrap_labyrinth_device_path(const struct labyrinth_device *dev);

const char *__wrap_labyrinth_device_path(const struct labyrinth_device *dev)
{
	(void)dev;
	return "/dev/labyrinth0";
}

/* The way of the bytes. */
int pipeline_run(struct transfer *transfer)
{
	static char data[LENGTH + 1];
	size_t got;
	int code;

	if (input_read(transfer->source, data, sizeof(data), &got) < 0)
		return input_failed(transfer->source_name, errno);
	if (mishap == CHANGE)
		data[got - 1] ^= 1;
	code = output_write(transfer->output, data, got);
	transfer->bytes_read = got;
	transfer->bytes_written = mishap == WRITE_LESS ? got - 1 : got;
	if (mishap == CUT_OUTPUT && ftruncate(transfer->output->fd, got - 1) < 0)
		exit(1);
	if (mishap == CUT_SOURCE && truncate("in", got - 1) < 0)
		exit(1);
	if (mishap == READ_FAILS)
		pread_error = EIO;
	return code;
}

static void write_file(const char *name, const char *data, size_t length)
{
	FILE *file = fopen(name, "w");

	if (!file || fwrite(data, 1, length, file) != length || fclose(file))
		exit(1);
}

static bool holds(const char *name, const char *data, size_t length)
{
	static char found[LENGTH + 1];
	FILE *file = fopen(name, "r");
	size_t got;

	if (!file)
		exit(1);
	got = fread(found, 1, sizeof(found), file);
	fclose(file);
	return got == length && !memcmp(found, data, length);
}

static int run_copy(void)
{
	char *arguments[5] = { "labyrinth copy", "--quiet", "in", "out", NULL };
	FILE *before = stderr;
	int code;

	memset(said, 0, sizeof(said));
	stderr = fmemopen(said, sizeof(said), "w");
	if (!stderr)
		exit(1);
	optind = 0;
	code = command_copy.run(&command_copy, 4, arguments);
	fclose(stderr);
	stderr = before;
	return code;
}

/* Whether a copy fails with one line that has @text in it, and leaves what was there. */
static bool fails(const char *text)
{
	int code;

	write_file("in", bytes, LENGTH);
	write_file("out", "before", 6);
	code = run_copy();
	return code == EXIT_FAILED && strstr(said, text) &&
	       strchr(said, '\n') == said + strlen(said) - 1 && holds("out", "before", 6);
}

static void test_good(void)
{
	write_file("in", bytes, LENGTH);
	result(run_copy() == EXIT_DONE && !*said && holds("out", bytes, LENGTH),
	       "a copy is a copy");
	pread_error = EINTR;
	read_error = EINTR;
	result(run_copy() == EXIT_DONE && !*said && holds("out", bytes, LENGTH) && !pread_error &&
	       !read_error, "a signal that does not end it does no harm");
}

static void test_mishaps(void)
{
	mishap = WRITE_LESS;
	result(fails("100000 bytes were read, but 99999 written"), "a byte is not written");
	mishap = CHANGE;
	result(fails("bytes of in were lost or changed: SHA-256 "), "a bit is changed");
	mishap = CUT_OUTPUT;
	result(fails("100000 bytes were read, but out has 99999"), "the output is cut meanwhile");
	mishap = CUT_SOURCE;
	result(fails("in is shorter than what was copied: was it changed meanwhile?"),
	       "the source is cut meanwhile");
	mishap = READ_FAILS;
	result(fails("cannot read in again to check it: Input/output error"),
	       "the source cannot be read again");
	mishap = NOTHING;
	read_error = EIO;
	result(fails("cannot read in: Input/output error"), "the source cannot be read");
	read_error = EFAULT;
	result(fails("the device went away while its pages were in use"),
	       "the pages to read to are gone");
}

/* The last one: a command that was told to stop does nothing more. */
static void test_stopped(void)
{
	stop_reading = true;
	pread_error = EINTR;
	result(fails("stopped while checking"), "a signal while it checks ends it");
	result(fails("cannot read in: Interrupted system call"), "one while it reads does so too");
}

int main(void)
{
	char folder[] = "/tmp/labyrinth-copy.XXXXXX";
	unsigned int i;

	if (!mkdtemp(folder) || chdir(folder) < 0)
		return 1;
	for (i = 0; i < LENGTH; i++)
		bytes[i] = i % 251;
	printf("TAP version 13\n1..11\n");
	test_good();
	test_mishaps();
	test_stopped();
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", tests - failures,
	       failures);
	unlink("in");
	unlink("out");
	return rmdir(folder) < 0 || failures;
}
