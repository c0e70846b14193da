/* SPDX-License-Identifier: GPL-2.0 */
/* One slot of the pool and the buffer in it. What can be done with it is in pool.h. */
#ifndef LABYRINTH_PAGE_H
#define LABYRINTH_PAGE_H

#include <linux/io.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/types.h>
#include <linux/vmalloc.h>

#include "account.h"

/**
 * enum labyrinth_state - what a slot of the pool holds
 * @LABYRINTH_EMPTY: no page
 * @LABYRINTH_FREE: a page that belongs to nobody, zeroed or with a sentinel in it
 * @LABYRINTH_OWNED: a page that an open file owns, or that is being scrubbed after
 * @LABYRINTH_TICKETED: a page that a ticket owns
 * @LABYRINTH_KERNEL: a page that an in-kernel client owns
 * @LABYRINTH_QUARANTINED: a page nobody owns but a DMA transfer may still reach
 * @LABYRINTH_POISONED: a page that changed while it was free, never handed out again
 * @LABYRINTH_STATES: how many states there are
 */
enum labyrinth_state {
	LABYRINTH_EMPTY,
	LABYRINTH_FREE,
	LABYRINTH_OWNED,
	LABYRINTH_TICKETED,
	LABYRINTH_KERNEL,
	LABYRINTH_QUARANTINED,
	LABYRINTH_POISONED,
	LABYRINTH_STATES
};

/* A handle is how often its slot has been owned, so that none comes twice, above the slot. */
#define LABYRINTH_SLOT_BITS	16
#define LABYRINTH_SLOT_MASK	((1u << LABYRINTH_SLOT_BITS) - 1)

/**
 * struct labyrinth_page - one slot of the pool, with or without a buffer in it
 * @link: on the pool's empty or returned list, or in its stock (pool lock), on the buffer
 *	list of the owning file (that file's state mutex), on that of the owning ticket,
 *	or on the private list of the one task that is acquiring or releasing it
 * @cpu: the buffer in the kernel's address space; NULL in an empty slot
 * @dma: its bus address
 * @handle: names the latest ownership: how often the slot has been owned, above its
 *	number. Meaningful to the owner only; drawn by whoever has the page in hand
 * @account: who pays while it belongs to somebody or is quarantined; set by the new
 *	owner, cleared under the pool's lock. Accounts are freed with RCU, so that anybody
 *	may have a look
 * @dma_users: copies that name it, each perhaps twice; guarded by the engine's lock
 * @held: the file that @account is of owns it. Changes only under that file's state
 *	mutex, so that "is it mine" is stable there, whatever other files do, for as long
 *	as the pool is not dead
 * @touched: a page table may show it; guarded by the owner's state mutex
 * @state: enum labyrinth_state; changed by whoever has the page in hand, together with
 *	the pool's counts or after them
 * @order: the slot is for buffers of 2^order pages; never changes
 * @fill: while it is free, the byte that all of it consists of
 *
 * Nearly all are single pages, hence the name. All lie in one array: that is the list
 * that holds every page at every instant, so removal frees them all, whoever has what
 * in hand. With the slots of the higher orders it takes 63 bytes for each page of the
 * pool.
 */
struct labyrinth_page {
	struct list_head link;
	void *cpu;
	dma_addr_t dma;
	u64 handle;
	struct labyrinth_account *account;
	u16 dma_users;
	bool held;
	bool touched;
	u8 state;
	u8 order;
	u8 fill;
};

static inline u32 labyrinth_page_count(const struct labyrinth_page *page)
{
	return 1u << page->order;
}

/* From the CPU address: behind an IOMMU the bus address says nothing about it. */
static __always_inline unsigned long labyrinth_page_pfn(const struct labyrinth_page *page,
							u32 index)
{
	void *cpu = page->cpu + (size_t)index * PAGE_SIZE;

	return is_vmalloc_addr(cpu) ? vmalloc_to_pfn(cpu) : PHYS_PFN(virt_to_phys(cpu));
}

/**
 * labyrinth_page_is_referenced() - does anybody outside hold on to a buffer?
 * @page: the buffer; once it is in no page table any more, the answer "no" is final
 *
 * A revoke reaches what has page tables or is told of their changes. KVM, before 6.13, takes
 * a reference on a page that it finds in one, and lets the hardware write to it for a nested
 * guest until that leaves: hva_to_pfn_remapped(), kvm_vcpu_map(). Such a page must not get
 * another owner; the page allocator, if it has it back, keeps it until KVM has let go. New
 * references are taken under the lock of the page table: there can be none by now. One that
 * is taken in passing, by whoever walks all memory, costs no more than this page.
 *
 * Callers ask mm_has_notifiers() of the owner's address space first, which is cheaper: where
 * there never was one, KVM never was.
 *
 * Context: Any. The pool is entered, or the buffer's owner cannot lose it.
 * Return: true if it must not get another owner.
 */
static inline bool labyrinth_page_is_referenced(const struct labyrinth_page *page)
{
	u32 i = 0;

	do {
		if (page_count(pfn_to_page(labyrinth_page_pfn(page, i))) > 1)
			return true;
	} while (unlikely(page->order) && ++i < labyrinth_page_count(page));
	return false;
}

/* Names a new ownership, of a buffer whose owner does not go by handles yet. */
static inline void labyrinth_page_draw_handle(struct labyrinth_page *page)
{
	page->handle += 1ull << LABYRINTH_SLOT_BITS;
}

/* The pool's lock is held. In-kernel clients do not pay. */
static inline void labyrinth_page_uncharge(struct labyrinth_page *page)
{
	struct labyrinth_account *account = page->account;

	WRITE_ONCE(page->account, NULL);
	if (account)
		labyrinth_account_uncharge(account, NULL, labyrinth_page_count(page));
}

#endif /* LABYRINTH_PAGE_H */
