// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Command lychconform is behind `make conformance`: it starts a Lychgate with a Redis, people and clients of its own,
// behind TLS, for a conformance suite of the OpenID Foundation that runs already, and writes the configuration of a
// driver for it. Everything it makes is for one run and stands in one folder. It is the security case PR-01.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

const usage = `usage:
  lychconform -suite https://HOST:PORT [-binary bin/lychgate] [-dir DIR] [-issuer URL] [-listen HOST:PORT]
              [-cert FILE -key FILE] [-suite-ca FILE] [-alias NAME] [-driver FILE [-plans LABEL,LABEL]]
  lychconform rotate -binary FILE -dir DIR     new signing keys; returns when the running provider publishes them`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := dispatch(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "lychconform:", err)
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 {
			os.Exit(exit.ExitCode())
		}
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	suite, issuer    *url.URL
	suiteCA          string
	binary, dir      string
	listen           string
	cert, key        string
	alias            string
	driver, plans    string
	suiteAt, issueAt string
}

func dispatch(ctx context.Context, args []string, out io.Writer) error {
	rotating := len(args) > 0 && args[0] == "rotate"
	if rotating {
		args = args[1:]
	}
	var o options
	fs := flag.NewFlagSet("lychconform", flag.ContinueOnError)
	fs.Usage = func() { fmt.Fprintln(fs.Output(), usage) }
	fs.StringVar(&o.suiteAt, "suite", "", "")
	fs.StringVar(&o.suiteCA, "suite-ca", "", "")
	fs.StringVar(&o.issueAt, "issuer", "https://op.idp.test:9443", "")
	fs.StringVar(&o.listen, "listen", "", "")
	fs.StringVar(&o.binary, "binary", "bin/lychgate", "")
	fs.StringVar(&o.dir, "dir", "bin/conformance", "")
	fs.StringVar(&o.cert, "cert", "", "")
	fs.StringVar(&o.key, "key", "", "")
	fs.StringVar(&o.alias, "alias", "lychgate", "")
	fs.StringVar(&o.driver, "driver", "", "")
	fs.StringVar(&o.plans, "plans", "", "")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := o.absolute(); err != nil {
		return err
	}
	if rotating {
		return rotate(ctx, o)
	}
	if err := o.check(); err != nil {
		return err
	}
	return run(ctx, o, out)
}

// absolute makes the names of files independent of where they are used.
func (o *options) absolute() error {
	for _, f := range []*string{&o.binary, &o.dir, &o.cert, &o.key, &o.suiteCA, &o.driver} {
		if *f == "" {
			continue
		}
		abs, err := filepath.Abs(*f)
		if err != nil {
			return err
		}
		*f = abs
	}
	return nil
}

func (o *options) check() error {
	var err error
	if o.suite, err = url.Parse(o.suiteAt); err != nil || o.suite.Scheme != "https" || o.suite.Host == "" {
		return errors.New("name the running suite: make conformance SUITE=https://HOST:PORT")
	}
	if o.issuer, err = url.Parse(o.issueAt); err != nil || o.issuer.Scheme != "https" || o.issuer.Host == "" {
		return errors.New("the issuer has to be https: the suite takes no other")
	}
	if (o.cert == "") != (o.key == "") {
		return errors.New("a certificate needs its key: give both or neither")
	}
	if o.listen == "" {
		port := o.issuer.Port()
		if port == "" {
			port = "443"
		}
		o.listen = "127.0.0.1:" + port
	}
	return nil
}

// run starts everything, and then the driver if there is one, else waits for the end of ctx.
func run(ctx context.Context, o options, out io.Writer) error {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	r := &rig{options: o}
	defer r.stop()
	if err := r.start(ctx); err != nil {
		return err
	}
	set, err := r.seed(ctx)
	if err != nil {
		return err
	}
	if err := writeJSON(r.file(driverFile), set); err != nil {
		return err
	}
	fmt.Fprintf(out, "provider  %s\nsuite     %s\nfolder    %s\nplans     %s\n", o.issueAt, o.suiteAt, o.dir, strings.Join(set.labels(), " "))
	if o.driver == "" {
		fmt.Fprintf(out, "\nrun a plan with a driver:\n  DRIVER %s --results %s --plan basic-static\nCtrl-C ends the provider\n",
			r.file(driverFile), r.file("results.json"))
		return r.wait(ctx)
	}
	return r.drive(ctx, out)
}
