/* SPDX-License-Identifier: GPL-2.0 */
/* The modules that only tests load, module/: to load, to command and to unload them. */
#ifndef LABYRINTH_MODULE_H
#define LABYRINTH_MODULE_H

#include <sys/syscall.h>
#include <sys/utsname.h>

#include "labyrinth_device.h"

#define MODULE_CONTROL	"/sys/kernel/debug/"

/* From where modules are installed to: with our own build, by DKMS, with the kernel. */
static inline int module_open(const char *name)
{
	static const char * const folders[] = {
		"extra", "updates/dkms", "kernel/drivers/misc/labyrinth",
	};
	struct utsname system;
	char path[256];
	unsigned int i;
	int fd = -1;

	uname(&system);
	for (i = 0; i < ARRAY_COUNT(folders) && fd < 0; i++) {
		snprintf(path, sizeof(path), "/lib/modules/%.64s/%s/%s.ko",
			 system.release, folders[i], name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	return fd;
}

static inline int module_load(const char *name, const char *parameters)
{
	int fd = module_open(name), result;

	if (fd < 0)
		return -1;
	result = (int)syscall(SYS_finit_module, fd, parameters, 0);
	close(fd);
	return result;
}

static inline int module_unload(const char *name)
{
	return (int)syscall(SYS_delete_module, name, O_NONBLOCK);
}

/* A command to a loaded module. */
static inline int module_write(const char *name, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), MODULE_CONTROL "%s/%s", name, file);
	return sysfs_write(path, text);
}

/* The number in a file of the module, -1 if there is none. */
static inline long long module_value(const char *name, const char *file)
{
	long long value = -1;
	char path[128];
	FILE *from;

	snprintf(path, sizeof(path), MODULE_CONTROL "%s/%s", name, file);
	from = fopen(path, "r");
	if (!from)
		return -1;
	if (fscanf(from, "%lld", &value) != 1)
		value = -1;
	fclose(from);
	return value;
}

static inline unsigned int device_number(int fd)
{
	struct stat stat;

	return fstat(fd, &stat) ? ~0U : minor(stat.st_rdev);
}

/* Loads a module that can be commanded. Skips where that cannot be. */
static inline void module_require(struct __test_metadata *_metadata, const char *name,
				  const char *parameters)
{
	char control[128];

	module_unload(name);	/* a test that crashed may have left it */
	if (module_load(name, parameters)) {
		if (errno == ENOENT)
			SKIP(_exit(KSFT_SKIP), "the module %s is not installed", name);
		if (errno == EPERM)
			SKIP(_exit(KSFT_SKIP), "no right to load modules");
		ASSERT_EQ(0, errno);
	}
	snprintf(control, sizeof(control), MODULE_CONTROL "%s", name);
	if (access(control, F_OK)) {
		module_unload(name);
		SKIP(_exit(KSFT_SKIP), "debugfs is not mounted");
	}
}

static inline bool pool_is_full(int fd)
{
	struct labyrinth_stat stat;

	return !raw_stat(fd, &stat) && stat.free >= stat.low && !stat.kernel;
}

#endif /* LABYRINTH_MODULE_H */
