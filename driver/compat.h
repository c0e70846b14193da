/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels this driver builds for, 6.1 and 6.12. */
#ifndef LABYRINTH_COMPAT_H
#define LABYRINTH_COMPAT_H

#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
/* A fault holds mmap_lock; since then, it may hold the lock of the mapping instead. */
static inline void release_fault_lock(struct vm_fault *vmf)
{
	mmap_read_unlock(vmf->vma->vm_mm);
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
/* vm_flags may only be changed through helpers since then: they take the VMA lock. */
static inline void vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set,
				vm_flags_t clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

/* The device that a traced pool is of. Since 6.10 __string() alone names the source. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define labyrinth_assign_device()	__assign_str(device, dev_name(pool->dev))
#else
#define labyrinth_assign_device()	__assign_str(device)
#endif

#ifndef PCI_IRQ_INTX
#define PCI_IRQ_INTX	PCI_IRQ_LEGACY	/* renamed in 6.8 */
#endif

#endif /* LABYRINTH_COMPAT_H */
