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
#define FAKE_SLOTS	64U
/* As the driver does, with a guard behind each page. */
#define FAKE_ARENA	(2 * FAKE_SLOTS * FAKE_PAGE)

/* fake.c */
int fake_open(unsigned int number);
void fake_close(int fd);
int fake_is_open(int fd);
int fake_events(int fd);
int fake_ioctl(int fd, unsigned long call, void *argument);
ssize_t fake_read(int fd, void *data, size_t size);

/* fake-system.c */
int fake_script(unsigned int number, const char *key, __u64 *value);

#endif /* LABYRINTH_FAKE_H */
