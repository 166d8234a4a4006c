/*
 * What this shared object and its host, Fluent Bit 2.2 to 5.1, agree on, declared here from the host's documented layout. Nothing of
 * the host is linked: its functions are found by name at run time, so that one file serves every version.
 */
#ifndef RGCN_ABI_H
#define RGCN_ABI_H

#include <stddef.h>
#include <stdint.h>

enum { HOST_MODIFIED = 1, HOST_NO_TOUCH = 2 }; /* what cb_filter returns */

enum { HOST_OFF, HOST_ERROR, HOST_WARN, HOST_INFO, HOST_DEBUG }; /* log levels */

struct mk_list {
	struct mk_list *prev, *next;
};

/*
 * The full form, as since 3.2. An older host copies a shorter struct and overwrites whatever then lies where its list node is.
 */
struct flb_filter_plugin {
	int event_type;
	int flags;
	char *name;
	char *description;
	void *config_map;
	int (*cb_pre_run)(void *ins, void *config, void *data);
	int (*cb_init)(void *ins, void *config, void *data);
	int (*cb_filter)(const void *data, size_t bytes, const char *tag, int tag_len, void **out, size_t *out_bytes, void *f_ins,
			 void *i_ins, void *context, void *config);
	int (*cb_exit)(void *context, void *config);
	int (*cb_notification)(void *ins, void *config, void *data);
	struct mk_list _head;
};

/* One filter instance as the C side sees it; the host carries a pointer to it as the instance's context. */
struct rgcn_host {
	void *ins;
	const char *name; /* the alias, or rgcn.N; the host's memory */
	int level;	  /* the most talkative level that is printed */
	uintptr_t filter; /* handle of the Go side's instance */
	struct rgcn_log *log;
};

/* Nothing below is for others to find: a process may hold two copies of this file. */
#pragma GCC visibility push(hidden)

/* What the Go side calls. */
const char *rgcn_property(const struct rgcn_host *host, const char *key);
void rgcn_log(const struct rgcn_host *host, int level, const char *message);
void *rgcn_malloc(size_t size);

/* Between the C files. */
void *rgcn_host_function(const char *name);
void *rgcn_config_map(void);
void rgcn_log_name(struct rgcn_host *host);
void rgcn_log_open(struct rgcn_host *host, void *config);
void rgcn_log_close(struct rgcn_host *host);
void rgcn_remember_file(void);
void rgcn_forget_file(void);
const struct flb_filter_plugin *rgcn_reopen(const char **failure);

#pragma GCC visibility pop

#endif
