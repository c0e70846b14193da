// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "files.h"

void file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bench_die("writing '%s' to %s: %m", text, path);
	close(fd);
}

/* All of it, as a string; cut off where @size ends. */
size_t file_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got = 0;

	if (fd < 0)
		bench_die("%s: %m", path);
	while (length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0)
		length += got;
	if (got < 0)
		bench_die("reading %s: %m", path);
	text[length] = 0;
	close(fd);
	return length;
}
