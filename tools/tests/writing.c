// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What becomes of the file to write, and what a person is told, wherever the kernel
 * refuses something on the way. Needs no device.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../copy.h"

/* Which call is refused, how, and how often; negative: always. */
enum call { NONE, WRITE, SYNC_FILE, SYNC_FOLDER, OPEN_FOLDER, ACCESS, LINK, RANDOM, RENAME };

static enum call refused;
static int refused_with, refusals;

static const struct stat no_source = { .st_mode = 0 };
static unsigned int tests, failures;
static char said[512];			/* on stderr, by the last attempt() */
static bool is_disk;			/* "out" passes for one */

static void result(bool passed, const char *name)
{
	printf("%sok %u - %s\n", passed ? "" : "not ", ++tests, name);
	if (!passed)
		printf("# said: %s\n", said);
	failures += !passed;
}

static bool refuse(enum call call)
{
	if (refused != call || !refusals)
		return false;
	refusals--;
	errno = refused_with;
	return true;
}

ssize_t __wrap_write(int fd, const void *data, size_t size);

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	return refuse(WRITE) ? -1 : syscall(SYS_write, fd, data, size);
}

int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
	struct stat file;

	if (fstat(fd, &file) < 0)
		return -1;
	return refuse(S_ISDIR(file.st_mode) ? SYNC_FOLDER : SYNC_FILE) ? -1 : 0;
}

int __wrap_open64(const char *path, int flags, ...);

int __wrap_open64(const char *path, int flags, ...)
{
	const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
	mode_t mode;
	va_list args;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	if (flags & O_DIRECTORY && !unnamed && refuse(OPEN_FOLDER))
		return -1;
	return syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int __wrap_access(const char *path, int mode);

int __wrap_access(const char *path, int mode)
{
	if (mode == W_OK && refuse(ACCESS))
		return -1;
	return faccessat(AT_FDCWD, path, mode, 0);
}

int __wrap_linkat(int from, const char *old, int to, const char *new, int flags);

int __wrap_linkat(int from, const char *old, int to, const char *new, int flags)
{
	return refuse(LINK) ? -1 : syscall(SYS_linkat, from, old, to, new, flags);
}

typeof(getrandom) __wrap_getrandom;

ssize_t __wrap_getrandom(void *data, size_t size, unsigned int flags)
{
	return refuse(RANDOM) ? -1 : syscall(SYS_getrandom, data, size, flags);
}

int __wrap_rename(const char *old, const char *new);

int __wrap_rename(const char *old, const char *new)
{
	return refuse(RENAME) ? -1 : renameat(AT_FDCWD, old, AT_FDCWD, new);
}

int __wrap_stat64(const char *path, struct stat *file);

int __wrap_stat64(const char *path, struct stat *file)
{
	int error = fstatat(AT_FDCWD, path, file, 0);

	if (!error && is_disk)
		file->st_mode = S_IFBLK | 0600;
	return error;
}

static void put_before(void)
{
	FILE *file = fopen("out", "w");

	if (!file || fputs("before", file) < 0 || fclose(file))
		exit(1);
}

/* Whether the folder has "out" and nothing else, and that holds @expected. */
static bool alone(const char *expected)
{
	char text[16] = "";
	DIR *folder = opendir(".");
	struct dirent *entry;
	unsigned int count = 0;
	FILE *file = fopen("out", "r");

	while (folder && (entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	if (folder)
		closedir(folder);
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return count == 1 && !strcmp(text, expected);
}

/* Writes @name, with whatever is refused. Returns the exit code. */
static int attempt(const char *name)
{
	FILE *before = stderr;
	struct output output;
	int code;

	memset(said, 0, sizeof(said));
	stderr = fmemopen(said, sizeof(said), "w");
	if (!stderr)
		exit(1);
	code = output_open(&output, name, &no_source);
	if (!code)
		code = output_write(&output, "after", 5);
	if (!code)
		code = output_sync(&output);
	if (!code)
		code = output_commit(&output);
	output_discard(&output);
	fclose(stderr);
	stderr = before;
	return code;
}

/* Exit code 1, one line with @text in it, and the folder is as it was. */
static bool fails(enum call call, int error, const char *text)
{
	put_before();
	refused = call;
	refused_with = error;
	refusals = -1;
	return attempt("out") == EXIT_FAILED && strstr(said, text) &&
	       strchr(said, '\n') == said + strlen(said) - 1 && alone("before");
}

/* It works all the same, and says nothing. */
static bool works(enum call call, int error, int times)
{
	put_before();
	refused = call;
	refused_with = error;
	refusals = times;
	return attempt("out") == EXIT_DONE && !*said && alone("after") && refusals <= 0;
}

static void test_write(void)
{
	result(works(NONE, 0, 0), "where nothing is refused, there is the file");
	result(fails(WRITE, ENOSPC, "no space left for out") &&
	       fails(WRITE, EDQUOT, "over the disk quota with out: remove files") &&
	       fails(WRITE, EFBIG, "out gets larger than a file may be here (ulimit -f)") &&
	       fails(WRITE, EPIPE, "nobody reads out any more") &&
	       fails(WRITE, EFAULT, "the device went away while its pages were in use") &&
	       fails(WRITE, EIO, "cannot write out: Input/output error"),
	       "each reason not to write has its words, and leaves what was there");
	result(works(WRITE, EINTR, 1), "a signal that does not end it does no harm");
	result(fails(SYNC_FILE, EIO, "cannot write out: Input/output error"),
	       "what does not get to the disk does not become OUT");
}

static void test_folder(void)
{
	result(works(OPEN_FOLDER, EACCES, 1), "a folder one may not read need not be synced");
	result(works(SYNC_FOLDER, EINVAL, 1), "nor one that cannot be");
	put_before();
	refused = SYNC_FOLDER;
	refused_with = EIO;
	refusals = -1;
	result(attempt("out") == EXIT_FAILED && strstr(said, "Input/output error"),
	       "any other failure to do so is told");
	refused = OPEN_FOLDER;
	refused_with = EMFILE;
	result(attempt("out") == EXIT_FAILED && strstr(said, "Too many open files"),
	       "and so is one to open it");
}

static bool can_be_unnamed(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void test_name(void)
{
	result(fails(RENAME, EPERM, "cannot write out: Operation not permitted"),
	       "what cannot be renamed leaves nothing");
	if (!can_be_unnamed()) {
		printf("ok %u - a name is chosen # SKIP no files without a name here\n", ++tests);
		printf("ok %u - a name is missing # SKIP no files without a name here\n", ++tests);
		return;
	}
	result(works(LINK, EEXIST, 3), "a name that is taken already is not the last one tried");
	result(fails(LINK, EEXIST, "cannot write out: File exists") &&
	       fails(LINK, EPERM, "cannot write out: Operation not permitted") &&
	       fails(RANDOM, EIO, "cannot write out: Input/output error"),
	       "without a name there is no file");
}

static void test_refused_at_once(void)
{
	char name[NAME_MAX + 46];

	result(fails(ACCESS, EROFS, "cannot write out: Read-only file system"),
	       "a file one may not write is refused");
	is_disk = true;
	result(fails(NONE, 0, "out is a block device: name a file"), "so is a disk");
	is_disk = false;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	result(attempt(name) == EXIT_FAILED && strstr(said, ": File name too long") &&
	       alone("before"), "and a name that no file can have");
}

/* The last one: what was told to stop does nothing more. */
static void test_stopped(void)
{
	output_catch_signals();
	raise(SIGTERM);
	result(fails(NONE, 0, "stopped: out was not written"), "a signal ends it");
}

int main(void)
{
	char folder[] = "/tmp/labyrinth-writing.XXXXXX";

	if (!mkdtemp(folder) || chdir(folder) < 0)
		return 1;
	printf("TAP version 13\n1..15\n");
	test_write();
	test_folder();
	test_name();
	test_refused_at_once();
	test_stopped();
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", tests - failures,
	       failures);
	unlink("out");
	return rmdir(folder) < 0 || failures;
}
