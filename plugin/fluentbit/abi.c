/*
 * The filter's registration and its callbacks. The host opens this file, copies filter_rgcn_plugin and calls what it
 * points to.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "configmap.h"
#include "hostlog.h"
#include "hostsym.h"
#include "reopen.h"
#include "startdir.h"

static int cb_pre_run(void *ins, void *config, void *data);
static int cb_init(void *ins, void *config, void *data);
static int cb_filter(const void *data, size_t bytes, const char *tag, int tag_len, void **out, size_t *out_bytes,
                     void *f_ins, void *i_ins, void *context, void *config);
static int cb_exit(void *context, void *config);

struct flb_filter_plugin filter_rgcn_plugin = {
	.event_type = FLB_FILTER_LOGS,
	.name = "rgcn",
	.description = "score SSH connections with an R-GCN that learns who talks to whom",
	.cb_pre_run = cb_pre_run,
	.cb_init = cb_init,
	.cb_filter = cb_filter,
	.cb_exit = cb_exit,
};

/* What the host keeps as the context of an instance. */
struct instance {
	struct rgcn_host host;
	uintptr_t handle; /* of the Go side's instance */
	atomic_int place; /* one of enum place */
};

/* Where an instance stands. The host tells only with the first chunk. */
enum place { NOT_KNOWN, BEFORE_OUTPUTS, IN_AN_OUTPUT };

static pid_t loaded_in;

/*
 * After a fork only the calling thread lives on, and a Go runtime is many. `fluent-bit -d` forks between loading and
 * cb_init: from there on every callback goes to a second copy of this file, whose runtime started in the process that is
 * left.
 */
static const struct flb_filter_plugin *fresh;
static const char *fresh_failure;
static pthread_once_t fresh_once = PTHREAD_ONCE_INIT;

static void open_fresh(void)
{
	fresh = rgcn_reopen(&fresh_failure);
}

__attribute__((constructor)) static void on_load(void)
{
	loaded_in = getpid();
	rgcn_remember_file();
	rgcn_remember_directory();
	filter_rgcn_plugin.config_map = rgcn_config_map();
}

static int start(struct instance *i, void *config)
{
	void (*set_context)(void *, void *) = rgcn_host_symbol("flb_filter_set_context");

	rgcn_log_open(&i->host, config);
	if (getpid() != loaded_in) {
		rgcn_log(&i->host, FLB_LOG_ERROR, fresh_failure);
		return -1;
	}
	if (set_context == NULL) {
		rgcn_log(&i->host, FLB_LOG_ERROR, "this host has no flb_filter_set_context; Fluent Bit 2.2 or later is needed");
		return -1;
	}
	i->handle = rgcnInit(&i->host);
	if (i->handle == 0)
		return -1;
	set_context(i->host.ins, i);
	return 0;
}

/*
 * The host calls this for every section of a new configuration before it stops the filters of the old one. If one is
 * refused here, the old configuration goes on running; if cb_init refuses it later, the host ends. At its start the host
 * calls this and then cb_init.
 */
static int cb_pre_run(void *ins, void *config, void *data)
{
	struct rgcn_host host = {.ins = ins};

	if (getpid() != loaded_in) {
		pthread_once(&fresh_once, open_fresh);
		return fresh != NULL ? fresh->cb_pre_run(ins, config, data) : 0; /* cb_init logs why there is none */
	}
	rgcn_log_name(&host);
	return rgcnCheck(&host);
}

static int cb_init(void *ins, void *config, void *data)
{
	struct instance *i;

	if (getpid() != loaded_in) {
		pthread_once(&fresh_once, open_fresh);
		if (fresh != NULL)
			return fresh->cb_init(ins, config, data);
	}
	rgcn_forget_file();
	i = calloc(1, sizeof *i);
	if (i == NULL)
		return -1;
	i->host.ins = ins;
	if (start(i, config) == 0)
		return 0;
	rgcn_log_close(&i->host);
	free(i);
	return -1;
}

/* is_output reports whether what hands a chunk over is an output. All hosts from 2.2 to 5.1 can tell. */
static bool is_output(const void *sender, void *config)
{
	void *(*get)(void *, int) = rgcn_host_symbol("flb_output_get_instance");
	void *output;

	if (get == NULL || sender == NULL || config == NULL)
		return false;
	for (int id = 0; (output = get(config, id)) != NULL; id++)
		if (output == sender)
			return true;
	return false;
}

/*
 * in_an_output reports whether the instance is a processor of an output, which the host neither refuses nor tells at the
 * start. There each retry hands over the chunk as it was, so that its sessions would count, and alert, once more.
 */
static bool in_an_output(struct instance *i, const void *sender, void *config)
{
	int place = atomic_load(&i->place);

	if (place == NOT_KNOWN) {
		int found = is_output(sender, config) ? IN_AN_OUTPUT : BEFORE_OUTPUTS;

		if (atomic_compare_exchange_strong(&i->place, &place, found)) {
			place = found;
			if (place == IN_AN_OUTPUT)
				rgcn_log(&i->host, FLB_LOG_ERROR,
				         "this filter is a processor of an output, where each retry would score a chunk, and "
				         "count its sessions, once more: its records pass without a score; move it to the "
				         "processors of the input, or to a section of the filters");
		}
	}
	return place == IN_AN_OUTPUT;
}

static int cb_filter(const void *data, size_t bytes, const char *tag, int tag_len, void **out, size_t *out_bytes,
                     void *f_ins, void *i_ins, void *context, void *config)
{
	struct instance *i = context;

	if (fresh != NULL)
		return fresh->cb_filter(data, bytes, tag, tag_len, out, out_bytes, f_ins, i_ins, context, config);
	if (in_an_output(i, i_ins, config))
		return FLB_FILTER_NOTOUCH;
	return rgcnFilter(i->handle, (void *)data, bytes, (void *)tag, tag_len, out, out_bytes);
}

static int cb_exit(void *context, void *config)
{
	struct instance *i = context;
	int code;

	if (fresh != NULL)
		return fresh->cb_exit(context, config);
	code = rgcnExit(i->handle);
	rgcn_log_close(&i->host);
	free(i);
	return code;
}
