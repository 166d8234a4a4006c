/* The dynamic linker makes one copy per file, so the second one comes from a file in memory with the same bytes. */
#define _GNU_SOURCE
#include "reopen.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <linux/memfd.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi.h"
#include "startdir.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* glibc has had memfd_create since 2.27; all else in this shared object has been there since 2.17. */
static int new_memory_file(unsigned flags)
{
	return syscall(SYS_memfd_create, "flb-filter_rgcn.so", flags);
}

/* Opened at load: later a daemon changes its directory, and a package upgrade may replace the file. */
static int own_file = -1;

void rgcn_remember_file(void)
{
	Dl_info self;

	if (dladdr(&own_file, &self) != 0)
		own_file = open(self.dli_fname, O_RDONLY | O_CLOEXEC);
}

void rgcn_forget_file(void)
{
	if (own_file >= 0)
		close(own_file);
	own_file = -1;
}

/* A daemon has closed its standard streams. A file with one of their numbers would have log lines written into it. */
static int above_standard_streams(int fd)
{
	int moved;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return moved;
}

/* memory_file returns a descriptor of a copy of own_file, or -1 and errno. */
static int memory_file(void)
{
	struct stat st;
	off_t at = 0;
	int fd;

	if (fstat(own_file, &st) != 0)
		return -1;
	fd = new_memory_file(MFD_CLOEXEC | MFD_EXEC);
	if (fd < 0 && errno == EINVAL) /* kernels before 6.3 know no MFD_EXEC and need none */
		fd = new_memory_file(MFD_CLOEXEC);
	fd = above_standard_streams(fd);
	while (fd >= 0 && at < st.st_size) {
		ssize_t sent = sendfile(fd, own_file, &at, st.st_size - at);

		if (sent > 0 || (sent < 0 && errno == EINTR))
			continue;
		if (sent == 0)
			errno = EIO; /* the file was cut short under us */
		close(fd);
		fd = -1;
	}
	return fd;
}

const struct flb_filter_plugin *rgcn_reopen(const char **failure)
{
	static char text[512];
	const struct flb_filter_plugin *plugin = NULL;
	void (*set_start_directory)(const char *) = NULL;
	const char *why = "the file of this plugin could not be opened when it was loaded";
	char path[64];
	void *library;
	int fd = -1;

	if (own_file >= 0) {
		fd = memory_file();
		why = strerror(errno);
	}
	if (fd >= 0) {
		/* The descriptor stays open: the linker knows libraries by name, and would take the next file with this
		 * number for this one. */
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		if (library != NULL)
			set_start_directory = dlsym(library, RGCN_SET_START_DIRECTORY);
		if (set_start_directory != NULL)
			plugin = dlsym(library, "filter_rgcn_plugin");
		if (plugin == NULL)
			why = dlerror();
		else
			set_start_directory(rgcn_start_directory());
	}
	if (plugin == NULL) {
		snprintf(text, sizeof text, "reopen after fork: %s; start Fluent Bit in the foreground, without -d", why);
		*failure = text;
	}
	rgcn_forget_file();
	return plugin;
}
