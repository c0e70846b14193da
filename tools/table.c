// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fields as a table for people, or as one JSON object with stable keys.
 */
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

static int set_value(struct libscols_line *line, size_t column, const struct field *field)
{
	char number[24];

	if (field->text)
		return scols_line_set_data(line, column, field->text);
	snprintf(number, sizeof(number), "%" PRIu64, field->value);
	return scols_line_set_data(line, column, number);
}

static int fill_json(struct libscols_table *table, const struct field *fields, size_t count)
{
	struct libscols_column *column;
	struct libscols_line *line;
	size_t i;

	scols_table_enable_json(table, 1);
	for (i = 0; i < count; i++) {
		column = scols_table_new_column(table, fields[i].key, 0, 0);
		if (!column)
			return -ENOMEM;
		scols_column_set_json_type(column, fields[i].text ? SCOLS_JSON_STRING :
					   SCOLS_JSON_NUMBER);
	}
	line = scols_table_new_line(table, NULL);
	if (!line)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		if (set_value(line, i, &fields[i]))
			return -ENOMEM;
	return 0;
}

static int fill_people(struct libscols_table *table, const struct field *fields, size_t count)
{
	struct libscols_line *line;
	size_t i;

	if (!scols_table_new_column(table, "NAME", 0, 0) ||
	    !scols_table_new_column(table, "VALUE", 0, SCOLS_FL_RIGHT) ||
	    !scols_table_new_column(table, "MEANING", 0, 0))
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		line = scols_table_new_line(table, NULL);
		if (!line || scols_line_set_data(line, 0, fields[i].key) ||
		    set_value(line, 1, &fields[i]) ||
		    scols_line_set_data(line, 2, fields[i].meaning))
			return -ENOMEM;
	}
	return 0;
}

/* @name is the key of the JSON array that holds the object. Returns an exit code. */
int table_fields(const char *name, const struct field *fields, size_t count, bool json)
{
	struct libscols_table *table = scols_new_table();
	int error = -ENOMEM;

	if (table && !scols_table_set_name(table, name))
		error = json ? fill_json(table, fields, count) :
			       fill_people(table, fields, count);
	if (!error)
		error = scols_print_table(table);
	scols_unref_table(table);
	if (error)
		return failed("cannot print the table: %s", strerror(-error));
	return EXIT_DONE;
}
