// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables for people, or the same as JSON with stable keys.
 */
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* Whether @option was one of these. */
bool style_option(struct style *style, int option)
{
	if (option == 'j')
		style->json = true;
	else if (option == 'c')
		style->columns = optarg;
	else
		return false;
	return true;
}

static int add_column(struct libscols_table *table, const struct column *column, bool json)
{
	struct libscols_column *new;

	new = scols_table_new_column(table, json ? column->key : column->heading, 0,
				     column->number ? SCOLS_FL_RIGHT : 0);
	if (!new)
		return -ENOMEM;
	return scols_column_set_json_type(new, column->number ? SCOLS_JSON_NUMBER :
					  SCOLS_JSON_STRING);
}

/* @name is the key of the JSON array that holds the rows. NULL: out of memory. */
struct libscols_table *table_new(const char *name, const struct column *columns, size_t count,
				 bool json)
{
	struct libscols_table *table = scols_new_table();
	int error = -ENOMEM;
	size_t i;

	if (table)
		error = scols_table_set_name(table, name);
	if (!error)
		error = scols_table_enable_json(table, json);
	for (i = 0; i < count && !error; i++)
		error = add_column(table, &columns[i], json);
	if (!error)
		return table;
	scols_unref_table(table);
	return NULL;
}

/* Returns 0 or a negative errno, as libsmartcols does. */
int table_set_number(struct libscols_line *line, size_t column, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return scols_line_set_data(line, column, text);
}

/* The chosen ones first and in their order; the others are not shown. */
static int arrange(struct libscols_table *table, struct libscols_column **columns,
		   const size_t *chosen, size_t count)
{
	const size_t all = scols_table_get_ncols(table);
	struct libscols_column *before = NULL;
	int error = 0;
	size_t i;

	for (i = 0; i < all && !error; i++)
		error = scols_column_set_flags(columns[i], scols_column_get_flags(columns[i]) |
					       SCOLS_FL_HIDDEN);
	for (i = 0; i < count && !error; i++) {
		struct libscols_column *column = columns[chosen[i]];

		error = scols_column_set_flags(column, scols_column_get_flags(column) &
					       ~SCOLS_FL_HIDDEN);
		if (!error)
			error = scols_table_move_column(table, before, column);
		before = column;
	}
	return error;
}

/* Reports its errors, and returns an exit code. */
static int choose(struct libscols_table *table, const char *wanted)
{
	const size_t all = scols_table_get_ncols(table);
	struct libscols_column *columns[all];
	const char *names[all];
	size_t chosen[all], count, i;
	int code;

	for (i = 0; i < all; i++) {
		columns[i] = scols_table_get_column(table, i);
		names[i] = scols_column_get_name(columns[i]);
	}
	code = columns_choose(wanted, names, all, chosen, &count);
	if (code)
		return code;
	if (arrange(table, columns, chosen, count))
		return failed("out of memory");
	return EXIT_DONE;
}

/* Prints @table unless there is an @error already, and frees it. Returns an exit code. */
int table_finish(struct libscols_table *table, const struct style *style, int error)
{
	int code = EXIT_DONE;

	if (!error && style->columns)
		code = choose(table, style->columns);
	if (!error && style->stream)
		error = scols_table_set_stream(table, style->stream);
	if (!error && !code)
		error = scols_print_table(table);
	scols_unref_table(table);
	if (error)
		return failed("cannot print the table: %s", strerror(-error));
	return code;
}
