/*
 * The filter's registration and its callbacks. The host opens this file, copies filter_rgcn_plugin and calls what it points to.
 */
#define _GNU_SOURCE
#include "abi.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "_cgo_export.h"

static int at_pre_run(void *ins, void *config, void *data);
static int at_init(void *ins, void *config, void *data);
static int at_filter(const void *data, size_t bytes, const char *tag, int tag_len, void **out, size_t *out_bytes, void *f_ins,
		     void *i_ins, void *context, void *config);
static int at_exit(void *context, void *config);

struct flb_filter_plugin filter_rgcn_plugin = {
	.event_type = 1, /* logs */
	.name = "rgcn",
	.description = "score SSH connections with an R-GCN that learns who talks to whom",
	.cb_pre_run = at_pre_run,
	.cb_init = at_init,
	.cb_filter = at_filter,
	.cb_exit = at_exit,
};

static pid_t loaded_in;

/*
 * After a fork only the calling thread lives on, and a Go runtime is many. `fluent-bit -d` forks between loading and cb_init: from there
 * on every callback goes to a second copy of this file, whose runtime started in the process that is left.
 */
static const struct flb_filter_plugin *fresh;
static const char *fresh_failure;
static pthread_once_t fresh_once = PTHREAD_ONCE_INIT;

static void open_fresh(void)
{
	fresh = rgcn_reopen(&fresh_failure);
}

__attribute__((constructor)) static void at_load(void)
{
	loaded_in = getpid();
	rgcn_remember_file();
	filter_rgcn_plugin.config_map = rgcn_config_map();
}

void *rgcn_host_function(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

void *rgcn_malloc(size_t size)
{
	return malloc(size);
}

static int start(struct rgcn_host *host, void *config)
{
	void (*set_context)(void *, void *) = rgcn_host_function("flb_filter_set_context");

	rgcn_log_open(host, config);
	if (getpid() != loaded_in) {
		rgcn_log(host, HOST_ERROR, fresh_failure);
		return -1;
	}
	if (set_context == NULL) {
		rgcn_log(host, HOST_ERROR, "this host has no flb_filter_set_context; Fluent Bit 2.2 or later is needed");
		return -1;
	}
	host->filter = rgcnInit(host);
	if (host->filter == 0)
		return -1;
	set_context(host->ins, host);
	return 0;
}

/*
 * The host asks this of every section of a new configuration before it stops the filters of the old one: what is refused here leaves
 * it running as it is, what at_init refuses then ends it. At its start it asks this and then at_init.
 */
static int at_pre_run(void *ins, void *config, void *data)
{
	struct rgcn_host host = {.ins = ins};

	if (getpid() != loaded_in) {
		pthread_once(&fresh_once, open_fresh);
		return fresh != NULL ? fresh->cb_pre_run(ins, config, data) : 0; /* at_init says why there is none */
	}
	rgcn_log_name(&host);
	return rgcnCheck(&host);
}

static int at_init(void *ins, void *config, void *data)
{
	struct rgcn_host *host;

	if (getpid() != loaded_in) {
		pthread_once(&fresh_once, open_fresh);
		if (fresh != NULL)
			return fresh->cb_init(ins, config, data);
	}
	rgcn_forget_file();
	host = calloc(1, sizeof *host);
	if (host == NULL)
		return -1;
	host->ins = ins;
	if (start(host, config) == 0)
		return 0;
	rgcn_log_close(host);
	free(host);
	return -1;
}

static int at_filter(const void *data, size_t bytes, const char *tag, int tag_len, void **out, size_t *out_bytes, void *f_ins,
		     void *i_ins, void *context, void *config)
{
	const struct rgcn_host *host = context;

	if (fresh != NULL)
		return fresh->cb_filter(data, bytes, tag, tag_len, out, out_bytes, f_ins, i_ins, context, config);
	return rgcnFilter(host->filter, (void *)data, bytes, (void *)tag, tag_len, out, out_bytes);
}

static int at_exit(void *context, void *config)
{
	struct rgcn_host *host = context;
	int code;

	if (fresh != NULL)
		return fresh->cb_exit(context, config);
	code = rgcnExit(host->filter);
	rgcn_log_close(host);
	free(host);
	return code;
}
