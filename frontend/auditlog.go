package frontend

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// mostRead is the greatest number of events that one decision about the log covers.
const mostRead = 500

// reading is a subscription to the log: what an auditor's tools read under one decision (DESIGN 4.1, 17). Its outcome,
// which sums up what was read, is recorded when the decision's grant expires.
type reading struct {
	grant *policy.Grant
	items atomic.Int64
	bytes atomic.Int64
	timer *time.Timer
}

func (r *reading) count(items int, size int) {
	r.items.Add(int64(items))
	r.bytes.Add(int64(size))
}

func (r *reading) end() {
	r.timer.Stop()
	r.grant.Finish(nil, int(r.items.Load()), r.bytes.Load())
}

// readings are the subscriptions under way, one for each session.
type readings struct {
	mu   sync.Mutex
	open map[string]*reading
}

// follow returns the session's subscription, authorizing a new one when there is none or it does not hold any more.
func (s *Server) follow(v *visit) (*reading, error) {
	target := s.logTarget(mostRead, "tiles")
	session := string(v.session.Person) + v.session.Started.Format(time.RFC3339Nano)
	s.readings.mu.Lock()
	defer s.readings.mu.Unlock()
	if r := s.readings.open[session]; r != nil {
		if s.Gate.Use(v.r.Context(), r.grant, target) == nil {
			return r, nil
		}
		delete(s.readings.open, session)
		r.end()
	}
	grant, err := s.Gate.Authorize(v.r.Context(), policy.Access{Actor: v.session.Actor(), Purpose: v.inbox.Purpose, Feature: v.inbox.Feature, Target: target})
	if err != nil {
		return nil, err
	}
	r := &reading{grant: grant}
	r.timer = time.AfterFunc(time.Until(grant.Expires()), func() {
		s.readings.mu.Lock()
		defer s.readings.mu.Unlock()
		if s.readings.open[session] == r {
			delete(s.readings.open, session)
			r.end()
		}
	})
	if s.readings.open == nil {
		s.readings.open = map[string]*reading{}
	}
	s.readings.open[session] = r
	return r, nil
}

// endReadings records the outcomes of all subscriptions.
func (s *Server) endReadings() {
	s.readings.mu.Lock()
	defer s.readings.mu.Unlock()
	for session, r := range s.readings.open {
		delete(s.readings.open, session)
		r.end()
	}
}

func (s *Server) logTarget(limit int, params string) policy.Target {
	return policy.Target{
		Operation: "log.query", Resource: policy.Collection(policy.Log, "", limit), Classes: []policy.DataClass{policy.Decisions}, Params: params,
	}
}

// logCheckpoint serves the newest checkpoint as tools for C2SP tlog-tiles expect it: with the witness's signature
// where there is one and it is of the newest tree.
func (s *Server) logCheckpoint(v *visit) error {
	return s.logFile(v, "text/plain; charset=utf-8", func(ctx context.Context) ([]byte, error) {
		text, _, err := s.Log.Checkpoint(ctx)
		if err != nil {
			return nil, err
		}
		cosigned, err := s.Log.Cosigned(ctx)
		if errors.Is(err, decisionlog.ErrNoRecord) {
			return text, nil
		}
		signed, _, _ := bytes.Cut(text, []byte("\n\n"))
		if same, _, _ := bytes.Cut(cosigned, []byte("\n\n")); bytes.Equal(same, signed) {
			return cosigned, err
		}
		return text, err
	})
}

// logTile serves a tile of hashes or a bundle of events in the layout of C2SP tlog-tiles.
func (s *Server) logTile(v *visit) error {
	return s.logFile(v, "application/octet-stream", func(ctx context.Context) ([]byte, error) {
		return s.Log.Tile(ctx, "tile/"+v.param("tile"))
	})
}

func (s *Server) logFile(v *visit, kind string, read func(context.Context) ([]byte, error)) error {
	r, err := s.follow(v)
	if err != nil {
		return err
	}
	content, err := read(v.r.Context())
	if err != nil {
		return err
	}
	r.count(1, len(content))
	return sendFile(v, kind, "", content)
}

// sendFile writes an answer that is not JSON. With a name, browsers save it.
func sendFile(v *visit, kind, name string, content []byte) error {
	h := v.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	if name != "" {
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	}
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write(content) // the connection may be gone
	return nil
}
