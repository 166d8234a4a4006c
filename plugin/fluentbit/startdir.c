#include "startdir.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static char directory[PATH_MAX];

void rgcn_remember_directory(void)
{
	/* From outside its root a process sees "(unreachable)/...". */
	if (getcwd(directory, sizeof directory) == NULL || directory[0] != '/')
		directory[0] = '\0';
}

const char *rgcn_start_directory(void)
{
	return directory;
}

void rgcn_set_start_directory(const char *path)
{
	snprintf(directory, sizeof directory, "%s", path);
}
