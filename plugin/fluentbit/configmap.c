/*
 * The host reads the table as an array of its own struct flb_config_map, which ends in private members that grew once, in
 * 5.0.3. So its size is measured: the host is asked to copy a table of one entry, and the distance from the description
 * to the list node, which comes last, is looked up in the copy.
 */
#include "configmap.h"

#include <stdint.h>
#include <stdlib.h>

#include "abi.h"
#include "hostsym.h"

struct entry { /* struct flb_config_map up to those members */
	int type;
	const char *name;
	const char *default_value;
	int flags;
	int set_property;
	uintptr_t offset;
	const char *description;
};

static const struct entry options[] = {
/* Every type is 0, FLB_CONFIG_MAP_STR: the Go side parses strictly and words its own errors. */
#define RGCN_OPTION(key, value, text) {.name = key, .default_value = value, .description = text},
#include "options.h"
#undef RGCN_OPTION
};

enum { COUNT = sizeof options / sizeof *options, MAX_WORDS = 40 };

static size_t entry_size(void)
{
	struct mk_list *(*create)(void *, void *) = rgcn_host_symbol("flb_config_map_create");
	void (*destroy)(struct mk_list *) = rgcn_host_symbol("flb_config_map_destroy");
	static const char mark[] = "where the description is";
	/* Zeroes behind the entry end the table, whatever the size. Without a default the host needs no config for it. */
	union {
		struct entry entry;
		void *room[3 * MAX_WORDS];
	} probe = {.room = {0}};
	struct mk_list *list;
	size_t size = 0;

	if (create == NULL || destroy == NULL)
		return 0;
	probe.entry.name = "probe";
	probe.entry.description = mark;
	list = create(NULL, &probe);
	if (list == NULL)
		return 0;
	if (list->next != list && list->next->next == list) {
		void **node = (void **)list->next;

		for (int words = 1; words <= MAX_WORDS && size == 0; words++)
			if (node[-words] == mark)
				size = offsetof(struct entry, description) + words * sizeof *node + sizeof *list;
	}
	destroy(list);
	return size;
}

void *rgcn_config_map(void)
{
	size_t size = entry_size();
	char *map;

	if (size < sizeof(struct entry) || (map = calloc(COUNT + 1, size)) == NULL)
		return NULL;
	for (size_t i = 0; i < COUNT; i++)
		*(struct entry *)(map + i * size) = options[i];
	return map;
}
