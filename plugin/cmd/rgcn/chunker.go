package main

import (
	"context"
	"io"
	"time"

	"flb-filter-rgcn/plugin/printable"
)

// chunker fills chunks with the records of an input's files. Full chunks go to one channel, and their memory comes back
// through the other.
type chunker struct {
	*input
	full chan<- chunk
	free <-chan []byte

	chunk chunk     // the one being filled
	began time.Time // event time at its first record

	// Bytes of all files (0: unknown), of those read to their end, and of the one being read.
	total, finished, reached int64
}

// read reads all files. Records read before an error are still handed over.
func (c *chunker) read(ctx context.Context) error {
	if err := c.next(ctx); err != nil {
		return err
	}
	for _, file := range c.files {
		if err := c.readFile(ctx, file); err != nil {
			return printable.Join(err, c.next(ctx))
		}
	}
	return c.next(ctx)
}

func (c *chunker) readFile(ctx context.Context, file string) error {
	r, err := c.open(file)
	if r != nil {
		defer func() {
			reached, _ := r.Progress()
			c.finished, c.reached = c.finished+reached, 0
			r.Close()
		}()
	}
	for err == nil {
		start := len(c.chunk.data)
		c.chunk.data, err = r.AppendRecord(c.chunk.data)
		if err != nil {
			err = c.pass(err)
			continue
		}
		c.learnTime(c.chunk.data[start:])
		if c.chunk.records++; c.chunk.records == 1 {
			c.began = c.eventTime()
		}
		if c.isFull() {
			c.reached, _ = r.Progress()
			err = c.next(ctx)
		}
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// isFull reports whether the chunk has to be handed over.
func (c *chunker) isFull() bool {
	return c.chunk.records >= c.chunkSize || len(c.chunk.data) >= maxChunk || c.span > 0 && c.eventTime().Sub(c.began) >= c.span
}

// next hands over the chunk, unless it is empty, and begins another.
func (c *chunker) next(ctx context.Context) error {
	if c.chunk.records > 0 {
		if c.total > 0 {
			c.chunk.share = float64(c.finished+c.reached) / float64(c.total)
		}
		c.chunk.newest = c.eventTime()
		select {
		case c.full <- c.chunk:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case data := <-c.free:
		c.chunk = chunk{data: data}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
