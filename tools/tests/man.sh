#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The manual pages of the command: one for each subcommand, with all of its options and no
# other, and what the pages promise of exit codes.
# usage: tests/man.sh PATH/labyrinth, from the command's folder
# shellcheck disable=SC2034
labyrinth=$1
# shellcheck source=tools/tests/tap.sh
. tests/tap.sh

folder=$(dirname "$labyrinth")/man
commands=$("$labyrinth" --help | sed -n 's/^  \([a-z]*\)  *.*/\1/p')

# page COMMAND: as one reads it, in lines as long as they come
page()
{
	MANWIDTH=1000 LC_ALL=C.UTF-8 man -E UTF-8 -l "$folder/labyrinth-$1.1"
}

# In both, an option's line begins with blanks and one or two names.
options()
{
	sed -nE 's/^ +(-[a-zA-Z]), (--[a-z]+).*/\1 \2/p' | sort -u
}

same_options()
{
	"$labyrinth" "$1" --help | options >"$scratch/help"
	page "$1" | options >"$scratch/page"
	test -s "$scratch/help" && diff "$scratch/help" "$scratch/page"
}

# What is in brackets in the usage line is in the page's.
same_arguments()
{
	"$labyrinth" "$1" --help | sed -n '1s/^usage: labyrinth [a-z]*//p' | tr -cs '[:upper:]' '\n' |
		sort -u >"$scratch/help"
	page "$1" | sed -n '/^SYNOPSIS/{n;p}' | tr -cs '[:upper:]' '\n' | sort -u >"$scratch/page"
	diff "$scratch/help" "$scratch/page"
}

# What scdoc puts before every paragraph is no fault of the text.
well_written()
{
	! mandoc -Tlint -W warning "$1" | grep -v 'skipping paragraph macro' &&
		test -z "$(LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 >/dev/null)"
}

# "KEY: MEANING" of each column, as --help and as the page has it.
help_columns()
{
	"$labyrinth" "$1" --help | sed '1,/^columns:/d; s/^  \([a-z_]*\)  */\1: /'
}

page_columns()
{
	page "$1" | sed -n '/^COLUMNS/,/^EXAMPLES/{s/^  *//p}' | sed '/^$/d' |
		sed 'N; s/\n\(.*\)\.$/: \1/; s/: \(.\)/: \l\1/'
}

# In the schema is what the command really prints, which other tests compare.
schema_keys()
{
	sed -n 's/^ *"\([a-z_]*\)": {$/\1/p' "schema/$1.json" |
		grep -vxE "properties|items|devices|buffers|$1"
}

same_columns()
{
	help_columns "$1" >"$scratch/help"
	page_columns "$1" >"$scratch/page"
	schema_keys "$1" >"$scratch/schema"
	test -s "$scratch/help" && diff "$scratch/help" "$scratch/page" &&
		sed 's/: .*//' "$scratch/help" | diff - "$scratch/schema"
}

# names_itself PAGE: among those to see also
names_itself()
{
	sed -n '/^\.SH SEE ALSO/,$p' "$folder/$1.1" | tr -d '\\&' | grep -q "fB$1fR(1)"
}

none_names_itself()
{
	names_itself labyrinth && return 1
	for command in $commands; do
		names_itself "labyrinth-$command" && return 1
		sed -n '/^\.SH SEE ALSO/,$p' "$folder/labyrinth-$command.1" | tr -d '\\&' |
			grep -q "fBlabyrinthfR(1)" || return
	done
}

echo "TAP version 13"
for command in $commands; do
	check "$command has a page, with all of its options and no other" same_options "$command"
	check "$command: and its arguments" same_arguments "$command"
	check "$command: mandoc and man find nothing wrong" \
		well_written "$folder/labyrinth-$command.1"
	check "labyrinth(1) names $command" grep -q "labyrinth-$command" "$folder/labyrinth.1"
done
check "mandoc and man find nothing wrong with labyrinth(1)" well_written "$folder/labyrinth.1"
check "no page is about another command" \
	test "$(echo "$commands" | wc -w)" -eq "$(printf '%s\n' "$folder"/labyrinth-*.1 | wc -l)"
for command in $commands; do
	"$labyrinth" "$command" --help | grep -q -e --columns || continue
	check "$command: its page, --help and its JSON have the same columns" \
		same_columns "$command"
done
check "each page names labyrinth(1), but none itself" none_names_itself
check "each page tells the exit codes" \
	test -z "$(grep -L 'EXIT STATUS' "$folder"/*.1)"
finish
