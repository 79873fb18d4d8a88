// The upstream library, github.com/leslie-fei/fastcache, set up as its own benchmark does: on Go's heap, 128 shards, gets into
// buffers from a pool.
package main

import (
	"bytes"
	"errors"
	"sync"

	"github.com/leslie-fei/fastcache"

	"fastcache/bench/workload"
)

var buffers = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 1024)) }}

func main() {
	workload.Main([]workload.Library{{Open: open, Copies: true}})
}

func open() (workload.Store, error) {
	opened, err := fastcache.NewCache(workload.LimitBytes, &fastcache.Config{
		Shards:        workload.Shards,
		MaxElementLen: 2 * workload.KeyCount,
	})
	if err != nil {
		return workload.Store{}, err
	}
	cache, ok := opened.(fastcache.StringKeyCache)
	if !ok {
		return workload.Store{}, errors.New("the cache takes no keys that are strings")
	}
	return workload.Store{
		Library: "leslie-fei/fastcache c9d4d20",
		Set: func(key string, value []byte) {
			if err := cache.SetStringKey(key, value); err != nil {
				panic(err)
			}
		},
		Get: func(key string) int {
			buffer := buffers.Get().(*bytes.Buffer)
			defer buffers.Put(buffer)
			buffer.Reset()
			if cache.GetStringKeyWithBuffer(key, buffer) != nil {
				return -1
			}
			return buffer.Len()
		},
		Wait:  func() {},
		Close: func() { _ = cache.Close() },
	}, nil
}
