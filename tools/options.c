// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Options that every subcommand has, and what is said about wrong ones.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

int usage_error(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see '%s --help'\n", program);
	return EXIT_USAGE;
}

static char *const *arguments;

/*
 * Due before getopt_long(). Option strings begin with a colon, because its own messages do
 * not say what to do.
 */
void options_begin(char *const *argv)
{
	arguments = argv;
}

static int option_error(void)
{
	const char *word = arguments[optind - 1];

	/* Nor do several begin like that: no two of a subcommand have the same first letter. */
	if (!optopt)
		return usage_error("there is no option '%s'", word);
	if (!strncmp(word, "--", 2))
		return usage_error("the option '%.*s' takes no value",
				   (int)strcspn(word, "="), word);
	return usage_error("there is no option '-%c'", optopt);
}

static void print_help(const struct command *command)
{
	size_t i;

	printf("usage: labyrinth %s%s%s\n\n%s\n\n%s" COMMON_HELP, command->name,
	       *command->synopsis ? " " : "", command->synopsis, command->summary,
	       command->help);
	if (command->column_count)
		printf("\ncolumns:\n");
	for (i = 0; i < command->column_count; i++)
		printf("  %-19s %s\n", command->columns[i].key, command->columns[i].meaning);
}

/* For what getopt_long() returned and the subcommand does not know itself. */
int common_option(const struct command *command, int option)
{
	switch (option) {
	case 'h':
		print_help(command);
		return EXIT_DONE;
	case 'V':
		printf("labyrinth %s " VERSION "\n", command->name);
		return EXIT_DONE;
	case ':':
		return usage_error("the option '%s' wants a value", arguments[optind - 1]);
	default:
		return option_error();
	}
}

int no_arguments(int argc, char **argv)
{
	if (optind < argc)
		return usage_error("unexpected argument '%s'", argv[optind]);
	return EXIT_DONE;
}

bool parse_number(const char *text, unsigned int max, unsigned int *number)
{
	unsigned long value;
	char *end;

	/* strtoul() would take a sign and leading blanks. */
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value > max)
		return false;
	*number = value;
	return true;
}

bool parse_seconds(const char *text, double *seconds)
{
	char *end;

	if ((*text < '0' || *text > '9') && *text != '.')
		return false;
	*seconds = strtod(text, &end);
	return end != text && !*end && isfinite(*seconds) && *seconds <= 1e9;
}
