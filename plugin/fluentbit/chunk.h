/* Memory of chunks. The host frees what cb_filter returns, so it comes from the C heap. */
#ifndef RGCN_CHUNK_H
#define RGCN_CHUNK_H

#include <stddef.h>
#include <stdlib.h>

/* rgcn_malloc returns NULL when memory is short, where cgo's own C.malloc ends the process. */
static inline void *rgcn_malloc(size_t size)
{
	return malloc(size);
}

#endif
