package aggregate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// Reasons why there is no release.
var (
	// ErrSpent says that the month's privacy budget is spent: it was released, or nothing of it passed, or it
	// is being counted right now.
	ErrSpent = errors.New("aggregate: the month's privacy budget is spent")
	// ErrWindow says that only the last month that is over can be released.
	ErrWindow = errors.New("aggregate: only the last calendar month that is over can be released")
)

// Mailbox is a connected mailbox as the one who counts must know it.
type Mailbox struct {
	ID        policy.AccountID
	Connected time.Time
}

// Accounts is what the count asks about a mailbox.
type Accounts interface {
	Account(ctx context.Context, id policy.AccountID) (policy.AccountFacts, error)
}

// Config is what a Service is made of.
type Config struct {
	Store     *Store
	Gate      *policy.Gate
	Log       *decisionlog.Log
	Facts     Accounts
	Mailboxes func(context.Context) ([]Mailbox, error) // all that are connected
}

// Service makes releases and lets staff read them.
type Service struct {
	Config
	disclosure int           // version of the text that told owners of releases
	notice     time.Duration // between announcing that text and the first release for those who agreed to an older one
	noise      noiser
}

// feature is what the policy knows the counting by, and purpose what for.
const (
	feature = policy.Feature("aggregate_release")
	purpose = policy.Purpose("internal_ops")
)

// New returns a service.
func New(c Config) (*Service, error) {
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return nil, err
	}
	told, ok := tables.Features[string(feature)]
	if !ok {
		return nil, fmt.Errorf("aggregate: the policy has no feature %s", feature)
	}
	return &Service{
		Config: c, disclosure: told.Disclosure, notice: time.Duration(tables.Terms.Notice) * time.Microsecond, noise: laplace{},
	}, nil
}

// Maintain releases the last month that is over, unless that was done or the deployment is younger. Every node may
// call it as often as it likes.
func (s *Service) Maintain(ctx context.Context) error {
	now := s.Log.Now()
	m := latest(now)
	if begun, err := s.begun(ctx, m); err != nil || !begun {
		return err
	}
	free, err := s.Store.free(ctx, m, now)
	if err != nil || !free {
		return err
	}
	_, err = s.Publish(ctx, m)
	if errors.Is(err, ErrSpent) {
		return nil // another node was faster
	}
	return err
}

// begun says whether the log was kept at any time of the month.
func (s *Service) begun(ctx context.Context, m Month) (bool, error) {
	first, err := s.Log.Record(ctx, 0)
	switch {
	case errors.Is(err, decisionlog.ErrDropped):
		return true, nil // retention has removed older months than this one
	case errors.Is(err, decisionlog.ErrNoRecord):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("aggregate: reading the log: %w", err)
	}
	return first.At.Before(m.End()), nil
}

// Publish counts a month and publishes what passes; the Release it returns has no ID when nothing did. Of a month
// whose budget is spent (ErrSpent), and of any but the last that is over (ErrWindow), there is no release: the
// attempt is recorded and refused.
func (s *Service) Publish(ctx context.Context, m Month) (Release, error) {
	now := s.Log.Now()
	if m != latest(now) {
		return Release{}, s.deny(ctx, m, ErrWindow)
	}
	grant, err := s.Gate.Authorize(ctx, counting)
	if err != nil {
		return Release{}, err
	}
	r, size, err := s.publish(ctx, grant, m, now)
	grant.Finish(err, r.cells(), size)
	if errors.Is(err, ErrSpent) {
		err = s.deny(ctx, m, err)
	}
	return r, err
}

// counting is the access that a computation is. It concerns no single account.
var counting = policy.Access{
	Actor: policy.Actor{Kind: policy.Service}, Purpose: purpose, Feature: feature,
	Target: policy.Target{Operation: "aggregates.compute", Resource: policy.New(policy.Aggregates), Classes: []policy.DataClass{policy.Derived}},
}

// publish goes from the budget to the store. The order matters: the budget is spent before anything is
// counted, and the log has the release before the store has it. A crash on the way costs the month its release,
// never its promise.
func (s *Service) publish(ctx context.Context, grant *policy.Grant, m Month, now time.Time) (Release, int64, error) {
	if err := s.Gate.Use(ctx, grant, counting.Target); err != nil {
		return Release{}, 0, err
	}
	if err := s.Store.spend(ctx, m, grant.DecisionID(), now); err != nil {
		return Release{}, 0, err
	}
	if known, err := s.released(ctx, m); err != nil {
		return Release{}, 0, err
	} else if known {
		return Release{}, 0, errors.Join(ErrSpent, s.Store.close(ctx, m, grant.DecisionID(), Release{}, nil, now))
	}
	counts, err := s.count(ctx, m)
	if err != nil {
		return Release{}, 0, err
	}
	r, body, err := s.compose(m, counts)
	if err != nil {
		return Release{}, 0, err
	}
	if err := s.Gate.Record(ctx, eventOf(m, r)); err != nil {
		return Release{}, 0, err
	}
	if err := s.Store.close(ctx, m, grant.DecisionID(), r, body, s.Log.Now()); err != nil {
		return Release{}, 0, err
	}
	return r, int64(len(body)), nil
}

// compose makes the release of a tally and its bytes. When nothing passes it has no ID.
func (s *Service) compose(m Month, counts tally) (Release, []byte, error) {
	questions, err := counts.anonymize(s.noise)
	if err != nil {
		return Release{}, nil, err
	}
	r := Release{
		Month: m.String(), Catalogue: Catalogue, MinOwners: MinOwners, Epsilon: Epsilon, Delta: Delta, Margin: Margin, Questions: questions,
	}
	if r.cells() == 0 {
		return r, nil, nil
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return Release{}, nil, fmt.Errorf("aggregate: %w", err)
	}
	r.ID = id.String()
	body, err := json.Marshal(r)
	if err != nil {
		return Release{}, nil, fmt.Errorf("aggregate: encoding a release: %w", err)
	}
	return r, body, nil
}

// The names of this package's events in the decision log.
const (
	EventReleased = "aggregate.released" // numbers of a month passed and are published
	EventWithheld = "aggregate.withheld" // a month was counted and nothing of it passed
	EventDenied   = "aggregate.denied"   // a release was asked for that the budget or the window does not allow
)

func eventOf(m Month, r Release) policy.Lifecycle {
	l := policy.Lifecycle{Event: EventWithheld, Actor: counting.Actor, Details: map[string]string{
		"month": m.String(), "cells": strconv.Itoa(r.cells()), "epsilon": decimal(Epsilon), "delta": decimal(Delta), "catalogue": strconv.Itoa(Catalogue),
	}}
	if r.ID != "" {
		l.Event, l.Details["release"] = EventReleased, r.ID
	}
	return l
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// deny records why there is no release, and returns the reason.
func (s *Service) deny(ctx context.Context, m Month, reason error) error {
	why := "window"
	if errors.Is(reason, ErrSpent) {
		why = "budget"
	}
	return errors.Join(reason, s.Gate.Record(ctx, policy.Lifecycle{
		Event: EventDenied, Actor: counting.Actor, Details: map[string]string{"month": m.String(), "reason": why, "epsilon": decimal(Epsilon)},
	}))
}

// released looks for the month in the decision log. The ledger says the same, unless the product's database was
// restored from an older copy: then the log remembers that the budget is spent.
func (s *Service) released(ctx context.Context, m Month) (bool, error) {
	for _, event := range []string{EventReleased, EventWithheld} {
		page, err := s.Log.Query(ctx, decisionlog.Filter{Kind: decisionlog.Lifecycle, Operation: event, Since: m.End(), Limit: decisionlog.MaxPage})
		if err != nil {
			return false, fmt.Errorf("aggregate: reading the log: %w", err)
		}
		for _, r := range page.Records {
			var body struct {
				Details struct {
					Month string `json:"month"`
				} `json:"details"`
			}
			if err := json.Unmarshal(r.Body, &body); err != nil {
				return false, fmt.Errorf("aggregate: an event of the log does not decode: %w", err)
			}
			if body.Details.Month == m.String() {
				return true, nil
			}
		}
	}
	return false, nil
}

// Reader says who reads, and for what: the route's purpose and feature.
type Reader struct {
	Actor   policy.Actor
	Purpose policy.Purpose
	Feature policy.Feature
}

// Read returns a release for a member of staff, once the gate has allowed and recorded it: the same bytes each time.
func (s *Service) Read(ctx context.Context, who Reader, id string) ([]byte, error) {
	access := policy.Access{
		Actor: who.Actor, Purpose: who.Purpose, Feature: who.Feature, Release: id,
		Target: policy.Target{Operation: "aggregates.read", Resource: policy.IDs(policy.Aggregates, id), Classes: []policy.DataClass{policy.Aggregate}},
	}
	grant, err := s.Gate.Authorize(ctx, access)
	if err != nil {
		return nil, err
	}
	body, err := s.read(ctx, grant, access.Target, id)
	grant.Finish(err, 1, int64(len(body)))
	return body, err
}

func (s *Service) read(ctx context.Context, grant *policy.Grant, target policy.Target, id string) ([]byte, error) {
	if err := s.Gate.Use(ctx, grant, target); err != nil {
		return nil, err
	}
	return s.Store.body(ctx, id)
}
