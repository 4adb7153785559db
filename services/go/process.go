package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

const ticksPerSecond = 100 // USER_HZ of every Linux that Go runs on

var pssLine = regexp.MustCompile(`(?m)^Pss:\s+(\d+) kB`)

type usage struct{ cpuSeconds, threads, pssBytes float64 }

// process is what a process uses; nothing where the system has no /proc.
func process(pid int) (used usage) {
	stat := read(fmt.Sprintf("/proc/%d/stat", pid))
	// The name in brackets may hold blanks; fields count from behind it (proc(5): 3 is the state).
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) > 17 {
		used.cpuSeconds = (number(fields[11]) + number(fields[12])) / ticksPerSecond
		used.threads = number(fields[17])
	}
	if found := pssLine.FindStringSubmatch(read(fmt.Sprintf("/proc/%d/smaps_rollup", pid))); found != nil {
		used.pssBytes = 1024 * number(found[1])
	}
	return used
}

// backlog counts connections that wait to be accepted on a listening port: its rx_queue in
// /proc/net/tcp.
func backlog(port int) (waiting float64) {
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.SplitSeq(read("/proc/net/tcp")+read("/proc/net/tcp6"), "\n") {
		fields := strings.Fields(line)
		if len(fields) > 4 && fields[3] == "0A" && strings.HasSuffix(fields[1], suffix) {
			_, queue, _ := strings.Cut(fields[4], ":")
			length, _ := strconv.ParseInt(queue, 16, 64)
			waiting += float64(length)
		}
	}
	return waiting
}

func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

func number(text string) float64 {
	value, _ := strconv.ParseFloat(text, 64)
	return value
}
