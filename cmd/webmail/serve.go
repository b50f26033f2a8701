package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
)

// serveCmd serves the product over real Gmail, or over any endpoints given.
type serveCmd struct{ serverOptions }

func (c *serveCmd) Run(ctx context.Context) error {
	return runServer(ctx, c.serverOptions, func(s *system) {
		s.log.Info("ready", "url", s.options.PublicURL)
	})
}

// runServer builds the product, listens, and serves until ctx ends.
func runServer(ctx context.Context, o serverOptions, ready func(*system)) error {
	if err := noCoreDumps(); err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	defer l.Close()
	o.Addr = l.Addr().String()
	s, err := newSystem(ctx, o, newLogger(o.LogLevel))
	if err != nil {
		return err
	}
	defer s.close()
	return s.serve(ctx, l, func() { ready(s) })
}

func newLogger(level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // an enum flag
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: l}))
}

// noCoreDumps keeps mail and keys in memory from reaching a disk when the process dies (DESIGN 4.1, 23).
func noCoreDumps() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("core dumps cannot be switched off: %w", err)
	}
	return nil
}
