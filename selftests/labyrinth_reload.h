/* SPDX-License-Identifier: GPL-2.0 */
/* Loading the driver anew with other parameters, and as it was. */
#ifndef LABYRINTH_RELOAD_H
#define LABYRINTH_RELOAD_H

#include "labyrinth_module.h"

#define DRIVER_MODULE		"labyrinth"
#define DRIVER_PARAMETERS	"/sys/module/" DRIVER_MODULE "/parameters/"

/* What the driver was loaded with, to be given to reload() at the end. */
struct loaded {
	char parameters[256];
};

static inline void read_parameter(const char *name, char *value, size_t size)
{
	char path[96], word[32] = "";
	FILE *file;

	value[0] = 0;
	snprintf(path, sizeof(path), DRIVER_PARAMETERS "%s", name);
	file = fopen(path, "r");
	if (!file)
		return;
	if (fscanf(file, "%31s", word) == 1)
		snprintf(value, size, "%s=%s ", name, word);
	fclose(file);
}

/* Skips where the driver cannot be loaded anew. */
static inline void loaded_remember(struct __test_metadata *_metadata,
				   struct loaded *loaded)
{
	static const char * const names[] = {
		"max", "high", "low", "reserve", "quota", "user_quota", "sentinel",
		"dma_bits", "unsafe_dma_bits",
	};
	int fd = module_open(DRIVER_MODULE);
	unsigned int i;

	if (fd < 0)
		SKIP(_exit(KSFT_SKIP), "the module is not installed");
	close(fd);
	if (geteuid())
		SKIP(_exit(KSFT_SKIP), "no right to load modules");
	loaded->parameters[0] = 0;
	for (i = 0; i < ARRAY_COUNT(names); i++) {
		size_t used = strlen(loaded->parameters);

		read_parameter(names[i], loaded->parameters + used,
			       sizeof(loaded->parameters) - used);
	}
}

/* That a device is refused is no failure of the module. */
static inline void reload(struct __test_metadata *_metadata, const char *parameters)
{
	ASSERT_TRUE(wait_until(!module_unload(DRIVER_MODULE) || errno == ENOENT));
	ASSERT_EQ(0, module_load(DRIVER_MODULE, parameters));
}

#endif /* LABYRINTH_RELOAD_H */
