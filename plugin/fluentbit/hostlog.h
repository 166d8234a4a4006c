/* One filter instance of the host: its properties and its log. */
#ifndef RGCN_HOSTLOG_H
#define RGCN_HOSTLOG_H

#pragma GCC visibility push(hidden)

struct rgcn_host {
	void *ins;        /* the host's struct flb_filter_instance */
	const char *name; /* the alias, or rgcn.N; the host's memory */
	int level;        /* the most verbose level that is printed */
	struct rgcn_log *log;
};

/* rgcn_property returns the value as configured, in the host's memory, or NULL. */
const char *rgcn_property(const struct rgcn_host *host, const char *key);

/* rgcn_log prints a line if the level of the instance allows it. Any thread may call it. */
void rgcn_log(const struct rgcn_host *host, int level, const char *message);

/* rgcn_log_name fills in name and level; ins has to be set. From then on lines are printed by the thread that logs them. */
void rgcn_log_name(struct rgcn_host *host);

/*
 * rgcn_log_open does the same and starts a thread of the host that prints the lines of Go's threads. Where the host
 * starts none, lines are printed as before: that is no reason to refuse to start.
 */
void rgcn_log_open(struct rgcn_host *host, void *config);

/* rgcn_log_close prints the lines that wait. Nothing may be logged after it. */
void rgcn_log_close(struct rgcn_host *host);

#pragma GCC visibility pop

#endif
