/* SPDX-License-Identifier: GPL-2.0 */
/* System calls that are held up in the middle, where they copy to or from user space. */
#ifndef LABYRINTH_STALL_H
#define LABYRINTH_STALL_H

#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "labyrinth_utils.h"

/* Memory in which a system call sleeps until stall_end(); NULL if there is none. */
static inline void *stall_memory(int *faults)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*faults = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	range.range.start = (uintptr_t)page;
	range.range.len = page_size();
	if (page == MAP_FAILED || *faults < 0 || ioctl(*faults, UFFDIO_API, &api) ||
	    ioctl(*faults, UFFDIO_REGISTER, &range))
		return NULL;
	return page;
}

static inline int stall_end(int faults, void *page)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)page, .len = page_size() },
	};

	return ioctl(faults, UFFDIO_ZEROPAGE, &zero);
}

#endif /* LABYRINTH_STALL_H */
