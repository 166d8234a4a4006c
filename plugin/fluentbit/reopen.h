/* A second copy of this shared object in the same process, for a host that forks after it has loaded the first. */
#ifndef RGCN_REOPEN_H
#define RGCN_REOPEN_H

#pragma GCC visibility push(hidden)

/* rgcn_remember_file opens the file of this shared object, while its path is right. */
void rgcn_remember_file(void);
void rgcn_forget_file(void);

struct flb_filter_plugin;

/* rgcn_reopen returns the registration of the copy, or NULL and one line in *failure. */
const struct flb_filter_plugin *rgcn_reopen(const char **failure);

#pragma GCC visibility pop

#endif
