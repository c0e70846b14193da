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
 * @columns: what its --columns chooses from
 * @column_count: of @columns
 * @run: does it; @argv[0] is "labyrinth NAME"; returns an &enum exit_code
 */
struct command {
	const char *name;
	const char *synopsis;
	const char *summary;
	const char *help;
	const struct column *columns;
	size_t column_count;
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
#define STYLE_HELP	"  -c, --columns K   only these columns, in this order: K,K,...\n" \
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
 * struct column - a column of a table, or a row of what belongs to one thing
 * @key: its stable name in JSON
 * @heading: its name for a person; a row has none but its key
 * @number: whether it holds numbers, otherwise text
 * @meaning: what it is, in a few words; only where --columns can choose it
 * @offset: of a row that is a number: where this is in the struct that is shown
 * @size: of that number, in bytes
 */
struct column {
	const char *key;
	const char *heading;
	bool number;
	const char *meaning;
	size_t offset;
	size_t size;
};

#define NUMBER_COLUMN(name, title, text) \
	{ .key = name, .heading = title, .number = true, .meaning = text }
#define TEXT_COLUMN(name, title, text) { .key = name, .heading = title, .meaning = text }
#define ROW(type, name, text) { \
	.key = #name, .number = true, .meaning = text, \
	.offset = offsetof(type, name), .size = sizeof(((type *)NULL)->name) }
#define TEXT_ROW(name, text) { .key = name, .meaning = text }

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
int columns_check(const struct command *command, const struct style *style);

/* fields.c */
void fields_read(struct field *fields, const struct column *rows, size_t count,
		 const void *data);
int fields_print(const char *name, const struct field *fields, size_t count,
		 const struct style *style);

/* color.c */
bool color_wanted(void);

/* holders.c */
void holders_describe(char *text, size_t size);

#endif /* LABYRINTH_COMMAND_H */
