/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of the test "scripted": scripted.c has what they share, and runs them all.
 */
#ifndef LABYRINTH_SCRIPTED_H
#define LABYRINTH_SCRIPTED_H

#include <labyrinth.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* One line of the result; with what the library says, unless it @passed. */
void result(int passed, const char *name);

/* From now on, device @number is there, and that is true of it. */
void script(unsigned int number, const char *lines);

/* Device 0 refuses @call with @error. */
void refuse(const char *call, int error);

/* Device 0, of which @lines are true. */
struct labyrinth_device *open_scripted(const char *lines);

/* That of which nothing special is true. */
struct labyrinth_device *open_device(void);

/* @count buffers of @dev; there is no test without them. */
void acquire(struct labyrinth_device *dev, struct labyrinth_buf **bufs, unsigned int count);

/* Pages that @dev owns. */
unsigned int owned(struct labyrinth_device *dev);

/* Whether the call that has just returned @failed left @error and such a text. */
int said(int failed, int error, const char *words);

/* memory.c */
void test_memory(void);

/* tickets.c */
void test_tickets(void);

/* unmapped.c */
void test_unmapped(void);

/* refused.c */
void test_refused(void);

#endif /* LABYRINTH_SCRIPTED_H */
