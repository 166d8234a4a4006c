/*
 * The host's flb_log_print neither looks at levels (its macros do) nor serves threads that the host did not make: a line
 * from one of those goes to standard error, past log_file and the log metrics. So every instance has one thread made by
 * the host, and the lines of Go's own threads are handed to it.
 */
#define _GNU_SOURCE
#include "hostlog.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "hostsym.h"

/* Bounds the memory of lines that come faster than the host prints them. */
enum { MAX_LINES = 256 };

struct line {
	struct line *next;
	int level;
	char text[];
};

struct rgcn_log {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool closing; /* guarded by mutex, as all below */
	int count;
	struct line *first, **last;
};

const char *rgcn_property(const struct rgcn_host *host, const char *key)
{
	const char *(*get)(const char *, void *) = rgcn_host_symbol("flb_filter_get_property");

	return get == NULL ? NULL : get(key, host->ins);
}

static void print(const struct rgcn_host *host, int level, const char *text)
{
	void (*log_print)(int, const char *, int, const char *, ...) = rgcn_host_symbol("flb_log_print");

	if (log_print != NULL)
		log_print(level, NULL, 0, "[filter:rgcn:%s] %s", host->name, text);
}

/* worker returns the host's struct flb_worker of the calling thread, NULL where the host did not make the thread. */
static void *worker(void)
{
	void *(*get)(void) = rgcn_host_symbol("flb_worker_get");

	return get == NULL ? NULL : get();
}

/*
 * log_level returns the level of the instance. The host has no accessor for it, but its struct has begun with the same
 * members from 2.2 to 5.1; the name among them, rgcn.N, shows that it still does. Where it does not, the level of the
 * service counts.
 */
static int log_level(void *ins)
{
	const struct {
		int event_type, id, log_level, log_suppress_interval;
		char name[32];
	} *known = ins;
	int (*service_level)(void *) = rgcn_host_symbol("flb_worker_log_level");

	/* The level is below 0 until the instance is started, as in cb_pre_run. */
	if (strncmp(known->name, "rgcn.", strlen("rgcn.")) == 0 && known->log_level >= 0)
		return known->log_level;
	return service_level != NULL && worker() != NULL ? service_level(worker()) : FLB_LOG_INFO;
}

static void print_lines(void *data)
{
	const struct rgcn_host *host = data;
	struct rgcn_log *log = host->log;

	pthread_mutex_lock(&log->mutex);
	while (log->first != NULL || !log->closing) {
		struct line *line = log->first;

		if (line == NULL) {
			pthread_cond_wait(&log->wake, &log->mutex);
			continue;
		}
		log->first = line->next;
		if (log->first == NULL)
			log->last = &log->first;
		log->count--;
		pthread_mutex_unlock(&log->mutex);
		print(host, line->level, line->text);
		free(line);
		pthread_mutex_lock(&log->mutex);
	}
	pthread_mutex_unlock(&log->mutex);
}

void rgcn_log_name(struct rgcn_host *host)
{
	const char *(*name)(void *) = rgcn_host_symbol("flb_filter_name");

	host->name = name != NULL ? name(host->ins) : "rgcn";
	host->level = log_level(host->ins);
}

void rgcn_log_open(struct rgcn_host *host, void *config)
{
	int (*create)(void (*)(void *), void *, pthread_t *, void *) = rgcn_host_symbol("flb_worker_create");
	struct rgcn_log *log;

	rgcn_log_name(host);
	if (create == NULL || (log = calloc(1, sizeof *log)) == NULL)
		return;
	pthread_mutex_init(&log->mutex, NULL);
	pthread_cond_init(&log->wake, NULL);
	log->last = &log->first;
	host->log = log;
	if (create(print_lines, host, &log->thread, config) != 0) {
		host->log = NULL;
		free(log);
	}
}

void rgcn_log_close(struct rgcn_host *host)
{
	struct rgcn_log *log = host->log;

	if (log == NULL)
		return;
	pthread_mutex_lock(&log->mutex);
	log->closing = true;
	pthread_cond_signal(&log->wake);
	pthread_mutex_unlock(&log->mutex);
	pthread_join(log->thread, NULL);
	free(log);
	host->log = NULL;
}

static bool enqueue(struct rgcn_log *log, int level, const char *message)
{
	size_t size = strlen(message) + 1;
	struct line *line = malloc(sizeof *line + size);
	bool room;

	if (line == NULL)
		return false;
	line->next = NULL;
	line->level = level;
	memcpy(line->text, message, size);
	pthread_mutex_lock(&log->mutex);
	room = log->count < MAX_LINES;
	if (room) {
		*log->last = line;
		log->last = &line->next;
		log->count++;
		pthread_cond_signal(&log->wake);
	}
	pthread_mutex_unlock(&log->mutex);
	if (!room)
		free(line);
	return room;
}

void rgcn_log(const struct rgcn_host *host, int level, const char *message)
{
	if (level > host->level)
		return;
	if (host->log == NULL || worker() != NULL || !enqueue(host->log, level, message))
		print(host, level, message);
}
