module concurrency-lab/minimal

go 1.26.0
