/* Functions of the host, found by name. */
#ifndef RGCN_HOSTSYM_H
#define RGCN_HOSTSYM_H

/* A process may hold two copies of this shared object (reopen.c): neither may find the functions of the other. */
#pragma GCC visibility push(hidden)

/* rgcn_host_symbol returns NULL where this host has no such function. */
void *rgcn_host_symbol(const char *name);

#pragma GCC visibility pop

#endif
