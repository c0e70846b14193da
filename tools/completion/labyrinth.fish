# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of labyrinth(1) for fish. What there is to choose from, the command says
# itself, so that it is always that of the installed version.

function __labyrinth_command
    set -l words (commandline -opc)
    test (count $words) -ge 2; and echo $words[2]
end

function __labyrinth_commands
    labyrinth --help 2>/dev/null | string replace -rf '^  ([a-z]+) +(.*)$' '$1\t$2'
end

function __labyrinth_options
    labyrinth (__labyrinth_command) --help 2>/dev/null |
        string replace -rf '^  -., (--[a-z]+)(?: [A-Z][^ ]*)? *(.*)$' '$1\t$2'
end

# What --columns chooses from; of a list, the last key is completed.
function __labyrinth_columns
    set -l before (string match -r '^[a-z_,]+,' -- (commandline -ct))
    labyrinth (__labyrinth_command) --help 2>/dev/null | sed '1,/^columns:/d' |
        string replace -rf '^  ([a-z_]+) +(.*)$' "$before\$1\t\$2"
end

function __labyrinth_devices
    for node in /dev/labyrinth*
        string replace -rf '^/dev/labyrinth([0-9]+)$' '$1' $node
    end
end

function __labyrinth_parameters
    modinfo -F parm labyrinth 2>/dev/null | string replace -rf '^([^:]+):(.*)$' '$1=\t$2'
end

function __labyrinth_is
    contains -- (__labyrinth_command) $argv
end

function __labyrinth_begins_option
    string match -q -- '-*' (commandline -ct)
end

function __labyrinth_after
    contains -- (commandline -opc)[-1] $argv
end

complete -c labyrinth -f
complete -c labyrinth -n 'not __labyrinth_command' -a '(__labyrinth_commands)'
complete -c labyrinth -n '__labyrinth_command; and __labyrinth_begins_option' \
    -a '(__labyrinth_options)'
complete -c labyrinth -n '__labyrinth_after -d --device' -a '(__labyrinth_devices)'
complete -c labyrinth -n '__labyrinth_after -c --columns' -a '(__labyrinth_columns)'
complete -c labyrinth -n '__labyrinth_is top; and __labyrinth_after -s --sort' \
    -a 'pages pid command state device'
complete -c labyrinth -n '__labyrinth_is copy send receive; or __labyrinth_after -m --module' -F
complete -c labyrinth -n '__labyrinth_is load' -a '(__labyrinth_parameters)'
