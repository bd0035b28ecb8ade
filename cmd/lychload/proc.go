// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

const tick = 100.0 // USER_HZ, fixed by the Linux user interface

type procStat struct {
	ppid int
	cpu  float64 // s: own, plus children that ended and were waited for
}

func readStat(pid int) (procStat, bool) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return procStat{}, false
	}
	i := bytes.LastIndexByte(raw, ')')
	f := strings.Fields(string(raw[i+1:]))
	if len(f) < 15 {
		return procStat{}, false
	}
	n := func(k int) float64 { v, _ := strconv.ParseFloat(f[k], 64); return v }
	// after ")": 0 state, 1 ppid, ... 11 utime, 12 stime, 13 cutime, 14 cstime
	return procStat{ppid: int(n(1)), cpu: (n(11) + n(12) + n(13) + n(14)) / tick}, true
}

// tree returns roots and all their living descendants.
func tree(roots []int) map[int]procStat {
	all := map[int]procStat{}
	ents, _ := os.ReadDir("/proc")
	for _, e := range ents {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if st, ok := readStat(pid); ok {
				all[pid] = st
			}
		}
	}
	in := map[int]procStat{}
	for _, r := range roots {
		if st, ok := all[r]; ok {
			in[r] = st
		}
	}
	for grew := true; grew; {
		grew = false
		for pid, st := range all {
			if _, done := in[pid]; done {
				continue
			}
			if _, ok := in[st.ppid]; ok {
				in[pid] = st
				grew = true
			}
		}
	}
	return in
}

func treeCPU(roots []int) float64 {
	if len(roots) == 0 {
		return 0
	}
	s := 0.0
	for _, st := range tree(roots) {
		s += st.cpu
	}
	return s
}

// treePSS sums the proportional set size, in MiB.
func treePSS(roots []int) float64 {
	kb := 0.0
	for pid := range tree(roots) {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue
		}
		for _, l := range strings.Split(string(raw), "\n") {
			if strings.HasPrefix(l, "Pss:") {
				f := strings.Fields(l)
				v, _ := strconv.ParseFloat(f[1], 64)
				kb += v
			}
		}
	}
	return kb / 1024
}

func selfCPU() float64 {
	var ru syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	return float64(ru.Utime.Sec+ru.Stime.Sec) + float64(ru.Utime.Usec+ru.Stime.Usec)/1e6
}

// hostCPU returns busy and total CPU seconds of the whole machine.
func hostCPU() (busy, total float64) {
	raw, _ := os.ReadFile("/proc/stat")
	l, _, _ := strings.Cut(string(raw), "\n")
	f := strings.Fields(l)
	for i, x := range f {
		if i == 0 || i > 8 {
			continue
		}
		v, _ := strconv.ParseFloat(x, 64)
		total += v / tick
		if i != 4 && i != 5 { // idle, iowait
			busy += v / tick
		}
	}
	return
}

func loadavg() float64 {
	raw, _ := os.ReadFile("/proc/loadavg")
	f := strings.Fields(string(raw))
	if len(f) == 0 {
		return 0
	}
	v, _ := strconv.ParseFloat(f[0], 64)
	return v
}
