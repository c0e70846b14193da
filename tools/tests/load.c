// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `labyrinth load` and `labyrinth unload` make of what the kernel answers, on a
 * machine that is none: libkmod and the edu devices are the test's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../module.h"
#include "../command.h"

static unsigned int tests, failures;
static char said[512];			/* on stderr, by the last command */
static char printed[64];		/* on stdout, by it */

/* What the machine is like. */
static int context_missing, name_error, insert_error, remove_error;
static int state;			/* of the module; negative: not loaded */
static unsigned int edus, idle_edus;
static int nodes, nodes_after;		/* looks at /dev until there are that many */
static char inserted_with[64];
static int removed;

static void result(int passed, const char *name)
{
	printf("%sok %u - %s\n", passed ? "" : "not ", ++tests, name);
	if (!passed)
		printf("# said: %s\n", said);
	failures += !passed;
}

typeof(kmod_new) __real_kmod_new;
struct kmod_ctx *__wrap_kmod_new(const char *folder, const char *const *paths);

struct kmod_ctx *__wrap_kmod_new(const char *folder, const char *const *paths)
{
	return context_missing ? NULL : __real_kmod_new(folder, paths);
}

typeof(kmod_module_new_from_name) __real_kmod_module_new_from_name;
typeof(kmod_module_new_from_name) __wrap_kmod_module_new_from_name;

int __wrap_kmod_module_new_from_name(struct kmod_ctx *context, const char *name,
				     struct kmod_module **module)
{
	return name_error ? -name_error :
	       __real_kmod_module_new_from_name(context, name, module);
}

int __wrap_kmod_module_new_from_path(struct kmod_ctx *context, const char *path,
				     struct kmod_module **module);

int __wrap_kmod_module_new_from_path(struct kmod_ctx *context, const char *path,
				     struct kmod_module **module)
{
	(void)path;
	return __real_kmod_module_new_from_name(context, MODULE_NAME, module);
}

int __wrap_kmod_module_get_info(const struct kmod_module *module, struct kmod_list **list);

int __wrap_kmod_module_get_info(const struct kmod_module *module, struct kmod_list **list)
{
	(void)module;
	*list = NULL;
	return 0;
}

int __wrap_kmod_module_get_initstate(const struct kmod_module *module);

int __wrap_kmod_module_get_initstate(const struct kmod_module *module)
{
	(void)module;
	return state;
}

int __wrap_kmod_module_insert_module(struct kmod_module *module, unsigned int flags,
				     const char *options);

int __wrap_kmod_module_insert_module(struct kmod_module *module, unsigned int flags,
				     const char *options)
{
	(void)module;
	(void)flags;
	snprintf(inserted_with, sizeof(inserted_with), "(%s)", options);
	return -insert_error;
}

int __wrap_kmod_module_remove_module(struct kmod_module *module, unsigned int flags);

int __wrap_kmod_module_remove_module(struct kmod_module *module, unsigned int flags)
{
	(void)module;
	(void)flags;
	removed++;
	return -remove_error;
}

void __wrap_edu_count(unsigned int *all, unsigned int *idle);

void __wrap_edu_count(unsigned int *all, unsigned int *idle)
{
	*all = edus;
	*idle = idle_edus;
}

int __wrap_labyrinth_devices_list(unsigned int *numbers, size_t max);

int __wrap_labyrinth_devices_list(unsigned int *numbers, size_t max)
{
	(void)numbers;
	(void)max;
	return nodes_after-- > 0 ? 0 : nodes;
}

static void usual_machine(void)
{
	context_missing = 0;
	name_error = 0;
	insert_error = 0;
	remove_error = 0;
	state = -ENOENT;
	edus = 2;
	idle_edus = 0;
	nodes = 2;
	nodes_after = 0;
	removed = 0;
	inserted_with[0] = '\0';
}

static FILE *into(char *text, size_t size)
{
	FILE *file;

	memset(text, 0, size);
	file = fmemopen(text, size, "w");
	if (!file)
		exit(1);
	return file;
}

static int run(const struct command *command, char **arguments, int count)
{
	FILE *out = stdout, *err = stderr;
	int code;

	stdout = into(printed, sizeof(printed));
	stderr = into(said, sizeof(said));
	optind = 0;
	code = command->run(command, count, arguments);
	fclose(stdout);
	fclose(stderr);
	stdout = out;
	stderr = err;
	return code;
}

static int run_load(void)
{
	char *arguments[4] = { "labyrinth load", "--module", "labyrinth.ko", NULL };

	return run(&command_load, arguments, 3);
}

static int run_unload(void)
{
	char *arguments[2] = { "labyrinth unload", NULL };

	return run(&command_unload, arguments, 1);
}

static int says(const char *text)
{
	return strstr(said, text) && strchr(said, '\n') == said + strlen(said) - 1;
}

/* What the kernel answers, and the words for it. */
static void test_insert_refused(void)
{
	static const struct {
		int error;
		const char *text;
	} answers[] = {
		{ EPERM, "loading a module needs root" },
		{ EACCES, "loading a module needs root" },
		{ ENOENT, "needs something that kernel" },
		{ ENOEXEC, "was not built for kernel" },
		{ ENOKEY, "the kernel wants it signed" },
		{ EKEYREJECTED, "the kernel wants it signed" },
		{ EINVAL, "the module refused a parameter's value" },
		{ ENOMEM, "cannot load the module: Cannot allocate memory; see dmesg" },
	};
	int good = 1;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		usual_machine();
		insert_error = answers[i].error;
		good &= run_load() == EXIT_FAILED && says(answers[i].text) && !removed;
	}
	result(good, "load: why the kernel does not take the module");
}

static void test_remove_refused(void)
{
	usual_machine();
	state = 0;
	remove_error = EPERM;
	result(run_unload() == EXIT_FAILED && says("unloading a module needs root"),
	       "unload: it needs root");
	remove_error = EBUSY;
	result(run_unload() == EXIT_FAILED && says("the module is in use (references: "),
	       "unload: the module is in use");
	remove_error = EIO;
	result(run_unload() == EXIT_FAILED &&
	       says("cannot unload the module: Input/output error; see dmesg"),
	       "unload: anything else");
}

static void test_devices(void)
{
	usual_machine();
	nodes_after = 3;
	result(run_load() == EXIT_DONE && !*said && !strcmp(printed, "loaded: 2 devices\n") &&
	       !strcmp(inserted_with, "()"),
	       "load: it waits until the devices are in /dev");
	usual_machine();
	nodes = 0;
	result(run_load() == EXIT_NO_DEVICE && says("/dev/labyrinthN did not appear") && !removed,
	       "load: but not for ever");
	usual_machine();
	edus = 0;
	result(run_load() == EXIT_NO_DEVICE && says("found no edu device") && !removed,
	       "load: there is nothing to drive");
	usual_machine();
	idle_edus = 1;
	result(run_load() == EXIT_FAILED && says("could not start 1 of 2 edu devices") && !removed,
	       "load: what works stays, if some do not");
	usual_machine();
	idle_edus = 2;
	result(run_load() == EXIT_FAILED && says("not loaded: could not start 2 of 2") &&
	       removed == 1,
	       "load: it is removed again, if none does");
	usual_machine();
	idle_edus = 2;
	remove_error = EIO;
	result(run_load() == EXIT_FAILED && says("cannot unload the module: Input/output error"),
	       "load: or says that it cannot be");
}

static void test_no_libkmod(void)
{
	usual_machine();
	context_missing = 1;
	result(run_load() == EXIT_FAILED && says("out of memory") && !*inserted_with,
	       "load: without libkmod, nothing is done");
	state = 0;
	result(run_unload() == EXIT_FAILED && says("out of memory") && !removed,
	       "unload: nor there");
	usual_machine();
	name_error = ENOMEM;
	result(run_unload() == EXIT_DONE && !removed && !strcmp(printed, "not loaded\n"),
	       "unload: what cannot be looked up is not loaded");
	usual_machine();
	state = 0;
	result(run_load() == EXIT_DONE && !*inserted_with && !strcmp(printed, "already loaded\n"),
	       "load: what is loaded stays so");
}

int main(void)
{
	printf("TAP version 13\n1..14\n");
	test_insert_refused();
	test_remove_refused();
	test_devices();
	test_no_libkmod();
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", tests - failures,
	       failures);
	return failures != 0;
}
