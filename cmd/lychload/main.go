// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Command lychload is the load generator behind `make bench`: it starts a Redis and a Lychgate of their own, fills
// them, and measures each kind of request with every answer checked. It speaks to loopback addresses only.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

const usage = `usage:
  lychload bench -binary bin/lychgate [-out bench.json] [-time 4s] [-warm 1s] [-c 4] [-scenarios a,b] [-rs256]
  lychload run   -target T.json [the same]        a provider that runs already
  lychload limit [-redis 127.0.0.1:6379] [-time 4s]  what the machine can do at best
  lychload list`

func main() {
	if err := dispatch(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lychload:", err)
		os.Exit(1)
	}
}

func dispatch(args []string) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	fs := flag.NewFlagSet(args[0], flag.ContinueOnError)
	switch args[0] {
	case "bench":
		binary := fs.String("binary", "bin/lychgate", "the program to measure")
		o, err := runOptions(fs, args[1:])
		if err != nil {
			return err
		}
		return runBench(*binary, o)
	case "run":
		file := fs.String("target", "", "target file")
		o, err := runOptions(fs, args[1:])
		if err != nil {
			return err
		}
		t, err := loadTarget(*file)
		if err != nil {
			return err
		}
		p, err := newPeer(t, o.concurrency)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		return runAll(os.Stdout, []*peer{p}, o)
	case "limit":
		addr := fs.String("redis", "", "address of a Redis whose keys may be written (lychload:*, 60 s)")
		d := fs.Duration("time", 4*time.Second, "length of each part")
		if err := fs.Parse(args[1:]); err != nil {
			return err
		}
		l, err := measureLimit(*addr, nil, min(*d, time.Minute), 4, true)
		if err != nil {
			return err
		}
		l.print(os.Stdout)
		return nil
	case "floor-server": // started by limit
		if len(args) != 3 {
			return errors.New(usage)
		}
		return floorServer(args[1], args[2])
	case "list":
		for _, s := range scenarios {
			fmt.Printf("%-24s %s\n", s.name, s.about)
		}
		return nil
	}
	return errors.New(usage)
}
