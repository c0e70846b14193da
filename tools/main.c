// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth: the command. Finds the subcommand and runs it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const struct command *const commands[] = {
	&command_list,
	&command_info,
	&command_stat,
	&command_map,
	&command_top,
	&command_load,
	&command_unload,
	&command_acquire,
	&command_copy,
	&command_send,
	&command_receive,
	&command_stress,
};

static void print_help(void)
{
	size_t i;

	printf("usage: labyrinth COMMAND [OPTION...]\n\n"
	       "Exclusive DMA pages of /dev/labyrinthN: a page is yours alone from the moment\n"
	       "you acquire it until you release it.\n\ncommands:\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
	printf("\n'labyrinth COMMAND --help' says more about each.\n\n"
	       "exit codes: 0 done, 1 failed, 2 wrong usage, 3 no device\n");
}

static int run_command(const struct command *command, int argc, char **argv)
{
	static char name[64];

	/* The command's messages begin with this. */
	snprintf(name, sizeof(name), "labyrinth %s", command->name);
	argv[0] = name;
	program = name;
	options_begin(argv);
	return command->run(command, argc, argv);
}

/* Both kinds of tools are around, so both ways are understood. */
static bool is_asked_for(const char *word, const char *name, const char *letter)
{
	return !strcmp(word, letter) || !strcmp(word, name) || !strcmp(word, name + 2);
}

static int find_and_run(int argc, char **argv)
{
	size_t i;

	if (argc < 2)
		return usage_error("no command given");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i]->name))
			return run_command(commands[i], argc - 1, argv + 1);

	if (is_asked_for(argv[1], "--help", "-h")) {
		print_help();
		return EXIT_DONE;
	}
	if (is_asked_for(argv[1], "--version", "-V")) {
		puts("labyrinth " VERSION);
		return EXIT_DONE;
	}
	if (*argv[1] == '-')
		return usage_error("there is no option '%s' here: options come after the command",
				   argv[1]);
	return usage_error("there is no command '%s'", argv[1]);
}

/*
 * Where one of the standard files is closed, the next file to be opened would take its
 * place, and our messages would go into it. This one can be used for nothing.
 */
static bool hold_standard_files(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	int code;

	if (!hold_standard_files())
		return EXIT_FAILED;
	code = find_and_run(argc, argv);

	/* What did not reach a full disk or a closed pipe was not done. */
	if (fflush(stdout) || ferror(stdout)) {
		failed("cannot write the output: %s", strerror(errno));
		if (code == EXIT_DONE)
			code = EXIT_FAILED;
	}
	return code;
}
