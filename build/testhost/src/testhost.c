/*
 * testhost [option]... FILE < chunks > chunks
 *
 * Loads a filter as Fluent Bit does, passes chunks through it, and writes what Fluent Bit would pass on. A chunk is its length, 32 bits
 * little-endian, and its bytes. Standard error gets the log lines, the codes that the callbacks return, and the time spent.
 *
 *   --abi 2.2|3.2|5.1   the layouts of that version (default 5.1)
 *   --prop KEY=VALUE    a property of the filter; any number
 *   --log-level N       0 off, 1 error, 2 warn, 3 info (default), 4 debug
 *   --map               print the config map and leave
 *   --fork              fork between loading and init, go on in the child, in /
 *   --guard             put every chunk where the memory behind its last byte is nobody's
 *   --unlink            remove FILE once it is loaded
 *   --reload N          init, filter, exit N times (default 1)
 *   --threads N         that many threads filter at once (default 1)
 *   --repeat N          filter every chunk N times, write the last result (default 1)
 *
 * Exit code: 1 cannot run, 2 property refused, 3 init failed, 4 exit failed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

enum { PATIENCE = 120 }; /* seconds after which a filter that hangs is killed, with the test host around it */

enum { CANNOT_RUN = 1, PROPERTY_REFUSED, INIT_FAILED, EXIT_FAILED };

enum { MODIFIED = 1, NO_TOUCH = 2, MOST_PROPERTIES = 128, MOST_THREADS = 64 };

static const struct version versions[] = {
	{"2.2", offsetof(struct flb_filter_plugin, cb_notification) + sizeof(struct mk_list), 96},
	{"3.2", sizeof(struct flb_filter_plugin), 96},
	{"5.1", sizeof(struct flb_filter_plugin), 104},
};

const struct version *version = &versions[2];

static struct flb_filter_plugin plugin;
static struct instance ins = {.event_type = 1, .log_level = 3, .log_suppress_interval = -1, .name = "rgcn.0"};
static struct property properties[MOST_PROPERTIES];
static struct mk_list loaded = {&loaded, &loaded}; /* the host's list of plugins */
static int threads = 1, repeat = 1, reload = 1;
static bool map_only, fork_after_load, unlink_after_load, guard;

static struct chunk {
	char *data;
	size_t size;
	char *out; /* what came out, or data */
	size_t out_size;
	int code;
} *chunks;
static int chunk_count;

static void fail(int code, const char *what, const char *about)
{
	fprintf(stderr, "testhost: %s %s\n", what, about);
	exit(code);
}

static int number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n < 0 || n > 1000000)
		fail(CANNOT_RUN, "want a number, got", text);
	return n;
}

static void add_property(char *text)
{
	char *equals = strchr(text, '=');

	if (equals == NULL || ins.property_count == MOST_PROPERTIES)
		fail(CANNOT_RUN, "bad or too many properties:", text);
	*equals = '\0';
	properties[ins.property_count++] = (struct property){text, equals + 1};
	ins.properties = properties;
}

static void choose_version(const char *name)
{
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (strcmp(versions[i].name, name) == 0) {
			version = &versions[i];
			return;
		}
	fail(CANNOT_RUN, "unknown version", name);
}

static char *parse(char **arg)
{
	for (; *arg != NULL && strncmp(*arg, "--", 2) == 0; arg++) {
		if (strcmp(*arg, "--map") == 0)
			map_only = true;
		else if (strcmp(*arg, "--fork") == 0)
			fork_after_load = true;
		else if (strcmp(*arg, "--guard") == 0)
			guard = true;
		else if (strcmp(*arg, "--unlink") == 0)
			unlink_after_load = true;
		else if (arg[1] == NULL)
			fail(CANNOT_RUN, "unknown option, or no value for", *arg);
		else if (strcmp(*arg, "--abi") == 0)
			choose_version(*++arg);
		else if (strcmp(*arg, "--prop") == 0)
			add_property(*++arg);
		else if (strcmp(*arg, "--log-level") == 0)
			ins.log_level = number(*++arg);
		else if (strcmp(*arg, "--reload") == 0)
			reload = number(*++arg);
		else if (strcmp(*arg, "--threads") == 0)
			threads = number(*++arg);
		else if (strcmp(*arg, "--repeat") == 0)
			repeat = number(*++arg);
		else
			fail(CANNOT_RUN, "unknown option", *arg);
	}
	if (*arg == NULL || arg[1] != NULL)
		fail(CANNOT_RUN, "want one file,", *arg == NULL ? "got none" : "got more");
	if (threads < 1 || threads > MOST_THREADS || repeat < 1)
		fail(CANNOT_RUN, "threads or repeat", "out of range");
	return *arg;
}

/* load copies the registration by this version's size and links it in, over whatever the plugin has there. */
static void load(const char *file)
{
	void *library = dlopen(file, RTLD_LAZY);
	void *symbol = library == NULL ? NULL : dlsym(library, "filter_rgcn_plugin");
	struct mk_list *node = (struct mk_list *)((char *)&plugin + version->plugin_size) - 1;

	if (symbol == NULL)
		fail(CANNOT_RUN, "load", dlerror());
	memcpy(&plugin, symbol, version->plugin_size);
	*node = (struct mk_list){.prev = loaded.prev, .next = &loaded};
	loaded.prev->next = node;
	loaded.prev = node;
}

static const struct map_entry *entry(int i)
{
	return (const struct map_entry *)(plugin.config_map + i * version->map_stride);
}

static void print_map(void)
{
	for (int i = 0; plugin.config_map != NULL && entry(i)->name != NULL; i++)
		printf("%d\t%s\t%s\t%s\n", entry(i)->type, entry(i)->name,
		       entry(i)->def_value == NULL ? "" : entry(i)->def_value, entry(i)->desc);
}

static void check_properties(void)
{
	for (int p = 0; plugin.config_map != NULL && p < ins.property_count; p++) {
		int i = 0;

		while (entry(i)->name != NULL && strcasecmp(entry(i)->name, properties[p].key) != 0)
			i++;
		if (entry(i)->name == NULL)
			fail(PROPERTY_REFUSED, "unknown configuration property", properties[p].key);
	}
}

/* A read past the end is one past an allocation, which a sanitizer sees; past a guarded end it is the end of the process. */
static char *chunk_memory(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE), room = (size + page - 1) / page * page;
	char *memory;

	if (!guard)
		return malloc(size);
	memory = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || mprotect(memory + room, page, PROT_NONE) != 0)
		fail(CANNOT_RUN, "no", "memory");
	return memory + room - size;
}

static void read_chunks(void)
{
	unsigned char size[4];

	while (fread(size, 1, sizeof size, stdin) == sizeof size) {
		struct chunk c = {.size = size[0] | size[1] << 8 | size[2] << 16 | (size_t)size[3] << 24};

		c.data = chunk_memory(c.size);
		if (fread(c.data, 1, c.size, stdin) != c.size)
			fail(CANNOT_RUN, "input", "ends within a chunk");
		chunks = realloc(chunks, (chunk_count + 1) * sizeof *chunks);
		chunks[chunk_count++] = c;
	}
}

static void filter_chunk(struct chunk *c)
{
	void *out = NULL;
	size_t out_size = 0;

	if (c->out != c->data)
		free(c->out);
	c->code = plugin.cb_filter(c->data, c->size, "tag", 3, &out, &out_size, &ins, NULL, ins.context, NULL);
	c->out = c->code == MODIFIED ? out : c->data;
	c->out_size = c->code == MODIFIED ? out_size : c->size;
}

/* Threads take turns: the first of three has chunks 0, 3, 6 and so on. */
static void filter_share(int first)
{
	for (int n = 0; n < repeat; n++)
		for (int i = first; i < chunk_count; i += threads)
			filter_chunk(&chunks[i]);
}

static void *filter_thread(void *first)
{
	become_worker(&(struct worker){.log_level = ins.log_level});
	filter_share((int)(intptr_t)first);
	return NULL;
}

static void filter_all(void)
{
	pthread_t thread[MOST_THREADS];
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 1; i < threads; i++)
		if (pthread_create(&thread[i], NULL, filter_thread, (void *)(intptr_t)i) != 0)
			fail(CANNOT_RUN, "no", "thread");
	filter_share(0);
	for (int i = 1; i < threads; i++)
		pthread_join(thread[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	fprintf(stderr, "seconds %.6f\n", end.tv_sec - begin.tv_sec + (end.tv_nsec - begin.tv_nsec) / 1e9);
}

static void write_all(void)
{
	for (int i = 0; i < chunk_count; i++) {
		struct chunk *c = &chunks[i];
		unsigned char size[4] = {c->out_size, c->out_size >> 8, c->out_size >> 16, c->out_size >> 24};

		fprintf(stderr, "filter %d\n", c->code);
		fwrite(size, 1, sizeof size, stdout);
		fwrite(c->out, 1, c->out_size, stdout);
		if (c->out != c->data)
			free(c->out);
		c->out = NULL;
	}
}

int main(int argc, char **argv)
{
	char *file = parse(argv + (argc > 0));
	pid_t child;
	int status = 0;

	alarm(PATIENCE);
	become_worker(&(struct worker){.log_level = ins.log_level});
	load(file);
	if (unlink_after_load && unlink(file) != 0)
		fail(CANNOT_RUN, "unlink", file);
	if (fork_after_load && (child = fork()) != 0) {
		if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
			fail(CANNOT_RUN, "the child", "was killed");
		return WEXITSTATUS(status);
	}
	if (fork_after_load && chdir("/") != 0)
		fail(CANNOT_RUN, "chdir", "/");
	alarm(PATIENCE); /* a child does not inherit it */
	if (map_only) {
		print_map();
		return 0;
	}
	check_properties();
	read_chunks();
	for (int n = 0; n < reload; n++) {
		if (plugin.cb_pre_run != NULL && plugin.cb_pre_run(&ins, NULL, NULL) != 0) {
			fprintf(stderr, "pre_run refused\n");
			return INIT_FAILED;
		}
		status = plugin.cb_init(&ins, NULL, NULL);
		fprintf(stderr, "init %d\n", status);
		if (status != 0)
			return INIT_FAILED;
		filter_all();
		write_all();
		status = plugin.cb_exit(ins.context, NULL);
		fprintf(stderr, "exit %d\n", status);
		if (status != 0)
			return EXIT_FAILED;
		ins.context = NULL;
	}
	for (int i = 0; i < chunk_count && !guard; i++)
		free(chunks[i].data);
	free(chunks);
	return 0;
}
