/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints, labyrinth:* above all, and what they have said. */
#ifndef LABYRINTH_TRACE_H
#define LABYRINTH_TRACE_H

#include <sys/mount.h>

#include "labyrinth_utils.h"

static inline int put_text(const char *dir, const char *name, const char *text)
{
	char path[128];
	int fd, result;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -1;
	result = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	close(fd);
	return result;
}

#define LABYRINTH_EVENTS	"events/labyrinth/enable"

/*
 * The folder with all that is traced, NULL if such events cannot be; they are enabled
 * ("1") or not yet ("0"). The recording of who runs is switched off: for that the kernel
 * patches its scheduler when the first event is switched on, which QEMU's emulation of
 * several CPUs often does not survive.
 */
static inline const char *tracing_begin(const char *events, const char *enable)
{
	static const char * const dirs[] = {
		"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
	};
	unsigned int i;

	mount("tracefs", dirs[0], "tracefs", 0, NULL);
	for (i = 0; i < ARRAY_COUNT(dirs); i++) {
		put_text(dirs[i], "options/record-cmd", "0");
		if (!put_text(dirs[i], events, enable))
			return dirs[i];
	}
	return NULL;
}

static inline void tracing_end(const char *dir, const char *events)
{
	put_text(dir, events, "0");
	put_text(dir, "options/record-cmd", "1");
}

/* Lines of the trace that have both texts in them. */
static inline int count_lines(const char *dir, const char *event, const char *detail)
{
	char path[128], line[512];
	FILE *trace;
	int lines = 0;

	snprintf(path, sizeof(path), "%s/trace", dir);
	trace = fopen(path, "r");
	if (!trace)
		return -1;
	while (fgets(line, sizeof(line), trace))
		lines += strstr(line, event) && strstr(line, detail);
	fclose(trace);
	return lines;
}

#endif /* LABYRINTH_TRACE_H */
