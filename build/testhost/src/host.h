/*
 * A small stand-in for Fluent Bit: as much of it as a filter in a shared object sees, in the layouts that differ between versions.
 */
#ifndef TESTHOST_HOST_H
#define TESTHOST_HOST_H

#include <stddef.h>
#include <stdint.h>

/* What changed between versions, as far as a filter can tell. */
struct version {
	const char *name;
	size_t plugin_size; /* of struct flb_filter_plugin, list node included */
	size_t map_stride;  /* of struct flb_config_map */
};

extern const struct version *version; /* the one being played */

struct mk_list {
	struct mk_list *prev, *next;
};

struct flb_filter_plugin {
	int event_type;
	int flags;
	char *name;
	char *description;
	char *config_map; /* an array with elements of version->map_stride bytes */
	int (*cb_pre_run)(void *ins, void *config, void *data);
	int (*cb_init)(void *ins, void *config, void *data);
	int (*cb_filter)(const void *data, size_t bytes, const char *tag, int tag_len, void **out, size_t *out_bytes,
	                 void *f_ins, void *i_ins, void *context, void *config);
	int (*cb_exit)(void *context, void *config);
	int (*cb_notification)(void *ins, void *config, void *data);
	struct mk_list _head;
};

struct map_entry { /* the part that is the same in every version */
	int type;
	char *name;
	char *def_value;
	int flags;
	int set_property;
	uintptr_t offset;
	char *desc;
};

struct property {
	const char *key, *value;
};

struct instance {
	int event_type;
	int id;
	int log_level;
	int log_suppress_interval;
	char name[32];
	void *context;
	const struct property *properties;
	int property_count;
};

struct worker { /* a thread of the host */
	void (*run)(void *);
	void *data;
	int log_level;
};

void become_worker(struct worker *worker);

/* Looked up by name in this program by what it loads. */
void flb_filter_set_context(struct instance *ins, void *context);
const char *flb_filter_get_property(const char *key, struct instance *ins);
const char *flb_filter_name(struct instance *ins);
void flb_log_print(int type, const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
struct mk_list *flb_config_map_create(void *config, char *map);
void flb_config_map_destroy(struct mk_list *list);
struct worker *flb_worker_get(void);
int flb_worker_log_level(struct worker *worker);
int flb_worker_create(void (*run)(void *), void *data, void *thread, void *config);

#endif
