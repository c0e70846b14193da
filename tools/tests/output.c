// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is in the folder while the file to write is not complete, afterwards, and after
 * kill -9. Needs no device.
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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../copy.h"

static const struct stat no_source = { .st_mode = 0 };
static unsigned int tests, failures;
static bool unnamed;			/* as files may be here */
static bool refused;			/* the latest attempt was */

static void result(bool passed, const char *name)
{
	printf("%sok %u - %s\n", passed ? "" : "not ", ++tests, name);
	failures += !passed;
}

/* open() is this one, which is told what the file system can do. */
int __wrap_open64(const char *path, int flags, ...);

int __wrap_open64(const char *path, int flags, ...)
{
	mode_t mode;
	va_list args;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	if ((flags & O_TMPFILE) == O_TMPFILE && !unnamed) {
		refused = true;
		errno = EOPNOTSUPP;
		return -1;
	}
	return syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

/* How many files there are here besides "out"; @clean removes them. */
static unsigned int list_others(bool clean)
{
	struct dirent *entry;
	unsigned int count = 0;
	DIR *folder = opendir(".");

	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "out"))
			continue;
		count++;
		if (clean)
			unlink(entry->d_name);
	}
	if (folder)
		closedir(folder);
	return count;
}

static unsigned int others(void)
{
	return list_others(false);
}

static bool holds(const char *expected)
{
	char text[16] = "";
	FILE *file = fopen("out", "r");

	if (!file)
		return !expected;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return expected && !strcmp(text, expected);
}

static void begin(struct output *output, const char *text)
{
	if (output_open(output, "out", &no_source) ||
	    output_write(output, text, strlen(text)) || output_sync(output))
		exit(1);
}

static void test_new(unsigned int meanwhile)
{
	struct output output;
	bool hidden;

	begin(&output, "new");
	hidden = holds(NULL) && others() == meanwhile;
	result(hidden && !output_commit(&output) && holds("new") && !others(),
	       "OUT is there when it is complete");
	output_discard(&output);
}

static void test_replaced(void)
{
	struct output output;
	struct stat now;
	bool same;

	chmod("out", 0640);
	begin(&output, "newer");
	same = holds("new");
	result(same && !output_commit(&output) && holds("newer") && !others() &&
	       !stat("out", &now) && (now.st_mode & 0777) == 0640,
	       "it replaces what was there, and keeps its mode");
	output_discard(&output);
}

static void test_discarded(void)
{
	struct output output;

	begin(&output, "unwanted");
	output_discard(&output);
	result(holds("newer") && !others(), "what is not wanted any more leaves nothing");
}

static void test_killed(unsigned int left)
{
	struct output output;
	pid_t child = fork();
	int status;

	if (!child) {
		begin(&output, "killed");
		raise(SIGKILL);
	}
	result(child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
	       holds("newer") && others() == left,
	       left ? "killed, it leaves OUT as it was" : "killed, it leaves nothing");
}

static void test_name_too_long(void)
{
	char name[NAME_MAX + 1];
	struct output output;

	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	result(output_open(&output, name, &no_source) == EXIT_FAILED && !others(),
	       "a name with no room for a suffix is refused before anything is done");
	output_discard(&output);
}

static void test_all(unsigned int named)
{
	unlink("out");
	test_new(named);
	test_replaced();
	test_discarded();
	test_name_too_long();
	test_killed(named);
}

static bool can_be_unnamed(void)
{
	int fd;

	unnamed = true;
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void test_quit(void)
{
	output_catch_signals();
	raise(SIGQUIT);
	result(signals_stopped(), "SIGQUIT is noticed");
}

int main(void)
{
	char folder[] = "/tmp/labyrinth-output.XXXXXX";

	if (!mkdtemp(folder) || chdir(folder) < 0 || !freopen("/dev/null", "w", stderr))
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..12\n");
	unnamed = can_be_unnamed();
	if (!unnamed)
		printf("# no files without a name in /tmp\n");
	test_all(!unnamed);
	unnamed = false;
	refused = false;
	list_others(true);
	test_all(1);
	result(refused, "without support for it, the file had a name");
	test_quit();
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", tests - failures,
	       failures);
	list_others(true);
	unlink("out");
	return rmdir(folder) < 0 || failures;
}
