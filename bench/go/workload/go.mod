module fastcache/bench/workload

go 1.25.0
