/* SPDX-License-Identifier: GPL-2.0 */
/* Loading the driver anew with other parameters, and as it was. */
#ifndef LABYRINTH_RELOAD_H
#define LABYRINTH_RELOAD_H

#include "labyrinth_module.h"

#define DRIVER_MODULE		"labyrinth"
#define DRIVER_PARAMETERS	"/sys/module/" DRIVER_MODULE "/parameters/"

/* What the driver was loaded with. */
struct loaded {
	char parameters[256];	/* all of it, to be given to reload() at the end */
	char width[64];		/* how far the device reaches: without that, there is none */
};

/* Adds "name=value " to the parameters in @list. */
static inline void add_parameter(const char *name, char *list, size_t size)
{
	size_t used = strlen(list);
	char path[96], word[32];
	FILE *file;

	snprintf(path, sizeof(path), DRIVER_PARAMETERS "%s", name);
	file = fopen(path, "r");
	if (!file)
		return;
	if (fscanf(file, "%31s", word) == 1)
		snprintf(list + used, size - used, "%s=%s ", name, word);
	fclose(file);
}

/* Skips where the driver cannot be loaded anew. */
static inline void loaded_remember(struct __test_metadata *_metadata,
				   struct loaded *loaded)
{
	static const char * const names[] = {
		"max", "high", "low", "reserve", "quota", "user_quota", "sentinel",
	};
	int fd = module_open(DRIVER_MODULE);
	unsigned int i;

	if (fd < 0)
		SKIP(_exit(KSFT_SKIP), "the module is not installed");
	close(fd);
	if (geteuid())
		SKIP(_exit(KSFT_SKIP), "no right to load modules");
	loaded->width[0] = 0;
	add_parameter("dma_bits", loaded->width, sizeof(loaded->width));
	add_parameter("unsafe_dma_bits", loaded->width, sizeof(loaded->width));
	snprintf(loaded->parameters, sizeof(loaded->parameters), "%s", loaded->width);
	for (i = 0; i < ARRAY_COUNT(names); i++)
		add_parameter(names[i], loaded->parameters, sizeof(loaded->parameters));
}

/* That a device is refused is no failure of the module. */
static inline void reload(struct __test_metadata *_metadata, const char *parameters)
{
	ASSERT_TRUE(wait_until(!module_unload(DRIVER_MODULE) || errno == ENOENT));
	ASSERT_EQ(0, module_load(DRIVER_MODULE, parameters));
}

/* With these parameters, and what this machine's device needs. What is said last counts. */
static inline void reload_as_wide(struct __test_metadata *_metadata,
				  const struct loaded *loaded, const char *parameters)
{
	char all[sizeof(loaded->width) + 128];

	snprintf(all, sizeof(all), "%s%s", loaded->width, parameters);
	reload(_metadata, all);
}

#endif /* LABYRINTH_RELOAD_H */
