# SPDX-License-Identifier: GPL-2.0-only
"""Measures labyrinth and its peers in the VM, and says how they compare."""
