package main

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"github.com/totalengage/webmail/policy"
)

// The terms that an operator may choose within what the privacy page promises (DEL-2): never longer than the
// retention table says, and the log never so short that a question about last month has no answer.
const (
	leastLogDays, mostLogDays       = 90, 400
	leastUnusedDays, mostUnusedDays = 180, 730
)

const day = 24 * time.Hour

// retainEvery is how often what has had its time is deleted. Until then it is refused all the same.
const retainEvery = time.Hour

// retention runs the jobs that keep the retention table, at start and every hour, until ctx ends.
func (s *system) retention(ctx context.Context) error {
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	for {
		if err := s.retain(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("deleting what has had its time failed and will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// retain is one run. The run is an event in the log, with what it deleted of each store, also when that is nothing
// and when a part of it failed.
func (s *system) retain(ctx context.Context) error {
	counts, err := s.vault.Retain(ctx, time.Duration(s.options.UnusedDays)*day)
	if counts == nil {
		counts = map[string]int{}
	}
	var more error
	counts["sessions"], more = s.sessions.Expire(ctx)
	err = errors.Join(err, more, s.permits.Sweep(ctx))
	maps.Copy(counts, s.inbox.Swept())
	counts["agreements"], counts["acknowledgements"], more = s.desk.Expire(ctx)
	err = errors.Join(err, more)
	counts["rights_alarms"], counts["rights_breaches"], more = s.rights.Watch(ctx)
	err = errors.Join(err, more)

	details := map[string]string{"complete": strconv.FormatBool(err == nil)}
	for store, n := range counts {
		details[store] = strconv.Itoa(n)
	}
	// The log comes last: it may drop the events of earlier runs, and announces that itself.
	keptFrom, more := s.gate.DropBefore(ctx, s.decided.Now().Add(-time.Duration(s.options.LogDays)*day))
	if keptFrom > 0 {
		details["log_kept_from"] = strconv.FormatInt(keptFrom, 10)
	}
	return errors.Join(err, more, s.gate.Record(ctx, policy.Lifecycle{Event: "retention.run", Details: details}))
}

// replay deletes again what a copy of the database that was put back had brought back (I9). It runs before anything
// is served.
func (s *system) replay(ctx context.Context) error {
	mailboxes, persons, err := s.vault.Replay(ctx)
	if mailboxes+persons > 0 {
		s.log.Warn("the database is a restored copy: what was deleted since is deleted again, and everybody is signed out", "mailboxes", mailboxes, "persons", persons)
	}
	return err
}
