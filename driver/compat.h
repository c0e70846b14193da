/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels this driver builds for, 6.1 and 6.12. */
#ifndef LABYRINTH_COMPAT_H
#define LABYRINTH_COMPAT_H

#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
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

typedef unsigned long (*labyrinth_shrink_fn)(struct shrinker *shrinker,
					     struct shrink_control *control);

/* Since 6.7 the kernel allocates shrinkers, and lets them know whose they are. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
struct labyrinth_shrinker {
	struct shrinker shrinker;
	void *owner;
};

static inline void *labyrinth_shrinker_owner(struct shrinker *shrinker)
{
	return container_of(shrinker, struct labyrinth_shrinker, shrinker)->owner;
}

static inline struct shrinker *
labyrinth_shrinker_create(labyrinth_shrink_fn count, labyrinth_shrink_fn scan,
			  void *owner, const char *name)
{
	struct labyrinth_shrinker *new = kzalloc(sizeof(*new), GFP_KERNEL);

	if (!new)
		return NULL;
	new->shrinker.count_objects = count;
	new->shrinker.scan_objects = scan;
	new->shrinker.seeks = DEFAULT_SEEKS;
	new->owner = owner;
	if (register_shrinker(&new->shrinker, "labyrinth:%s", name)) {
		kfree(new);
		return NULL;
	}
	return &new->shrinker;
}

static inline void labyrinth_shrinker_destroy(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(container_of(shrinker, struct labyrinth_shrinker, shrinker));
}
#else
static inline void *labyrinth_shrinker_owner(struct shrinker *shrinker)
{
	return shrinker->private_data;
}

static inline struct shrinker *
labyrinth_shrinker_create(labyrinth_shrink_fn count, labyrinth_shrink_fn scan,
			  void *owner, const char *name)
{
	struct shrinker *new = shrinker_alloc(0, "labyrinth:%s", name);

	if (!new)
		return NULL;
	new->count_objects = count;
	new->scan_objects = scan;
	new->private_data = owner;
	shrinker_register(new);
	return new;
}

static inline void labyrinth_shrinker_destroy(struct shrinker *shrinker)
{
	shrinker_free(shrinker);
}
#endif

#ifndef PCI_IRQ_INTX
#define PCI_IRQ_INTX	PCI_IRQ_LEGACY	/* renamed in 6.8 */
#endif

#endif /* LABYRINTH_COMPAT_H */
