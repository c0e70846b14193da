/* SPDX-License-Identifier: GPL-2.0 */
/* Small files of the kernel's, in sysfs, debugfs and tracefs. */
#ifndef LABYRINTH_BENCH_FILES_H
#define LABYRINTH_BENCH_FILES_H

#include <stddef.h>

#define BENCH_DEBUGFS	"/sys/kernel/debug/labyrinth_bench/"

void file_write(const char *path, const char *text);
size_t file_read(const char *path, char *text, size_t size);

#endif /* LABYRINTH_BENCH_FILES_H */
