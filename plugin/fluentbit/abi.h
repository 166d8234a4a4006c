/*
 * What this shared object and its host, Fluent Bit 2.2 to 5.1, agree on, declared from the host's documented layout and
 * in the host's own terms. Nothing of the host is linked: its functions are found by name at run time (hostsym.h), so
 * that one file serves every version.
 */
#ifndef RGCN_ABI_H
#define RGCN_ABI_H

#include <stddef.h>

enum { FLB_FILTER_MODIFIED = 1, FLB_FILTER_NOTOUCH = 2 }; /* what cb_filter returns */

enum { FLB_FILTER_LOGS = 1 }; /* event_type of struct flb_filter_plugin */

enum { FLB_LOG_OFF, FLB_LOG_ERROR, FLB_LOG_WARN, FLB_LOG_INFO, FLB_LOG_DEBUG };

struct mk_list {
	struct mk_list *prev, *next;
};

/*
 * The full form, as since 3.2. An older host copies a shorter struct and overwrites whatever then lies where its list
 * node is.
 */
struct flb_filter_plugin {
	int event_type;
	int flags;
	char *name;
	char *description;
	void *config_map;
	int (*cb_pre_run)(void *ins, void *config, void *data);
	int (*cb_init)(void *ins, void *config, void *data);
	int (*cb_filter)(const void *data, size_t bytes, const char *tag, int tag_len, void **out, size_t *out_bytes,
	                 void *f_ins, void *i_ins, void *context, void *config);
	int (*cb_exit)(void *context, void *config);
	int (*cb_notification)(void *ins, void *config, void *data);
	struct mk_list _head;
};

#endif
