// The Go libraries that the upstream library's README compares itself with, with the options that an ordinary user with 1 GiB
// and a known load would set. None of them leaves files or shared memory behind: all keep their entries on Go's heap.
package main

import (
	"context"
	"time"

	"github.com/Yiling-J/theine-go"
	"github.com/allegro/bigcache/v3"
	"github.com/dgraph-io/ristretto/v2"

	"fastcache/bench/workload"
)

func main() {
	workload.Main([]workload.Library{
		{Open: openBigcache, Copies: true},
		{Open: openRistretto},
		{Open: openTheine},
	})
}

// bigcache appends each entry to a ring of bytes, and copies it out on a get.
func openBigcache() (workload.Store, error) {
	cache, err := bigcache.New(context.Background(), bigcache.Config{
		Shards:             workload.Shards,
		LifeWindow:         time.Hour,
		MaxEntriesInWindow: workload.KeyCount,
		MaxEntrySize:       1024,
		HardMaxCacheSize:   workload.LimitBytes >> 20,
	})
	if err != nil {
		return workload.Store{}, err
	}
	return workload.Store{
		Library: "bigcache v3.1.0",
		Set: func(key string, value []byte) {
			if err := cache.Set(key, value); err != nil {
				panic(err)
			}
		},
		Get: func(key string) int {
			value, err := cache.Get(key)
			if err != nil {
				return -1
			}
			return len(value)
		},
		Wait:  func() {},
		Close: func() { _ = cache.Close() },
	}, nil
}

// ristretto keeps the caller's slice and returns it: it copies nothing. A set goes through a queue and is dropped when
// the queue is full or the policy does not admit it.
func openRistretto() (workload.Store, error) {
	cache, err := ristretto.NewCache(&ristretto.Config[string, []byte]{
		NumCounters: 10 * workload.KeyCount,
		MaxCost:     workload.LimitBytes,
		BufferItems: 64,
	})
	if err != nil {
		return workload.Store{}, err
	}
	return workload.Store{
		Library: "ristretto v2.4.2",
		Set:     func(key string, value []byte) { cache.Set(key, value, int64(len(value))) },
		Get: func(key string) int {
			value, found := cache.Get(key)
			if !found {
				return -1
			}
			return len(value)
		},
		Wait:  cache.Wait,
		Close: cache.Close,
	}, nil
}

// theine keeps the caller's slice and returns it: it copies nothing.
func openTheine() (workload.Store, error) {
	cache, err := theine.NewBuilder[string, []byte](workload.LimitBytes).Build()
	if err != nil {
		return workload.Store{}, err
	}
	return workload.Store{
		Library: "theine v0.6.3",
		Set:     func(key string, value []byte) { cache.Set(key, value, int64(len(value))) },
		Get: func(key string) int {
			value, found := cache.Get(key)
			if !found {
				return -1
			}
			return len(value)
		},
		Wait:  cache.Wait,
		Close: cache.Close,
	}, nil
}
