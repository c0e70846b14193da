/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `labyrinth send` and `labyrinth receive` say to each other over a Unix stream
 * socket: tickets, and what is in them. The content itself never passes it.
 *
 * The sender sends messages, each with one ticket but the last, which has none. The
 * receiver answers each with one byte, when it has given the pages back; the last, when
 * all that came is in place.
 */
#ifndef LABYRINTH_CHANNEL_H
#define LABYRINTH_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"

/* Pages in a ticket, and tickets on the way, at most. */
#define CHANNEL_PAGES	64
#define CHANNEL_TICKETS	2

#define CHANNEL_SUM	64		/* hexadecimal digits of a SHA-256 */

/**
 * struct channel_message - what goes before the pages
 * @magic: says who speaks, and in which version; channel_send() sets it
 * @length: bytes in this ticket; in the last message, bytes in all
 * @last: 1 in the last message, otherwise 0
 * @reserved: 0
 * @sum: in the last message, the SHA-256 of all bytes in hexadecimal, without a NUL
 */
struct channel_message {
	uint64_t magic;
	uint64_t length;
	uint32_t last;
	uint32_t reserved;
	char sum[CHANNEL_SUM];
};

/**
 * struct channel - one end of the connection
 * @path: the socket, as the person called it
 * @peer: who is at the other end, for messages
 * @fd: the connection
 */
struct channel {
	const char *path;
	const char *peer;
	int fd;
};

/* All report their errors, and return an &enum exit_code. */
int channel_connect(struct channel *channel, const char *path);
int channel_accept(struct channel *channel, const char *path, bool quiet);
void channel_close(struct channel *channel);

int channel_send(const struct channel *channel, struct channel_message *message, int ticket);
int channel_receive(const struct channel *channel, struct channel_message *message,
		    int *ticket);
int channel_acknowledge(const struct channel *channel);
int channel_await_acknowledgement(const struct channel *channel);

struct labyrinth_device *channel_select_device(const char *choice, int *code);

#endif /* LABYRINTH_CHANNEL_H */
