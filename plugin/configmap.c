/*
 * The table of properties that the host checks a configuration against and prints for -h.
 *
 * The host reads it as an array of its own struct flb_config_map, which ends in members that are the host's business and have grown once
 * (in 5.0.3). So its size is measured: the host is asked to copy a table of one entry, and the distance from the description to the
 * list node, which comes last, is looked up in the copy.
 */
#include <stdlib.h>

#include "abi.h"

struct entry { /* the part before those members */
	int type;
	const char *name;
	const char *default_value;
	int flags;
	int set_property;
	uintptr_t offset;
	const char *description;
};

static const struct entry options[] = {
/* Every type is 0, a string: the Go side parses strictly and words its own errors. */
#define RGCN_OPTION(key, value, text) {.name = key, .default_value = value, .description = text},
#include "options.h"
#undef RGCN_OPTION
};

enum { COUNT = sizeof options / sizeof *options, MOST_WORDS = 40 };

static size_t entry_size(void)
{
	struct mk_list *(*create)(void *, void *) = rgcn_host_function("flb_config_map_create");
	void (*destroy)(struct mk_list *) = rgcn_host_function("flb_config_map_destroy");
	static const char mark[] = "where the description is";
	/* With zeroes behind it the entry is followed by the end of the table, whatever the size; with no default the host needs no
	 * config for it. */
	union {
		struct entry entry;
		void *room[3 * MOST_WORDS];
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

		for (int words = 1; words <= MOST_WORDS && size == 0; words++)
			if (node[-words] == mark)
				size = offsetof(struct entry, description) + words * sizeof *node + sizeof *list;
	}
	destroy(list);
	return size;
}

/*
 * rgcn_config_map is NULL where the host's layout cannot be told. Then there is no help, a misspelt property goes unnoticed, and the
 * values of the others are still checked by the Go side.
 */
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
