/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the subcommands of `labyrinth` share.
 */
#ifndef LABYRINTH_COMMAND_H
#define LABYRINTH_COMMAND_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <labyrinth.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_DEVICE = 3,
};

/**
 * struct command - one subcommand
 * @name: what selects it
 * @synopsis: what follows the name in its usage line
 * @summary: one line for the list of commands
 * @help: its options and what else a person needs to know
 * @run: does it; @argv[0] is "labyrinth NAME"; returns an &enum exit_code
 */
struct command {
	const char *name;
	const char *synopsis;
	const char *summary;
	const char *help;
	int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command command_list;
extern const struct command command_info;
extern const struct command command_stat;
extern const struct command command_map;
extern const struct command command_top;
extern const struct command command_load;
extern const struct command command_unload;
extern const struct command command_acquire;
extern const struct command command_copy;
extern const struct command command_send;
extern const struct command command_receive;
extern const struct command command_stress;

#define DEVICE_OPTION	{ "device", required_argument, NULL, 'd' }
#define JSON_OPTION	{ "json", no_argument, NULL, 'j' }
#define COLUMNS_OPTION	{ "columns", required_argument, NULL, 'c' }
#define HELP_OPTION	{ "help", no_argument, NULL, 'h' }
#define VERSION_OPTION	{ "version", no_argument, NULL, 'V' }
#define LAST_OPTION	{ NULL, 0, NULL, 0 }

#define DEVICE_HELP	"  -d, --device DEV  the device, as N or a path (default: the only one)\n"
#define STYLE_HELP	"  -c, --columns KEY,...\n" \
			"                    only these columns, in this order\n" \
			"  -j, --json        print JSON\n"
#define COMMON_HELP	"  -h, --help        show this help\n" \
			"  -V, --version     show the version\n"

/* options.c */
void options_begin(char *const *argv);
int common_option(const struct command *command, int option);
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
int no_arguments(int argc, char **argv);
bool parse_number(const char *text, unsigned int max, unsigned int *number);
bool parse_seconds(const char *text, double *seconds);

/* report.c */
extern const char *program;
int failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
int library_failed(void);
void report_after(void (*finish)(void));
void report_into(char *text, size_t size);

/* select.c */
struct labyrinth_device *select_device(const char *choice, int *code);
int select_any(void);
int select_number(const char *choice, unsigned int *number);

/**
 * struct style - how a person wants a table
 * @json: as JSON
 * @columns: keys with commas between them; NULL: all
 * @stream: where it goes; NULL: the standard output
 */
struct style {
	bool json;
	const char *columns;
	FILE *stream;
};

/* show.c */
typedef int show_function(struct labyrinth_device *dev, const struct style *style);

int show_device(const struct command *command, int argc, char **argv, show_function *show);

/* signals.c */
void signals_catch(void);
bool signals_stopped(void);
bool signals_hold(double seconds, int device_fd);
void signals_on_device_loss(void (*clean_up)(void));

/**
 * struct field - one value of INFO or STAT, for a person and for a program
 * @key: its stable name
 * @meaning: what it is, in a few words
 * @text: its value, if it is not a number
 * @value: its value, if @text is NULL
 */
struct field {
	const char *key;
	const char *meaning;
	const char *text;
	uint64_t value;
};

/**
 * struct column - a column of a table
 * @key: its stable name in JSON
 * @heading: its name for a person
 * @number: whether it holds numbers, otherwise text
 */
struct column {
	const char *key;
	const char *heading;
	bool number;
};

struct libscols_table;
struct libscols_line;

/* table.c */
struct libscols_table *table_new(const char *name, const struct column *columns, size_t count,
				 bool json);
int table_set_number(struct libscols_line *line, size_t column, uint64_t value);
int table_finish(struct libscols_table *table, const struct style *style, int error);
bool style_option(struct style *style, int option);

/* columns.c */
int columns_choose(const char *wanted, const char *const *names, size_t count,
		   size_t *chosen, size_t *chosen_count);

/* fields.c */
int fields_print(const char *name, const struct field *fields, size_t count,
		 const struct style *style);

/* color.c */
bool color_wanted(void);

/* holders.c */
void holders_describe(char *text, size_t size);

#endif /* LABYRINTH_COMMAND_H */
