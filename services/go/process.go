package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	lagPeriod = 100 * time.Millisecond
	lagWindow = 10 // the worst of the last second, so that a scrape a second misses nothing
)

// watchScheduler measures from now on how late a sleeping goroutine wakes, in seconds.
func watchScheduler() func() float64 {
	var worst atomic.Int64
	go func() {
		var recent [lagWindow]time.Duration
		for index := 0; ; index = (index + 1) % lagWindow {
			due := time.Now().Add(lagPeriod)
			time.Sleep(lagPeriod)
			recent[index] = max(0, time.Since(due))
			worst.Store(int64(longest(recent[:])))
		}
	}()
	return func() float64 { return time.Duration(worst.Load()).Seconds() }
}

func longest(durations []time.Duration) (longest time.Duration) {
	for _, duration := range durations {
		longest = max(longest, duration)
	}
	return longest
}

// cpuSeconds is user and system time of this process, from getrusage(2).
func cpuSeconds() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

var (
	pssLine     = regexp.MustCompile(`(?m)^Pss:\s+(\d+) kB`)
	threadsLine = regexp.MustCompile(`(?m)^Threads:\s+(\d+)`)
)

// pssBytes is the proportional set size; 0 where the system has no /proc.
func pssBytes() float64 { return 1024 * number("/proc/self/smaps_rollup", pssLine) }

func threads() float64 { return number("/proc/self/status", threadsLine) }

func number(path string, line *regexp.Regexp) float64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	found := line.FindSubmatch(text)
	if found == nil {
		return 0
	}
	value, _ := strconv.ParseFloat(string(found[1]), 64)
	return value
}

// backlog counts connections that wait to be accepted on a listening port: its rx_queue in
// /proc/net/tcp.
func backlog(port int) (waiting float64) {
	suffix := ":" + strings.ToUpper(strconv.FormatInt(0x10000+int64(port), 16)[1:])
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		table, _ := os.ReadFile(path)
		for line := range strings.SplitSeq(string(table), "\n") {
			fields := strings.Fields(line)
			if len(fields) > 4 && fields[3] == "0A" && strings.HasSuffix(fields[1], suffix) {
				_, queue, _ := strings.Cut(fields[4], ":")
				length, _ := strconv.ParseInt(queue, 16, 64)
				waiting += float64(length)
			}
		}
	}
	return waiting
}
