/* What the host offers to a filter. */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host.h"

static __thread struct worker *this_worker;

void become_worker(struct worker *worker)
{
	this_worker = worker;
}

void flb_filter_set_context(struct instance *ins, void *context)
{
	ins->context = context;
}

const char *flb_filter_get_property(const char *key, struct instance *ins)
{
	for (int i = 0; i < ins->property_count; i++)
		if (strcasecmp(ins->properties[i].key, key) == 0)
			return ins->properties[i].value;
	return NULL;
}

const char *flb_filter_name(struct instance *ins)
{
	return ins->name;
}

/* A line tells which kind of thread it came from, since only those of the host reach the host's log file. */
void flb_log_print(int type, const char *file, int line, const char *fmt, ...)
{
	static const char *const names[] = {"off", "error", "warn", "info", "debug", "trace"};
	char text[4096];
	va_list args;

	(void)file;
	(void)line;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	fprintf(stderr, "%s %s %s\n", names[type], this_worker != NULL ? "worker" : "foreign", text);
}

struct worker *flb_worker_get(void)
{
	return this_worker;
}

int flb_worker_log_level(struct worker *worker)
{
	return worker->log_level;
}

static void *run_worker(void *data)
{
	struct worker worker = *(struct worker *)data;

	free(data);
	become_worker(&worker);
	worker.run(worker.data);
	return NULL;
}

int flb_worker_create(void (*run)(void *), void *data, void *thread, void *config)
{
	struct worker *worker = malloc(sizeof *worker);

	(void)config;
	if (worker == NULL)
		return -1;
	*worker = (struct worker){.run = run, .data = data, .log_level = this_worker->log_level};
	if (pthread_create(thread, NULL, run_worker, worker) == 0)
		return 0;
	free(worker);
	return -1;
}

#ifndef WITHOUT_CONFIG_MAP
static struct mk_list *node_of(char *entry)
{
	return (struct mk_list *)(entry + version->map_stride - sizeof(struct mk_list));
}

/* Names are copies and descriptions are not, as in the host; without defaults it needs no config. */
struct mk_list *flb_config_map_create(void *config, char *map)
{
	struct mk_list *list = malloc(sizeof *list);

	(void)config;
	list->prev = list->next = list;
	for (; map != NULL && ((struct map_entry *)map)->name != NULL; map += version->map_stride) {
		char *entry = calloc(1, version->map_stride);
		struct map_entry *copy = (struct map_entry *)entry;
		struct mk_list *node = node_of(entry);

		*copy = *(struct map_entry *)map;
		copy->name = strdup(copy->name);
		*node = (struct mk_list){.prev = list->prev, .next = list};
		node->prev->next = list->prev = node;
	}
	return list;
}

void flb_config_map_destroy(struct mk_list *list)
{
	struct mk_list *node = list->next;

	while (node != list) {
		struct map_entry *entry = (struct map_entry *)((char *)(node + 1) - version->map_stride);

		node = node->next;
		free(entry->name);
		free(entry);
	}
	free(list);
}
#endif
