#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion in bash, zsh and fish: commands, options, what an option wants, files.
# usage: tests/completion.sh PATH/labyrinth PATH/fake.so, from the command's folder
labyrinth=$1
# shellcheck source=tools/tests/tap.sh
. tests/tap.sh

PATH=$(dirname "$labyrinth"):$PATH
commands=$("$labyrinth" --help | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
with_columns=$(for command in $commands; do
	"$labyrinth" "$command" --help | grep -q -e --columns && echo "$command"
done)
touch "$scratch/some-file" "$scratch/module.ko" "$scratch/module.txt"

options_of()
{
	"$labyrinth" "$1" --help | grep -oE '^  -., --[a-z]+' | sed 's/.* //' | sort
}

columns_of()
{
	"$labyrinth" "$1" --help | sed -n '1,/^columns:/d; s/^  \([a-z_]*\) .*/\1/p' | sort
}

# In fish, behind a tabulator.
all_described()
{
	local command

	for command in $commands; do
		! fish --no-config -c \
			"source completion/labyrinth.fish; complete -C 'labyrinth $command --'" |
			grep -v $'\t[^ ]' || return
	done
}

# Each takes the words of a command line, the last of which is to be completed, and
# prints what it can become.
in_bash()
{
	# shellcheck source=/dev/null
	. completion/labyrinth.bash
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_labyrinth
	printf '%s\n' "${COMPREPLY[@]}" | sort
}

in_fish()
{
	fish --no-config -c "source completion/labyrinth.fish; complete -C \"$*\"" |
		cut -f 1 | sort
}

# completes SHELL EXPECTED WORD...
completes()
{
	local expected=$2

	"in_$1" "${@:3}" >"$scratch/got"
	diff <(printf '%s\n' "$expected" | sort) "$scratch/got"
}

# It completes in a terminal only: types $1 and the tabulator, and waits for $2.
in_zsh()
{
	local tries
	local terminal=(env SHELL=/bin/sh tmux -S "$scratch/tmux" -f /dev/null)

	cat >"$scratch/.zshrc" <<-END
		fpath=($PWD/completion \$fpath)
		PATH=$PATH
		PROMPT='> '
		autoload -Uz compinit
		compinit -u -D
	END
	"${terminal[@]}" new-session -d -x 150 -y 30 "ZDOTDIR=$scratch zsh -d -i"
	for ((tries = 0; tries < 300; tries++)); do
		"${terminal[@]}" capture-pane -p | grep -q '^>' && break
		sleep 0.1
	done
	"${terminal[@]}" send-keys "$1" Tab
	for ((tries = 0; tries < 300; tries++)); do
		"${terminal[@]}" capture-pane -p >"$scratch/screen"
		grep -qE -e "$2" "$scratch/screen" && break
		sleep 0.1
	done
	"${terminal[@]}" kill-session
	cat "$scratch/screen"
	[ "$tries" -lt 300 ]
}

echo "TAP version 13"
# Nothing before the word is a name of the completion's own.
# shellcheck disable=SC2086
all=$(printf '%s\n' $commands --help --version)
check "bash: every command" completes bash "$all" labyrinth ""
check "bash: commands that begin like that" completes bash $'send\nstat\nstress' labyrinth s
for command in $commands; do
	check "bash: every option of $command" \
		completes bash "$(options_of "$command")" labyrinth "$command" --
	check "fish: every option of $command" \
		completes fish "$(options_of "$command")" labyrinth "$command" --
done
check "bash: what to sort by" completes bash $'pages\npid' labyrinth top --sort p
for command in $with_columns; do
	check "bash: every column of $command" \
		completes bash "$(columns_of "$command")" labyrinth "$command" -c ""
	check "fish: every column of $command" \
		completes fish "$(columns_of "$command")" labyrinth "$command" --columns ""
done
check "bash: columns behind others" \
	completes bash $'free,copies\nfree,copies_failed' labyrinth stat --columns free,copies
check "fish: columns behind others" \
	completes fish $'free,copies\nfree,copies_failed' labyrinth stat -c free,copies
check "fish: every option with what it is for" all_described
check "bash: nothing where a number is wanted" completes bash "" labyrinth acquire -n ""
check "bash: files to copy" \
	completes bash "$scratch/some-file" labyrinth copy "$scratch/some"
check "bash: modules to load, and no other files" \
	completes bash "$scratch/module.ko" labyrinth load --module "$scratch/mod"
check "fish: every command" completes fish "$commands" labyrinth ""
check "fish: commands that begin like that" completes fish $'send\nstat\nstress' labyrinth s
check "fish: what to sort by" completes fish $'pages\npid' labyrinth top --sort p
check "fish: files to copy" \
	completes fish "$scratch/some-file" labyrinth copy "$scratch/some"
trap 'tmux -S "$scratch/tmux" kill-server 2>/dev/null; rm -rf "$scratch"' EXIT
check "zsh: a command" in_zsh "labyrinth stre" "labyrinth stress *$"
check "zsh: commands with their summaries" in_zsh "labyrinth s" "stat +-- +show a pool"
check "zsh: an option" in_zsh "labyrinth top --int" "--interval *$"
check "zsh: options with their meaning" in_zsh "labyrinth top --" "--reverse +-- +the other way"
check "zsh: columns with their meaning" in_zsh "labyrinth stat -c free,irq_h" "free,irq_hard *$"
check "zsh: columns to choose from" in_zsh "labyrinth info --columns " "max_batch +-- +buffers in"
check "zsh: files to copy" in_zsh "labyrinth copy $scratch/some" "some-file *$"
finish
