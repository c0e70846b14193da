// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file that the copy becomes. It is written to a temporary one in its folder, which
 * takes its place only when it is complete and on the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "copy.h"

/* Whatever ends the command, nothing half written is left. Due before output_open(). */
void output_catch_signals(void)
{
	signals_catch();
	signals_on_device_loss(temporary_unlink);
	/* These become errors of write(), which are reported and cleaned up after. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

void output_discard(struct output *output)
{
	temporary_discard();
	if (output->fd >= 0)
		close(output->fd);
	free(output->path);
}

static int write_failed(const struct output *output, int error)
{
	switch (error) {
	case ENOSPC:
		return failed("no space left for %s: make room, or choose another disk",
			      output->name);
	case EDQUOT:
		return failed("over the disk quota with %s: remove files, or choose another disk",
			      output->name);
	case EFBIG:
		return failed("%s gets larger than a file may be here (ulimit -f)", output->name);
	case EPIPE:
		return failed("nobody reads %s any more", output->name);
	case EFAULT:
		return failed("the device went away while its pages were in use");
	default:
		return failed("cannot write %s: %s", output->name, strerror(error));
	}
}

static int open_failed(const struct output *output, int error)
{
	char *copy;
	int code;

	if (error != ENOENT && error != EACCES && error != EROFS)
		return write_failed(output, error);
	copy = strdup(output->path);
	if (!copy)
		return failed("out of memory");
	if (error == ENOENT)
		code = failed("cannot write %s: there is no directory %s, make it first",
			      output->name, dirname(copy));
	else
		code = failed("cannot write %s: may not create files in %s (%s)", output->name,
			      dirname(copy), strerror(error));
	free(copy);
	return code;
}

static int open_direct(struct output *output)
{
	output->direct = true;
	output->fd = open(output->path, O_WRONLY | O_CLOEXEC);
	return output->fd < 0 ? write_failed(output, errno) : EXIT_DONE;
}

/* The new file looks like the one it replaces, or else like its source, as with cp. */
static void set_owner_and_mode(struct output *output, const struct stat *old,
			       const struct stat *source)
{
	mode_t mask = umask(0);

	umask(mask);
	if (old) {
		/* Only root can give files away; for others it stays their own. */
		(void)!fchown(output->fd, old->st_uid, old->st_gid);
		fchmod(output->fd, old->st_mode & 0777);
	} else {
		fchmod(output->fd, (S_ISREG(source->st_mode) ? source->st_mode : 0666) &
				   0777 & ~mask);
	}
}

static int open_temporary(struct output *output, const struct stat *old,
			  const struct stat *source)
{
	output->fd = temporary_open(output->path);
	if (output->fd < 0)
		return open_failed(output, errno);
	set_owner_and_mode(output, old, source);
	return EXIT_DONE;
}

static int open_existing(struct output *output, const struct stat *old,
			 const struct stat *source)
{
	if (old->st_dev == source->st_dev && old->st_ino == source->st_ino)
		return failed("%s is the file to copy itself: choose another name", output->name);
	if (S_ISDIR(old->st_mode))
		return failed("%s is a directory: name a file in it", output->name);
	if (S_ISBLK(old->st_mode))
		return failed("%s is a block device: name a file", output->name);
	if (!S_ISREG(old->st_mode))
		return open_direct(output);
	if (access(output->path, W_OK) < 0)
		return write_failed(output, errno);
	return open_temporary(output, old, source);
}

/* Reports its errors; output_discard() is due in any case. */
int output_open(struct output *output, const char *name, const struct stat *source)
{
	struct stat old;

	*output = (struct output){ .name = name, .fd = -1 };
	output->path = realpath(name, NULL);
	if (!output->path && errno == ENOENT)
		output->path = strdup(name);
	if (!output->path)
		return write_failed(output, errno);
	if (!stat(output->path, &old))
		return open_existing(output, &old, source);
	if (!lstat(output->path, &old))
		return failed("%s is a link to what is not there: name a file", output->name);
	if (output->path[strlen(output->path) - 1] == '/')
		return failed("%s names a directory: name a file in it", output->name);
	return open_temporary(output, NULL, source);
}

/* Like output_open(), for the standard output, which stays open. */
int output_open_standard(struct output *output)
{
	*output = (struct output){ .name = "the standard output", .direct = true };
	output->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	return output->fd < 0 ? write_failed(output, errno) : EXIT_DONE;
}

int output_write(struct output *output, const void *data, size_t length)
{
	const char *rest = data;
	ssize_t written;

	while (length) {
		if (signals_stopped())
			return failed("stopped: %s was not written", output->name);
		written = write(output->fd, rest, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return write_failed(output, errno);
		rest += written;
		length -= written;
	}
	return EXIT_DONE;
}

int output_sync(struct output *output)
{
	if (!output->direct && fsync(output->fd) < 0)
		return write_failed(output, errno);
	return EXIT_DONE;
}

/* A new name is on the disk when its directory is. */
static int sync_directory(const struct output *output)
{
	int fd = temporary_open_folder(output->path, O_RDONLY | O_DIRECTORY);
	int result;

	/* A directory that may be written to but not read cannot be synced. */
	if (fd < 0)
		return errno == EACCES ? 0 : -1;
	result = fsync(fd);
	/* Some file systems cannot do it, and need not. */
	if (result < 0 && errno == EINVAL)
		result = 0;
	close(fd);
	return result;
}

int output_commit(struct output *output)
{
	if (output->direct) {
		int fd = output->fd;

		/* NFS and pipes may only tell now. */
		output->fd = -1;
		return close(fd) < 0 ? write_failed(output, errno) : EXIT_DONE;
	}
	if (temporary_rename(output->fd, output->path) < 0)
		return write_failed(output, errno);
	return sync_directory(output) < 0 ? write_failed(output, errno) : EXIT_DONE;
}
