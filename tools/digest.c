// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SHA-256 of a file as it is on disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "copy.h"

/*
 * Sums the first @length bytes of @fd, from the disk rather than from the page cache
 * where that is possible. Returns 0; or -1 with errno, which is 0 if the file is shorter.
 */
int digest_file(int fd, uint64_t length, char *text)
{
	unsigned char block[65536];
	uint64_t done = 0;
	SHA2_CTX sum;
	ssize_t got;

	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	SHA256Init(&sum);
	while (done < length) {
		size_t want = length - done < sizeof(block) ? length - done : sizeof(block);

		got = pread(fd, block, want, done);
		if (got < 0 && errno == EINTR && !signals_stopped())
			continue;
		if (got <= 0) {
			if (!got)
				errno = 0;
			return -1;
		}
		SHA256Update(&sum, block, got);
		done += got;
	}
	SHA256End(&sum, text);
	return 0;
}
