#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Reads the sources with every checker there is, and says what each one looked at.
# Prints only what was found; the last line is the verdict.
#
# usage: lint.sh KERNEL...
set -u

vm=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$vm/../.." && pwd)
cd "$top" || exit 1
build=$top/build/lint
scripts=$("$vm/paths.sh" source)/scripts
mkdir -p "$build"

# checkpatch remembers the spelling of names in a file where it is run.
trap 'rm -f "$top"/.checkpatch-camelcase.*' EXIT

wrong=()

# check NAME COMMAND...: shows what the command prints only if it fails, or if it
# prints at all where silence is what success looks like (checkers are such).
check() {
	local name=$1 out status
	shift
	out=$("$@" 2>&1 </dev/null)
	status=$?
	if [ $status -eq 0 ] && [ -z "$out" ]; then
		printf 'ok    %s\n' "$name"
	else
		printf 'FAIL  %s\n%s\n' "$name" "$out"
		wrong+=("$name")
	fi
}

# files DIRECTORY... -- PATTERN...: sources that git knows or would add.
files() {
	git ls-files --cached --others --exclude-standard -- "$@" | while IFS= read -r f; do
		[ ! -f "$f" ] || printf '%s\n' "$f"
	done
}

mapfile -t c_files < <(files 'driver/*.[ch]' 'uapi/*.h' 'lib/*.[ch]' 'tools/*.[ch]' \
	'selftests/*.[ch]')
mapfile -t kernel_files < <(files 'driver/*.[ch]' 'uapi/*.h' 'selftests/module/*.[ch]' \
	':!driver/compat.h' \
	':!driver/trace.h')
mapfile -t user_files < <(files 'lib/*.[ch]' 'tools/*.[ch]' 'selftests/*.[ch]' \
	':!selftests/module')

# Not asked of any file: FILE_PATH_CHANGES is about the kernel's MAINTAINERS file, and
# MACRO_ARG_REUSE is a question, whether an argument may have side effects: those that
# are reported are names of types, or the test harness's macros.
checkpatch() {
	perl "$scripts/checkpatch.pl" --no-tree --strict --terse --no-summary --file \
		--ignore "FILE_PATH_CHANGES,MACRO_ARG_REUSE${ignore:+,$ignore}" "$@"
}

# A tracing header is read several times, as macros that checkpatch takes for calls.
checkpatch_trace() {
	ignore=PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE checkpatch "$@"
}

# compat.h is where an out-of-tree driver asks for the kernel's version, which one in
# the tree must not; and KERNEL_VERSION() is taken for a variable there.
checkpatch_compat() {
	ignore=LINUX_VERSION_CODE,CONSTANT_COMPARISON checkpatch "$@"
}

# In user space, names like PRIu64, SHA256Init and _Static_assert are the C library's,
# and neither u64 nor __printf() exists.
checkpatch_user() {
	ignore=CAMELCASE,PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO checkpatch "$@"
}

# W=1 with warnings as errors, and sparse over every file. What sparse says about
# the kernel's own headers is not ours to mend.
sparse() {
	local out
	out=$("$vm/build-module.sh" "$("$vm/paths.sh" headers "$1")" \
		"$build/sparse-$1" C=2 CF="-D__CHECK_ENDIAN__" 2>&1) || {
		printf '%s\n' "$out"
		return 1
	}
	printf '%s\n' "$out" | grep -E '(warning|error):' | grep -v "^$("$vm/paths.sh" cache)/"
	return 0
}

module() {
	"$vm/build-module.sh" "$("$vm/paths.sh" headers "$1")" "$build/module-$1"
}

kernel_doc() {
	perl "$scripts/kernel-doc" -Wall -Werror -none "$@"
}

# The header must compile by itself. -Wpadded: no padding of the compiler's, so that
# the layout is the same for every language and word size.
uapi_alone() {
	local lang=$1 std=$2 bits=$3
	printf '#include <linux/labyrinth.h>\n' |
		${CC:-gcc} "-m$bits" -x "$lang" "-std=$std" -Wall -Wextra -pedantic -Wpadded \
			-Werror -Iuapi -fsyntax-only -
}

python_compiles() {
	local f
	for f; do
		python3 - "$f" <<-'END' || return 1
			import sys
			with open(sys.argv[1], encoding='utf-8') as f:
			    compile(f.read(), sys.argv[1], 'exec')
		END
	done
}

printf '%d C files, with checkpatch --strict, sparse, W=1, kernel-doc\n' "${#c_files[@]}"
check "checkpatch: ${#kernel_files[@]} files of driver, uapi, selftests/module" \
	checkpatch "${kernel_files[@]}"
check "checkpatch: driver/compat.h" checkpatch_compat driver/compat.h
check "checkpatch: driver/trace.h" checkpatch_trace driver/trace.h
check "checkpatch: ${#user_files[@]} files of lib, tools, selftests" \
	checkpatch_user "${user_files[@]}"
for kernel; do
	check "W=1 -Werror: modules for $("$vm/paths.sh" release "$kernel")" module "$kernel"
	check "sparse: modules for $("$vm/paths.sh" release "$kernel")" sparse "$kernel"
done
mapfile -t doc_files < <(files 'driver/*.[ch]' 'uapi/*.h' 'lib/include/*.h' \
	'selftests/module/*.[ch]')
check "kernel-doc: ${#doc_files[@]} files" kernel_doc "${doc_files[@]}"
for bits in 64 32; do
	for std in c99 c11 c17; do
		check "the UAPI header alone: $std, $bits bit" uapi_alone c "$std" "$bits"
	done
	for std in c++11 c++17 c++20; do
		check "the UAPI header alone: $std, $bits bit" uapi_alone c++ "$std" "$bits"
	done
done

check "syzkaller: its description agrees with the UAPI header" selftests/syzkaller/check

# Every file that begins like a shell script, whatever it is called.
mapfile -t scripts_sh < <(files | xargs grep -lE '^#!.*\b(sh|bash)$|^# shellcheck shell=' -- |
	grep -v '\.py$')
check "shellcheck: ${#scripts_sh[@]} scripts" shellcheck -x -P "$top" "${scripts_sh[@]}"
mapfile -t python < <(files | xargs grep -lE '^#!.*python3$' --; files '*.py')
check "python: ${#python[@]} files compile" python_compiles "${python[@]}"
check "pyflakes: ${#python[@]} files" pyflakes3 "${python[@]}"
check "pycodestyle: ${#python[@]} files" pycodestyle --max-line-length=88 "${python[@]}"

if [ ${#wrong[@]} -eq 0 ]; then
	echo "lint: nothing to report"
else
	echo "lint: ${#wrong[@]} checks found something"
	exit 1
fi
