// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether to use colours: on a terminal, unless https://no-color.org asks for none.
 */
#include <stdlib.h>
#include <unistd.h>

#include "command.h"

bool color_wanted(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}
