package frontend

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/oauth"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// streamDecisions sends the events that pass the filter as they are logged. It is decided once for as long as a grant
// holds, and not for each event. What the auditor reads themselves is left out unless asked for, for each event sent
// would otherwise make more.
func (s *Server) streamDecisions(v *visit) error {
	q := v.r.URL.Query()
	if !strings.HasPrefix(v.r.Header.Get("Accept"), "text/event-stream") {
		return &inbox.InvalidError{Field: "Accept", Why: "this address answers with text/event-stream"}
	}
	f, err := filterOf(q)
	if err != nil {
		return err
	}
	grant, err := s.auditGrant(v, mostRead, q.Encode())
	if err != nil {
		return err
	}
	own := &ownReading{actor: grant.Names().Person(v.session.Kind, v.session.Person), shown: q.Get("own") == "true"}
	out := &eventStream{w: v.w, control: http.NewResponseController(v.w)}
	if err := out.start(); err != nil {
		grant.Finish(err, 0, 0)
		return nil
	}
	ctx, cancel := context.WithCancel(v.r.Context())
	defer cancel()
	events, ended := s.tail(ctx)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	sent := 0
	defer func() { grant.Finish(nil, sent, 0) }()
	for err == nil {
		select {
		case r := <-events:
			if own.hides(r) || !f.Matches(r) {
				continue
			}
			if s.Gate.Use(ctx, grant, s.logTarget(mostRead, q.Encode())) != nil {
				grant.Finish(nil, sent, 0)
				if grant, err = s.auditGrant(v, mostRead, q.Encode()); err != nil {
					return out.last("closed", map[string]string{"code": problemOf(err).Code})
				}
				sent = 0
			}
			sent++
			err = out.event("decision", eventJSON(r))
		case <-beat.C:
			if _, alive := s.Sessions.Alive(v.r); alive != nil {
				return out.last("closed", map[string]string{"code": problemOf(oauth.ErrNoSession).Code})
			}
			err = out.comment()
		case <-ended:
			return out.last("closed", map[string]string{"code": "internal"})
		case <-s.draining:
			return out.last("closed", map[string]string{"code": "restarting"})
		case <-ctx.Done():
			return nil
		}
	}
	return nil // the page is gone
}

// tail hands out the events that are logged from now on, until ctx ends. ended is closed when the log cannot be read.
func (s *Server) tail(ctx context.Context) (events <-chan decisionlog.Record, ended <-chan struct{}) {
	to, stop := make(chan decisionlog.Record), make(chan struct{})
	go func() {
		defer close(stop)
		_, tree, err := s.Log.Checkpoint(ctx)
		if err != nil {
			return
		}
		_ = s.Log.Tail(ctx, tree.N, func(r decisionlog.Record) error { // its error ends the stream, whatever it is
			select {
			case to <- r:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	return to, stop
}

// ownReading knows what of the log comes from an auditor's reading of it.
type ownReading struct {
	actor string
	shown bool
	last  [64]int64 // places of own decisions whose outcome is still to come, plus one
	next  int
}

func (o *ownReading) hides(r decisionlog.Record) bool {
	switch {
	case o.shown:
		return false
	case r.Kind == decisionlog.Decision && r.Actor == o.actor && r.Operation == "log.query":
		o.last[o.next%len(o.last)] = r.Index + 1
		o.next++
		return true
	case r.Kind == decisionlog.Outcome:
		for _, index := range o.last {
			if index == r.Ref+1 {
				return true
			}
		}
	}
	return false
}
