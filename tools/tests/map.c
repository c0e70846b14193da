// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `labyrinth map` makes of what the driver tells, line by line. Needs no device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../command.h"
#include "../map.h"

#define HEADER	"slot offset pages state content pid comm\n"

static unsigned int tests, failures;

static void result(bool passed, const char *name)
{
	printf("%sok %u - %s\n", passed ? "" : "not ", ++tests, name);
	failures += !passed;
}

/* What went to stdout, or to stderr, since capture(). */
static char *text;
static size_t length;
static FILE *before;

static void capture(FILE **stream)
{
	before = *stream;
	*stream = open_memstream(&text, &length);
	if (!*stream)
		exit(1);
}

static void restore(FILE **stream)
{
	fclose(*stream);
	*stream = before;
}

static void check(const char *expected, const char *name)
{
	bool same = !strcmp(text, expected);

	if (!same)
		printf("# not\n%s# but\n%s", expected, text);
	result(same, name);
	free(text);
	text = NULL;
}

/* The next character that is no blank. */
static const char *skip(const char *at)
{
	return at + strspn(at, "\n ");
}

/* How JSON is laid out is the library's affair. */
static void check_json(const char *expected, const char *name)
{
	const char *one, *other;

	for (one = skip(text), other = skip(expected); *one && *one == *other;
	     one = skip(one + 1), other = skip(other + 1))
		;
	if (*one != *other)
		printf("# differs at:\n%s", one);
	result(*one == *other, name);
	free(text);
	text = NULL;
}

static int parse(const char *lines, struct pages *pages)
{
	FILE *file = fmemopen((void *)lines, strlen(lines), "r");
	int code;

	if (!file)
		exit(1);
	code = pages_parse(file, "FILE", pages);
	fclose(file);
	return code;
}

static void show(const char *lines, unsigned int width, bool color)
{
	struct legend legend;
	struct pages pages;

	if (parse(lines, &pages) || !legend_make(&legend, &pages))
		exit(1);
	capture(&stdout);
	draw_map(&pages, &legend, width, color);
	legend_print(&legend, color);
	restore(&stdout);
	legend_free(&legend);
	pages_free(&pages);
}

static const char every_state[] = HEADER
	"0 0 1 free zero 0 -\n"
	"1 8192 1 owned - 1234 my program\n"
	"2 16384 1 owned - 99 -\n"
	"3 24576 1 owned - 1234 my program\n"
	"17 139264 1 ticketed - 1234 my program\n"
	"18 147456 1 free sentinel 0 -\n"
	"19 155648 1 kernel - 0 -\n"
	"20 163840 1 poisoned - 0 -\n"
	"21 172032 1 quarantined - 77\040\n"
	"2048 16777216 2 owned - 1234 my program\n"
	"2050 16801792 2 owned - 5 \\012\033[2J\xff\n"
	"3072 25165824 16 ticketed - 5 x\n";

static void test_map(void)
{
	show(every_state, 14, false);
	check("   0  .ABA\n"
	      "  16   1,*!?\n"
	      "2048  A=  C=\n"
	      "3072  2=======\n"
	      "      ========\n"
	      "  WHAT                  PAGES  PID COMM\n"
	      ". free                      1    - -\n"
	      ", free, with a sentinel     1    - -\n"
	      "A owned                     4 1234 my program\n"
	      "B owned                     1   99 -\n"
	      "C owned                     2    5 \\012\\033[2J\\377\n"
	      "1 ticketed, given by        1 1234 my program\n"
	      "2 ticketed, given by       16    5 x\n"
	      "* kernel                    1    - -\n"
	      "? quarantined               1   77 -\n"
	      "! poisoned                  1    - -\n"
	      "= one buffer with the page before it\n",
	      "each state has its symbol, and every owner a row below");
}

static void test_colors(void)
{
	show(HEADER "0 0 1 owned - 7 a\n1 8192 1 owned - 7 a\n2 16384 1 ticketed - 7 a\n"
	     "5 40960 1 free zero 0 -\n", 80, true);
	check("0  \033[36mAA\033[0m\033[7;36m1\033[0m  \033[2m.\033[0m\n"
	      "  WHAT               PAGES PID COMM\n"
	      "\033[2m.\033[0m free                   1   - -\n"
	      "\033[36mA\033[0m owned                  2   7 a\n"
	      "\033[7;36m1\033[0m ticketed, given by     1   7 a\n",
	      "what a process owns, and what it has given, have the same colour");
}

static void test_rows(void)
{
	struct pages pages;

	if (parse(HEADER "1 8192 1 owned - 1234 my \"program\"\n"
		  "18 147456 1 free sentinel 0 -\n"
		  "2048 16777216 2 quarantined - 5\040\n", &pages))
		exit(1);
	result(pages_total(&pages) == 4, "the pages of all buffers add up");
	capture(&stdout);
	rows_print(&pages, &(struct style){ .json = false });
	restore(&stdout);
	check("SLOT   OFFSET PAGES STATE       CONTENT   PID COMM\n"
	      "   1     8192     1 owned       -        1234 my \"program\"\n"
	      "  18   147456     1 free        sentinel    - -\n"
	      "2048 16777216     2 quarantined -           5 -\n",
	      "each buffer is a row");
	capture(&stdout);
	rows_print(&pages, &(struct style){ .json = true });
	restore(&stdout);
	check_json("{ \"buffers\": [\n"
		   "{ \"slot\": 1, \"offset\": 8192, \"pages\": 1, \"state\": \"owned\",\n"
		   "  \"content\": null, \"pid\": 1234, \"comm\": \"my \\\"program\\\"\" },\n"
		   "{ \"slot\": 18, \"offset\": 147456, \"pages\": 1, \"state\": \"free\",\n"
		   "  \"content\": \"sentinel\", \"pid\": null, \"comm\": null },\n"
		   "{ \"slot\": 2048, \"offset\": 16777216, \"pages\": 2,\n"
		   "  \"state\": \"quarantined\", \"content\": null, \"pid\": 5,\n"
		   "  \"comm\": null }\n"
		   "] }\n", "and an object in JSON");
	pages_free(&pages);
}

static void test_empty(void)
{
	struct pages pages;

	show(HEADER, 80, false);
	check("", "a pool without pages is an empty map");
	if (parse(HEADER, &pages))
		exit(1);
	capture(&stdout);
	rows_print(&pages, &(struct style){ .json = true });
	restore(&stdout);
	check_json("{ \"buffers\": [] }", "and an empty array");
}

/* @count pages, each of another process. */
static char *many(unsigned int count, const char *state)
{
	char *lines = NULL;
	size_t size;
	FILE *file = open_memstream(&lines, &size);
	unsigned int i;

	if (!file)
		exit(1);
	fputs(HEADER, file);
	for (i = 0; i < count; i++)
		fprintf(file, "%u %u 1 %s - %u p%u\n", i, i * 8192, state, i + 1, i + 1);
	fclose(file);
	return lines;
}

static void test_many(void)
{
	char *lines = many(54, "owned");

	show(lines, 80, false);
	result(!strncmp(text, " 0  ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz##\n", 59) &&
	       strstr(text, "\nz owned                         1  52 p52\n") &&
	       strstr(text, "\n# owned (no letter is left)     1  54 p54\n"),
	       "the 53rd owner has to share a symbol, and is told apart below");
	free(text);
	free(lines);
	lines = many(11, "ticketed");
	show(lines, 80, false);
	result(!strncmp(text, " 0  12345678900\n", 16) &&
	       strstr(text, "\n0 ticketed, given by (no digit is left)     1  11 p11\n"),
	       "and so does the tenth giver");
	free(text);
	free(lines);
}

static void test_large(void)
{
	char *lines = many(2500, "owned");
	const char *at, *end;
	unsigned int rows = 0;

	show(lines, 80, false);
	end = strstr(text, "\n  WHAT");
	for (at = text; at <= end; at++)
		rows += *at == '\n';
	result(rows == 40, "2500 pages are drawn in 40 rows of 64");
	free(text);
	free(lines);
}

int main(void)
{
	printf("TAP version 13\n1..10\n");
	test_map();
	test_colors();
	test_rows();
	test_empty();
	test_many();
	test_large();
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", tests - failures,
	       failures);
	return failures != 0;
}
