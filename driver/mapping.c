// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping pages into user space, and taking them away again. mmap itself maps
 * nothing: pages go in one by one as they are touched, under the mutex that a revoke
 * takes, so that a page is shown only while it is owned.
 */
#include <linux/dma-map-ops.h>
#include <linux/file.h>
#include <linux/freezer.h>
#include <linux/mm.h>

#include "compat.h"
#include "device.h"

/*
 * A mapping of one buffer remembers the handle it was made for, so that it stays dead
 * when the file acquires the same arena offset again; 0 in the mapping of the arena.
 */
static void set_handle(struct vm_area_struct *vma, u64 handle)
{
	BUILD_BUG_ON(sizeof(vma->vm_private_data) < sizeof(handle));
	vma->vm_private_data = (void *)(uintptr_t)handle;
}

static u64 get_handle(struct vm_area_struct *vma)
{
	return (uintptr_t)vma->vm_private_data;
}

static void unmap_run(struct labyrinth_file *lf, pgoff_t first, pgoff_t last)
{
	unmap_mapping_pages(&lf->mapping, first, last - first + 1, true);
}

/* Whether a page of a buffer belongs to the device until a fenced copy has ended. */
static bool is_fenced(struct labyrinth_file *lf, struct labyrinth_page *page, u32 index)
{
	/* Only the owner submits copies, under the state mutex: none is overlooked. */
	if (!data_race(page->dma_users) || !labyrinth_file_owns(lf, page))
		return false;
	return labyrinth_engine_is_fenced(&lf->ldev->engine, &lf->queue, page, index);
}

/*
 * Waits until the device is done, without the lock that mmap and munmap need, and has
 * the access tried again. Only for user mode: a system call that copies to or from a
 * fenced page may hold locks that must not wait for a device, and gets EFAULT at once.
 */
static vm_fault_t wait_for_fence(struct vm_fault *vmf, struct labyrinth_file *lf,
				 struct labyrinth_page *page, u32 index)
{
	struct file *file;

	if (!(vmf->flags & FAULT_FLAG_USER) || !(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return VM_FAULT_SIGBUS;
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	/* The mapping, and with it the file, may go once the lock has been dropped. */
	file = get_file(vmf->vma->vm_file);
	release_fault_lock(vmf);
	wait_event_freezable(lf->queue.wait, !is_fenced(lf, page, index));
	fput(file);
	return VM_FAULT_RETRY;
}

static vm_fault_t labyrinth_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct labyrinth_file *lf = vma->vm_file->private_data;
	struct labyrinth_pool *pool = &lf->ldev->pool;
	vm_fault_t result = VM_FAULT_SIGBUS;
	u64 handle = get_handle(vma);
	struct labyrinth_page *page;
	u32 index;

	mutex_lock(&lf->state);
	if (labyrinth_pool_dead(pool))
		goto out;
	page = labyrinth_file_page_at(lf, vmf->pgoff);
	if (!page || (handle && handle != page->handle))
		goto out;
	index = page->order ? vmf->pgoff - labyrinth_page_pgoff(pool, page) : 0;
	if (is_fenced(lf, page, index)) {
		mutex_unlock(&lf->state);
		return wait_for_fence(vmf, lf, page, index);
	}
	/* Before the insertion: a revoke must not overlook what was half inserted. */
	page->touched = true;
	result = vmf_insert_pfn(vma, vmf->address, labyrinth_page_pfn(page, index));
out:
	mutex_unlock(&lf->state);
	return result;
}

/*
 * Maps nothing around a page that is only read. But where this is missing, the kernel
 * tries each fault in vain with the lock of the mapping before it takes mmap_lock: a
 * third of the instructions of a fault.
 */
static vm_fault_t labyrinth_map_pages(struct vm_fault *vmf, pgoff_t first, pgoff_t last)
{
	return 0;
}

/*
 * Part of a mapping is gone, its page table entries with it. Pages it may have shown
 * count as untouched again; should another mapping show one of them too, it loses it
 * here and faults it in again, so that "untouched" always means "in no page table".
 */
static void labyrinth_vma_close(struct vm_area_struct *vma)
{
	struct labyrinth_file *lf = vma->vm_file->private_data;
	struct labyrinth_pool *pool = &lf->ldev->pool;
	pgoff_t end = vma->vm_pgoff + vma_pages(vma);
	pgoff_t first = ULONG_MAX, last = 0, pgoff;
	struct labyrinth_page *page;

	if (READ_ONCE(lf->arena_start) == vma->vm_start)
		WRITE_ONCE(lf->arena_start, 0);
	mutex_lock(&lf->state);
	list_for_each_entry(page, &lf->buffers, link) {
		pgoff = labyrinth_page_pgoff(pool, page);
		if (!page->touched || pgoff >= end ||
		    pgoff + labyrinth_page_count(page) <= vma->vm_pgoff)
			continue;
		page->touched = false;
		/* All of a buffer, though the mapping may have shown a part of it. */
		first = min(first, pgoff);
		last = max(last, pgoff + labyrinth_page_count(page) - 1);
	}
	if (first <= last)
		unmap_run(lf, first, last);
	mutex_unlock(&lf->state);
}

/* A page is found by its place in the arena; a mapping that moves would lie. */
static int labyrinth_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static const struct vm_operations_struct labyrinth_vm_ops = {
	.fault = labyrinth_fault,
	.map_pages = labyrinth_map_pages,
	.close = labyrinth_vma_close,
	.mremap = labyrinth_mremap,
};

/* Finds out what is to be mapped: the arena, or a part of one owned buffer. */
static int choose_view(struct labyrinth_file *lf, struct vm_area_struct *vma)
{
	struct labyrinth_pool *pool = &lf->ldev->pool;
	struct labyrinth_page *page;
	int err = 0;

	mutex_lock(&lf->state);
	if (labyrinth_pool_dead(pool)) {
		err = -ENODEV;
	} else if (!vma->vm_pgoff && vma_pages(vma) == pool->arena_pages) {
		set_handle(vma, 0);
	} else {
		page = labyrinth_file_page_at(lf, vma->vm_pgoff);
		if (page && vma->vm_pgoff + vma_pages(vma) <=
			    labyrinth_page_pgoff(pool, page) + labyrinth_page_count(page))
			set_handle(vma, page->handle);
		else
			err = -EACCES;
	}
	mutex_unlock(&lf->state);
	return err;
}

/**
 * labyrinth_mmap() - set up a mapping of the arena or of one buffer
 * @file: the open file
 * @vma: the mapping
 *
 * VM_IO besides VM_DONTCOPY, because that alone could be undone with MADV_DOFORK.
 * VM_SHARED is cleared by the kernel when the file is read-only, VM_MAYSHARE is not.
 *
 * Context: Process context, mmap_lock held for writing.
 * Return: 0 or a negative errno.
 */
int labyrinth_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct labyrinth_file *lf = file->private_data;
	int err;

	if (!labyrinth_file_is_mine(lf))
		return -EPERM;
	if (labyrinth_pool_dead(&lf->ldev->pool))
		return -ENODEV;
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	err = choose_view(lf, vma);
	if (err)
		return err;

	vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTCOPY | VM_DONTDUMP,
		     VM_MAYEXEC);
	if (!lf->ldev->coherent)
		vma->vm_page_prot = pgprot_dmacoherent(vma->vm_page_prot);
	vma->vm_ops = &labyrinth_vm_ops;
	if (!get_handle(vma))
		WRITE_ONCE(lf->arena_start, vma->vm_start);
	return 0;
}

/**
 * labyrinth_mapping_find_arena() - find the mapping that POPULATE is to fill
 * @file: the open file
 * @address: where the caller says it has mapped the arena
 *
 * Looked up each time: a mapping that is being removed can be reached by whoever has
 * kept a pointer to it, and what is inserted then is in no mapping that a revoke visits.
 *
 * Context: Process context, mmap_lock held.
 * Return: the mapping, or NULL if there is none of this file's arena.
 */
struct vm_area_struct *labyrinth_mapping_find_arena(struct file *file, u64 address)
{
	struct vm_area_struct *vma;

	if (address > ULONG_MAX)
		return NULL;
	vma = vma_lookup(current->mm, address);
	if (!vma || vma->vm_file != file || vma->vm_ops != &labyrinth_vm_ops)
		return NULL;
	return vma->vm_start == address && !vma->vm_pgoff && !get_handle(vma) ? vma : NULL;
}

/* As far as it goes: what cannot be inserted is left to the fault handler. */
static __always_inline void populate(struct labyrinth_pool *pool,
				     struct vm_area_struct *vma, struct labyrinth_page *page)
{
	pgoff_t pgoff = labyrinth_page_pgoff(pool, page);
	unsigned long address = vma->vm_start + (pgoff << PAGE_SHIFT);
	u32 i = 0;

	do {
		if (address >= vma->vm_end)
			return;		/* the end of the arena has been unmapped */
		page->touched = true;
		vmf_insert_pfn(vma, address, labyrinth_page_pfn(page, i));
		address += PAGE_SIZE;
	} while (unlikely(page->order) && ++i < labyrinth_page_count(page));
}

/**
 * labyrinth_mapping_populate_one() - show a buffer without waiting for it to be touched
 * @lf: the file that owns it, its state mutex held
 * @vma: its mapping of the arena, mmap_lock held
 * @page: the buffer
 *
 * Context: Process context.
 */
void labyrinth_mapping_populate_one(struct labyrinth_file *lf, struct vm_area_struct *vma,
				    struct labyrinth_page *page)
{
	populate(&lf->ldev->pool, vma, page);
}

/**
 * labyrinth_mapping_populate() - show buffers without waiting for them to be touched
 * @lf: the file that owns them, its state mutex held
 * @vma: its mapping of the arena, mmap_lock held
 * @pages: the buffers
 *
 * Context: Process context.
 */
void labyrinth_mapping_populate(struct labyrinth_file *lf, struct vm_area_struct *vma,
				struct list_head *pages)
{
	struct labyrinth_pool *pool = &lf->ldev->pool;
	struct labyrinth_page *page;

	list_for_each_entry(page, pages, link)
		populate(pool, vma, page);
}

/**
 * labyrinth_mapping_fence() - make a range disappear from every mapping
 * @lf: the file that owns the buffer, its state mutex held
 * @page: the buffer
 * @offset: first byte in it
 * @length: bytes
 *
 * Context: Process context.
 */
void labyrinth_mapping_fence(struct labyrinth_file *lf, struct labyrinth_page *page,
			     u32 offset, u32 length)
{
	pgoff_t pgoff = labyrinth_page_pgoff(&lf->ldev->pool, page);

	u32 first = offset / PAGE_SIZE, last = (offset + length - 1) / PAGE_SIZE;

	if (!page->touched)
		return;
	unmap_run(lf, pgoff + first, pgoff + last);
	if (!first && last == labyrinth_page_count(page) - 1)
		page->touched = false;
}

/**
 * labyrinth_mapping_init() - give a file an address space of its own
 * @lf: the file
 * @inode: the inode it was opened through
 *
 * The kernel uses @inode for everything but the mappings. Empty operations, because
 * posix_fadvise() looks into them without asking whether there are any.
 *
 * Context: Process context, in open.
 */
void labyrinth_mapping_init(struct labyrinth_file *lf, struct inode *inode)
{
	address_space_init_once(&lf->mapping);
	lf->mapping.host = inode;
	lf->mapping.a_ops = &empty_aops;
}

/* All from one to another: neighbours among the slots are neighbours in the arena. */
static void unmap_buffers(struct labyrinth_file *lf, const struct labyrinth_page *first,
			  const struct labyrinth_page *last)
{
	struct labyrinth_pool *pool = &lf->ldev->pool;

	unmap_run(lf, labyrinth_page_pgoff(pool, first),
		  labyrinth_page_pgoff(pool, last) + labyrinth_page_count(last) - 1);
}

/**
 * labyrinth_mapping_revoke_one() - make a page disappear from every mapping
 * @lf: the file that owns it, its state mutex held
 * @page: a single page that a page table may show; the caller counts it
 *
 * Context: Process context.
 */
void labyrinth_mapping_revoke_one(struct labyrinth_file *lf, struct labyrinth_page *page)
{
	pgoff_t pgoff = labyrinth_page_pgoff(&lf->ldev->pool, page);

	page->touched = false;
	unmap_run(lf, pgoff, pgoff);
}

/**
 * labyrinth_mapping_revoke() - make pages disappear from every mapping
 * @lf: the file that owns them, its state mutex held
 * @pages: the buffers, best by slot: neighbours that follow each other go in one sweep
 *
 * Context: Process context.
 */
void labyrinth_mapping_revoke(struct labyrinth_file *lf, struct list_head *pages)
{
	struct labyrinth_page *page, *first = NULL, *last = NULL;
	u32 revoked = 0;

	list_for_each_entry(page, pages, link) {
		if (!page->touched)
			continue;
		page->touched = false;
		revoked += labyrinth_page_count(page);
		if (!first || page != last + 1) {
			if (first)
				unmap_buffers(lf, first, last);
			first = page;
		}
		last = page;
	}
	if (!first)
		return;
	unmap_buffers(lf, first, last);
	labyrinth_pool_count(&lf->ldev->pool, LABYRINTH_REVOKED, revoked);
}

/**
 * labyrinth_mapping_revoke_all() - make everything disappear, for good
 * @lf: a file of a dead device, so that nothing is faulted in again
 *
 * Context: Process context.
 */
void labyrinth_mapping_revoke_all(struct labyrinth_file *lf)
{
	mutex_lock(&lf->state);
	unmap_mapping_range(&lf->mapping, 0, 0, 1);
	mutex_unlock(&lf->state);
}
