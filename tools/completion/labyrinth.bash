# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of labyrinth(1) for bash. What there is to choose from, the command says
# itself, so that it is always that of the installed version.

# The first line of each is "  NAME  SUMMARY".
_labyrinth_commands()
{
	labyrinth --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  *.*/\1/p'
}

# Options of the subcommand $1, and of them those that want a value.
_labyrinth_options()
{
	labyrinth "$1" --help 2>/dev/null | sed -n 's/^  -., \(--[a-z]*\).*/\1/p'
}

_labyrinth_want_value()
{
	labyrinth "$1" --help 2>/dev/null | sed -n 's/^  \(-.\), \(--[a-z]*\) [A-Z].*/\1 \2/p'
}

# What --columns chooses from. The word is a list, of which the last key is completed.
_labyrinth_columns()
{
	local before=

	[[ $2 =~ ^[a-z_,]+, ]] && before=${BASH_REMATCH[0]}
	labyrinth "$1" --help 2>/dev/null | sed -n "1,/^columns:/d; s/^  \([a-z_]*\) .*/$before\1/p"
}

# Of the subcommand $1, for its option $2, where the word is $3 so far.
_labyrinth_values()
{
	case $2 in
	-d | --device) compgen -G '/dev/labyrinth[0-9]*' | sed 's|/dev/labyrinth||' ;;
	-c | --columns) _labyrinth_columns "$1" "$3" ;;
	-s | --sort) printf '%s\n' pages pid command state device ;;
	esac
}

_labyrinth()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]}

	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_labyrinth_commands) --help --version" -- "$word")
	elif [[ $before == -m || $before == --module ]]; then
		mapfile -t COMPREPLY < <(compgen -f -X '!*.ko*' -- "$word"; compgen -d -S / -- "$word")
	elif [[ " $(_labyrinth_want_value "$command" | tr '\n' ' ') " == *" $before "* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_labyrinth_values "$command" "$before" "$word")" \
			-- "$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_labyrinth_options "$command")" -- "$word")
	elif [[ $command == copy || $command == send || $command == receive ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	elif [[ $command == load ]]; then
		compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -S = \
			-W "$(modinfo -F parm labyrinth 2>/dev/null | sed 's/:.*//')" -- "$word")
	fi
}

complete -F _labyrinth labyrinth
