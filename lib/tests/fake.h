/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of the device that is none: fake.c answers its calls, fake-system.c makes
 * programs believe that it is there. See there for how a test says what it wants.
 */
#ifndef LABYRINTH_FAKE_H
#define LABYRINTH_FAKE_H

#include <stddef.h>
#include <sys/types.h>

#include <linux/types.h>

#define FAKE_PAGE	4096U
#define FAKE_SLOTS	64U		/* pages, where the test does not say how many */
#define FAKE_MOST	512U

/* fake.c */
int fake_open(unsigned int number);
void fake_close(int fd);
int fake_is_open(int fd);
int fake_poll(int fd);
int fake_map(int fd, size_t length, off64_t offset);
int fake_ioctl(int fd, unsigned long call, void *argument);
ssize_t fake_read(int fd, void *data, size_t size);

/* fake-system.c */
int fake_script(unsigned int number, const char *key, __u64 *value);

#endif /* LABYRINTH_FAKE_H */
