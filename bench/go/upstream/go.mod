module fastcache/bench/upstream

go 1.25.0

require (
	fastcache/bench/workload v0.0.0
	github.com/leslie-fei/fastcache v0.0.0-20240620024905-c9d4d2000ec4
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/edsrzf/mmap-go v1.1.0 // indirect
	github.com/leslie-fei/memcore v0.0.0-20240611074219-2f13777e1d72 // indirect
	golang.org/x/sys v0.21.0 // indirect
)

replace fastcache/bench/workload => ../workload
