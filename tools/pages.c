// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads from debugfs which page is whose.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "command.h"
#include "map.h"

#define DEBUGFS		"/sys/kernel/debug"
#define HEADER		"slot offset pages state content pid comm"
#define MAX_PAGES	65536		/* more than a whole arena */

static const char *const states[STATES] = {
	[STATE_FREE] = "free",
	[STATE_OWNED] = "owned",
	[STATE_TICKETED] = "ticketed",
	[STATE_KERNEL] = "kernel",
	[STATE_QUARANTINED] = "quarantined",
	[STATE_POISONED] = "poisoned",
};

static const char *const contents[CONTENTS] = {
	[CONTENT_UNKNOWN] = "-",
	[CONTENT_ZERO] = "zero",
	[CONTENT_SENTINEL] = "sentinel",
};

const char *page_state_name(enum page_state state)
{
	return states[state];
}

const char *page_content_name(enum page_content content)
{
	return contents[content];
}

/* Whether @text is one of @names, and which. */
static bool parse_name(const char *text, const char *const *names, unsigned int count,
		       unsigned int *which)
{
	for (*which = 0; *which < count; ++*which)
		if (!strcmp(text, names[*which]))
			return true;
	return false;
}

/* Whatever a process calls itself, it can neither command a terminal nor break a row. */
static void copy_name(char *name, size_t size, const char *text)
{
	size_t used = 0;

	for (; *text && used + sizeof("\\ooo") <= size; text++) {
		const unsigned char byte = *text;

		if (byte >= ' ' && byte <= '~')
			name[used++] = byte;
		else
			used += snprintf(name + used, size - used, "\\%03o", byte);
	}
	name[used] = '\0';
}

static bool parse_line(char *line, struct slot *slot)
{
	enum { NUMBER, OFFSET, PAGES, STATE, CONTENT, PID, FIELDS };
	unsigned int state, content, i;
	char *field[FIELDS];

	for (i = 0; i < FIELDS; i++)
		field[i] = strsep(&line, " ");
	/* A name may be empty, and may have blanks in it. */
	if (!line ||
	    !parse_number(field[NUMBER], UINT_MAX, &slot->number) ||
	    !parse_number(field[OFFSET], UINT_MAX, &slot->offset) ||
	    !parse_number(field[PAGES], MAX_PAGES, &slot->pages) || !slot->pages ||
	    !parse_name(field[STATE], states, STATES, &state) ||
	    !parse_name(field[CONTENT], contents, CONTENTS, &content) ||
	    !parse_number(field[PID], INT_MAX, &slot->pid))
		return false;
	slot->state = state;
	slot->content = content;
	copy_name(slot->comm, sizeof(slot->comm), slot->pid || strcmp(line, "-") ? line : "");
	return true;
}

static bool add(struct pages *pages, const struct slot *slot)
{
	struct slot *slots;

	/* Room doubles whenever it is used up: at 0, 1, 2, 4, ... */
	if (!(pages->count & (pages->count - 1))) {
		slots = reallocarray(pages->slots, pages->count ? 2 * pages->count : 1,
				     sizeof(*slots));
		if (!slots)
			return false;
		pages->slots = slots;
	}
	pages->slots[pages->count++] = *slot;
	return true;
}

static int not_understood(const char *path, size_t number)
{
	return failed("line %zu of %s is not understood: use the command of the module's version",
		      number, path);
}

static int add_line(struct pages *pages, char *line, const char *path, size_t number)
{
	struct slot slot;

	line[strcspn(line, "\n")] = '\0';
	if (number == 1)
		return strcmp(line, HEADER) ? not_understood(path, number) : EXIT_DONE;
	if (!parse_line(line, &slot) ||
	    (pages->count && slot.number <= pages->slots[pages->count - 1].number))
		return not_understood(path, number);
	return add(pages, &slot) ? EXIT_DONE : failed("out of memory");
}

static int read_failed(const char *path, int error)
{
	/* Debugfs says EIO for a file that is not there any more. */
	if (error == EIO || error == ENODEV) {
		failed("the device went away while %s was read", path);
		return EXIT_NO_DEVICE;
	}
	return failed("cannot read %s: %s", path, strerror(error));
}

/* On failure too, pages_free() is due. */
int pages_parse(FILE *file, const char *path, struct pages *pages)
{
	int error, code = EXIT_DONE;
	size_t size = 0, number = 0;
	char *line = NULL;

	*pages = (struct pages){ .count = 0 };
	errno = 0;
	while (!code && getline(&line, &size, file) >= 0)
		code = add_line(pages, line, path, ++number);
	error = errno;
	free(line);
	if (code)
		return code;
	if (!feof(file))
		return read_failed(path, error);
	return number ? EXIT_DONE : not_understood(path, 1);
}

/* Says why there is no file @path: from the outside to the inside. */
static int missing(const char *path, unsigned int device)
{
	struct statfs debugfs;
	char folder[64];

	if (statfs(DEBUGFS, &debugfs) < 0)
		return failed("this kernel has no debugfs to see it in: boot one that has");
	if (debugfs.f_type != DEBUGFS_MAGIC)
		return failed("debugfs is not mounted: mount -t debugfs %s " DEBUGFS, "debugfs");
	snprintf(folder, sizeof(folder), "/sys/class/labyrinth/labyrinth%u", device);
	if (access(folder, F_OK) < 0)
		return read_failed(path, ENODEV);
	return failed("the loaded module does not say who owns what: load a newer one");
}

static int open_failed(const char *path, unsigned int device, int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		if (geteuid())
			return failed("only root may see who owns what: run it with sudo");
		return failed("root may not see who owns what either: is this kernel locked down?");
	case ENOENT:
		return missing(path, device);
	default:
		return read_failed(path, error);
	}
}

/* On failure too, pages_free() is due. */
int pages_read(unsigned int device, struct pages *pages)
{
	char path[64];
	FILE *file;
	int code;

	*pages = (struct pages){ .count = 0 };
	snprintf(path, sizeof(path), DEBUGFS "/labyrinth/labyrinth%u/pages", device);
	file = fopen(path, "re");
	if (!file)
		return open_failed(path, device, errno);
	code = pages_parse(file, path, pages);
	fclose(file);
	return code;
}

void pages_free(struct pages *pages)
{
	free(pages->slots);
	*pages = (struct pages){ .count = 0 };
}

uint64_t pages_total(const struct pages *pages)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < pages->count; i++)
		total += pages->slots[i].pages;
	return total;
}
