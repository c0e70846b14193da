# SPDX-License-Identifier: GPL-2.0-only
"""Boots kernels in QEMU and believes only positive evidence from them."""
