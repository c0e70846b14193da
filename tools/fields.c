// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What belongs to one thing: an object in JSON, or a row for each value with its meaning
 * for people. There --columns chooses keys, here it chooses rows, by the same names.
 */
#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define WIDTH	24			/* of a list, before it goes on in the next line */

/* What is in the struct at @data. Texts are for the caller to add. */
void fields_read(struct field *fields, const struct column *rows, size_t count,
		 const void *data)
{
	uint32_t narrow;
	size_t i;

	for (i = 0; i < count; i++) {
		const char *from = (const char *)data + rows[i].offset;

		fields[i] = (struct field){ rows[i].key, rows[i].meaning, NULL, 0 };
		if (rows[i].size == sizeof(narrow)) {
			memcpy(&narrow, from, sizeof(narrow));
			fields[i].value = narrow;
		} else if (rows[i].number) {
			memcpy(&fields[i].value, from, sizeof(fields[i].value));
		}
	}
}

static int set_value(struct libscols_line *line, size_t column, const struct field *field)
{
	if (field->text)
		return scols_line_set_data(line, column, field->text);
	return table_set_number(line, column, field->value);
}

static int print_json(const char *name, const struct field *fields, size_t count,
		      const struct style *style)
{
	struct column columns[count];
	struct libscols_table *table;
	struct libscols_line *line;
	int error = -ENOMEM;
	size_t i;

	for (i = 0; i < count; i++)
		columns[i] = (struct column){
			.key = fields[i].key,
			.number = !fields[i].text,
		};
	table = table_new(name, columns, count, true);
	line = table ? scols_table_new_line(table, NULL) : NULL;
	if (line)
		error = 0;
	for (i = 0; i < count && !error; i++)
		error = set_value(line, i, &fields[i]);
	return table_finish(table, style, error);
}

static int add_line(struct libscols_table *table, const struct field *field)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	if (!line || scols_line_set_data(line, 0, field->key) || set_value(line, 1, field) ||
	    scols_line_set_data(line, 2, field->meaning))
		return -ENOMEM;
	return 0;
}

/* As much of a list as fits: whole words with their commas, at least one. */
static size_t fitting(const char *list)
{
	size_t length = 0, next = 0;

	while (list[next]) {
		next += strcspn(list + next, ",");
		next += list[next] == ',';
		if (length && next > WIDTH)
			break;
		length = next;
	}
	return length;
}

/* Each part of a long list has a line of its own, the first one with all the rest. */
static int add_row(struct libscols_table *table, const struct field *field)
{
	struct field part = *field;
	const char *left = field->text;
	char *text;
	int error;

	if (!left || strlen(left) <= WIDTH)
		return add_line(table, field);
	do {
		text = strndup(left, fitting(left));
		part.text = text;
		error = text ? add_line(table, &part) : -ENOMEM;
		free(text);
		left += fitting(left);
		part.key = "";
		part.meaning = "";
	} while (*left && !error);
	return error;
}

static int print_rows(const char *name, const struct field *fields, const size_t *chosen,
		      size_t count)
{
	static const struct column columns[] = {
		TEXT_COLUMN("name", "NAME", NULL),
		NUMBER_COLUMN("value", "VALUE", NULL),
		TEXT_COLUMN("meaning", "MEANING", NULL),
	};
	const struct style plain = { .json = false };
	struct libscols_table *table;
	int error = -ENOMEM;
	size_t i;

	table = table_new(name, columns, ARRAY_SIZE(columns), false);
	if (table)
		error = 0;
	for (i = 0; i < count && !error; i++)
		error = add_row(table, &fields[chosen[i]]);
	return table_finish(table, &plain, error);
}

/* Reports its errors, and returns an exit code. */
int fields_print(const char *name, const struct field *fields, size_t count,
		 const struct style *style)
{
	const char *names[count];
	size_t chosen[count], chosen_count = count;
	int code = EXIT_DONE;
	size_t i;

	if (style->json)
		return print_json(name, fields, count, style);
	for (i = 0; i < count; i++) {
		names[i] = fields[i].key;
		chosen[i] = i;
	}
	if (style->columns)
		code = columns_choose(style->columns, names, count, chosen, &chosen_count);
	return code ? code : print_rows(name, fields, chosen, chosen_count);
}
