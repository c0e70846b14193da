# SPDX-License-Identifier: LGPL-2.1-or-later
# The version of the library and of the command.
VERSION ?= 0.1.0
