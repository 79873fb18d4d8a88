// The libraries, each behind the same small set of functions, with the options that an ordinary user with 1 GiB and a
// known load would set. None of them leaves files or shared memory behind: all keep their entries on Go's heap.

package main

import (
	"context"
	"time"

	"github.com/Yiling-J/theine-go"
	"github.com/allegro/bigcache/v3"
	"github.com/dgraph-io/ristretto/v2"
)

const (
	limitBytes = 1 << 30
	shards     = 128
)

// store is an open cache. set panics on an error; get returns the length of the value, or -1; wait returns when all
// sets have taken effect.
type store struct {
	library string
	set     func(key string, value []byte)
	get     func(key string) int
	wait    func()
	close   func()
}

type library struct {
	open   func() (store, error)
	copies bool // values are copied in and out, not kept as pointers to the caller's memory
}

var libraries = []library{{openBigcache, true}, {openRistretto, false}, {openTheine, false}}

// bigcache appends each entry to a ring of bytes, and copies it out on a get.
func openBigcache() (store, error) {
	cache, err := bigcache.New(context.Background(), bigcache.Config{
		Shards:             shards,
		LifeWindow:         time.Hour,
		MaxEntriesInWindow: keyCount,
		MaxEntrySize:       1024,
		HardMaxCacheSize:   limitBytes >> 20,
	})
	if err != nil {
		return store{}, err
	}
	return store{
		library: "bigcache v3.1.0",
		set: func(key string, value []byte) {
			if err := cache.Set(key, value); err != nil {
				panic(err)
			}
		},
		get: func(key string) int {
			value, err := cache.Get(key)
			if err != nil {
				return -1
			}
			return len(value)
		},
		wait:  func() {},
		close: func() { _ = cache.Close() },
	}, nil
}

// ristretto keeps the caller's slice and returns it: it copies nothing. A set goes through a queue and is dropped when
// the queue is full or the policy does not admit it.
func openRistretto() (store, error) {
	cache, err := ristretto.NewCache(&ristretto.Config[string, []byte]{
		NumCounters: 10 * keyCount,
		MaxCost:     limitBytes,
		BufferItems: 64,
	})
	if err != nil {
		return store{}, err
	}
	return store{
		library: "ristretto v2.4.2",
		set:     func(key string, value []byte) { cache.Set(key, value, int64(len(value))) },
		get: func(key string) int {
			value, found := cache.Get(key)
			if !found {
				return -1
			}
			return len(value)
		},
		wait:  cache.Wait,
		close: cache.Close,
	}, nil
}

// theine keeps the caller's slice and returns it: it copies nothing.
func openTheine() (store, error) {
	cache, err := theine.NewBuilder[string, []byte](limitBytes).Build()
	if err != nil {
		return store{}, err
	}
	return store{
		library: "theine v0.6.3",
		set:     func(key string, value []byte) { cache.Set(key, value, int64(len(value))) },
		get: func(key string) int {
			value, found := cache.Get(key)
			if !found {
				return -1
			}
			return len(value)
		},
		wait:  cache.Wait,
		close: cache.Close,
	}, nil
}
