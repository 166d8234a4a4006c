#define _GNU_SOURCE
#include "hostsym.h"

#include <dlfcn.h>

void *rgcn_host_symbol(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}
