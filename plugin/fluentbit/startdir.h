/* The directory in which the host was when it loaded this shared object. `fluent-bit -d` changes to / afterwards. */
#ifndef RGCN_STARTDIR_H
#define RGCN_STARTDIR_H

#pragma GCC visibility push(hidden)

void rgcn_remember_directory(void);

/* rgcn_start_directory returns an absolute path, or "" where it is not known. */
const char *rgcn_start_directory(void);

#pragma GCC visibility pop

/* rgcn_set_start_directory is exported: the first copy of this shared object tells the second one, which is loaded too
 * late to see for itself. */
#define RGCN_SET_START_DIRECTORY "rgcn_set_start_directory"
__attribute__((visibility("default"))) void rgcn_set_start_directory(const char *path);

#endif
