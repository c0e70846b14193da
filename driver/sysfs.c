// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/class/labyrinth/labyrinthN: the pool's numbers for everyone to read, its
 * watermarks and quotas for the administrator to change.
 */
#include <linux/device.h>
#include <linux/sysfs.h>

#include <linux/labyrinth.h>

#include "device.h"

static struct labyrinth_device *to_ldev(struct device *dev)
{
	return container_of(dev, struct labyrinth_device, dev);
}

/**
 * struct stat_attribute - one number of the snapshot that STAT gives
 * @attr: the file
 * @offset: of the number in struct labyrinth_stat
 */
struct stat_attribute {
	struct device_attribute attr;
	size_t offset;
};

static ssize_t show_stat(struct device *dev, struct device_attribute *attr, char *buf)
{
	size_t offset = container_of(attr, struct stat_attribute, attr)->offset;
	struct labyrinth_stat stat = {};

	labyrinth_pool_stat(&to_ldev(dev)->pool, NULL, &stat);
	return sysfs_emit(buf, "%llu\n", *(u64 *)((void *)&stat + offset));
}

#define STAT_ATTRIBUTE(_name)						\
	static struct stat_attribute stat_##_name = {			\
		.attr = __ATTR(_name, 0444, show_stat, NULL),		\
		.offset = offsetof(struct labyrinth_stat, _name),	\
	}

STAT_ATTRIBUTE(total);
STAT_ATTRIBUTE(free);
STAT_ATTRIBUTE(owned);
STAT_ATTRIBUTE(ticketed);
STAT_ATTRIBUTE(kernel);
STAT_ATTRIBUTE(quarantined);
STAT_ATTRIBUTE(poisoned);
STAT_ATTRIBUTE(waiters);
STAT_ATTRIBUTE(acquired);
STAT_ATTRIBUTE(released);
STAT_ATTRIBUTE(revoked);
STAT_ATTRIBUTE(scrubbed);
STAT_ATTRIBUTE(irq_refills);
STAT_ATTRIBUTE(irq_refill_pages);
STAT_ATTRIBUTE(irq_hard);
STAT_ATTRIBUTE(irq_threaded);
STAT_ATTRIBUTE(worker_refills);
STAT_ATTRIBUTE(worker_refill_pages);
STAT_ATTRIBUTE(refill_failures);
STAT_ATTRIBUTE(trimmed);
STAT_ATTRIBUTE(exhaustion_waits);
STAT_ATTRIBUTE(exhaustion_fails);
STAT_ATTRIBUTE(fragmentation_fails);
STAT_ATTRIBUTE(copies);
STAT_ATTRIBUTE(copies_failed);
STAT_ATTRIBUTE(copied_bytes);
STAT_ATTRIBUTE(chunks);
STAT_ATTRIBUTE(chunks_outside);
STAT_ATTRIBUTE(shrunk);
STAT_ATTRIBUTE(steals);
STAT_ATTRIBUTE(dma_timeouts);
STAT_ATTRIBUTE(given);
STAT_ATTRIBUTE(taken);

static struct attribute *stat_attributes[] = {
	&stat_total.attr.attr,
	&stat_free.attr.attr,
	&stat_owned.attr.attr,
	&stat_ticketed.attr.attr,
	&stat_kernel.attr.attr,
	&stat_quarantined.attr.attr,
	&stat_poisoned.attr.attr,
	&stat_waiters.attr.attr,
	&stat_acquired.attr.attr,
	&stat_released.attr.attr,
	&stat_revoked.attr.attr,
	&stat_scrubbed.attr.attr,
	&stat_irq_refills.attr.attr,
	&stat_irq_refill_pages.attr.attr,
	&stat_irq_hard.attr.attr,
	&stat_irq_threaded.attr.attr,
	&stat_worker_refills.attr.attr,
	&stat_worker_refill_pages.attr.attr,
	&stat_refill_failures.attr.attr,
	&stat_trimmed.attr.attr,
	&stat_exhaustion_waits.attr.attr,
	&stat_exhaustion_fails.attr.attr,
	&stat_fragmentation_fails.attr.attr,
	&stat_copies.attr.attr,
	&stat_copies_failed.attr.attr,
	&stat_copied_bytes.attr.attr,
	&stat_chunks.attr.attr,
	&stat_chunks_outside.attr.attr,
	&stat_shrunk.attr.attr,
	&stat_steals.attr.attr,
	&stat_dma_timeouts.attr.attr,
	&stat_given.attr.attr,
	&stat_taken.attr.attr,
	NULL
};

static const struct attribute_group stat_group = {
	.name = "pool",
	.attrs = stat_attributes,
};

/**
 * struct limit_attribute - one watermark
 * @attr: the file
 * @offset: of the watermark in struct labyrinth_limits
 */
struct limit_attribute {
	struct device_attribute attr;
	size_t offset;
};

static u32 *limit_of(struct device_attribute *attr, struct labyrinth_limits *limits)
{
	return (void *)limits + container_of(attr, struct limit_attribute, attr)->offset;
}

static ssize_t show_limit(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct labyrinth_limits limits = labyrinth_pool_limits(&to_ldev(dev)->pool);

	return sysfs_emit(buf, "%u\n", *limit_of(attr, &limits));
}

static ssize_t store_limit(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t count)
{
	struct labyrinth_device *ldev = to_ldev(dev);
	struct labyrinth_limits limits;
	u32 value;
	int err;

	err = kstrtou32(buf, 0, &value);
	if (err)
		return err;
	mutex_lock(&ldev->limits_lock);
	limits = labyrinth_pool_limits(&ldev->pool);
	*limit_of(attr, &limits) = value;
	err = labyrinth_pool_set_limits(&ldev->pool, &limits);
	mutex_unlock(&ldev->limits_lock);
	return err ? err : count;
}

#define LIMIT_ATTRIBUTE(_name)						\
	static struct limit_attribute limit_##_name = {			\
		.attr = __ATTR(_name, 0644, show_limit, store_limit),	\
		.offset = offsetof(struct labyrinth_limits, _name),	\
	}

LIMIT_ATTRIBUTE(low);
LIMIT_ATTRIBUTE(high);
LIMIT_ATTRIBUTE(reserve);
LIMIT_ATTRIBUTE(max);

static ssize_t file_quota_show(struct device *dev, struct device_attribute *attr,
			       char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_ldev(dev)->file_quota));
}

/* Files that are open already keep the quota they were opened with. */
static ssize_t file_quota_store(struct device *dev, struct device_attribute *attr,
				const char *buf, size_t count)
{
	struct labyrinth_device *ldev = to_ldev(dev);
	u32 value;
	int err;

	err = kstrtou32(buf, 0, &value);
	if (err)
		return err;
	if (!value || value > ldev->pool.capacity)
		return -EINVAL;
	WRITE_ONCE(ldev->file_quota, value);
	return count;
}
static DEVICE_ATTR_RW(file_quota);

static ssize_t user_quota_show(struct device *dev, struct device_attribute *attr,
			       char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_ldev(dev)->pool.users.quota));
}

static ssize_t user_quota_store(struct device *dev, struct device_attribute *attr,
				const char *buf, size_t count)
{
	struct labyrinth_device *ldev = to_ldev(dev);
	u32 value;
	int err;

	err = kstrtou32(buf, 0, &value);
	if (err)
		return err;
	if (value > ldev->pool.capacity)
		return -EINVAL;
	WRITE_ONCE(ldev->pool.users.quota, value);
	return count;
}
static DEVICE_ATTR_RW(user_quota);

static ssize_t sentinel_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(to_ldev(dev)->pool.sentinel));
}

/* Each free page knows what it was filled with, so this is all there is to do. */
static ssize_t sentinel_store(struct device *dev, struct device_attribute *attr,
			      const char *buf, size_t count)
{
	u8 value;
	int err;

	err = kstrtou8(buf, 0, &value);
	if (err)
		return err;
	if (value > 1)
		return -EINVAL;
	WRITE_ONCE(to_ldev(dev)->pool.sentinel, value);
	return count;
}
static DEVICE_ATTR_RW(sentinel);

static struct attribute *mode_attributes[] = {
	&dev_attr_sentinel.attr,
	NULL
};

static const struct attribute_group mode_group = {
	.attrs = mode_attributes,
};

static struct attribute *limit_attributes[] = {
	&limit_low.attr.attr,
	&limit_high.attr.attr,
	&limit_reserve.attr.attr,
	&limit_max.attr.attr,
	&dev_attr_file_quota.attr,
	&dev_attr_user_quota.attr,
	NULL
};

static const struct attribute_group limit_group = {
	.name = "limits",
	.attrs = limit_attributes,
};

const struct attribute_group *labyrinth_groups[] = {
	&stat_group,
	&limit_group,
	&mode_group,
	NULL
};
