// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables for people, or the same as JSON with stable keys.
 */
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

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

/* Prints @table unless there is an @error already, and frees it. Returns an exit code. */
int table_finish(struct libscols_table *table, int error)
{
	if (!error)
		error = scols_print_table(table);
	scols_unref_table(table);
	if (error)
		return failed("cannot print the table: %s", strerror(-error));
	return EXIT_DONE;
}

static int set_value(struct libscols_line *line, size_t column, const struct field *field)
{
	if (field->text)
		return scols_line_set_data(line, column, field->text);
	return table_set_number(line, column, field->value);
}

static int fill_json(struct libscols_table *table, const struct field *fields, size_t count)
{
	struct libscols_line *line;
	int error = 0;
	size_t i;

	for (i = 0; i < count && !error; i++) {
		const struct column column = { fields[i].key, NULL, !fields[i].text };

		error = add_column(table, &column, true);
	}
	line = error ? NULL : scols_table_new_line(table, NULL);
	if (!line)
		return -ENOMEM;
	for (i = 0; i < count && !error; i++)
		error = set_value(line, i, &fields[i]);
	return error;
}

static int fill_people(struct libscols_table *table, const struct field *fields, size_t count)
{
	struct libscols_line *line;
	size_t i;

	for (i = 0; i < count; i++) {
		line = scols_table_new_line(table, NULL);
		if (!line || scols_line_set_data(line, 0, fields[i].key) ||
		    set_value(line, 1, &fields[i]) ||
		    scols_line_set_data(line, 2, fields[i].meaning))
			return -ENOMEM;
	}
	return 0;
}

/* One JSON object in the array @name, or a row for each field. Returns an exit code. */
int table_fields(const char *name, const struct field *fields, size_t count, bool json)
{
	static const struct column columns[] = {
		{ "name", "NAME", false },
		{ "value", "VALUE", true },
		{ "meaning", "MEANING", false },
	};
	struct libscols_table *table;
	int error = -ENOMEM;

	table = table_new(name, columns, json ? 0 : ARRAY_SIZE(columns), json);
	if (table)
		error = json ? fill_json(table, fields, count) :
			       fill_people(table, fields, count);
	return table_finish(table, error);
}
