# SPDX-License-Identifier: GPL-2.0-only
"""Plants one bug at a time, and sees whether the tests notice."""
