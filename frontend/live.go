package frontend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/inbox"
)

// heartbeat keeps the connection open through proxies; at each one the session is looked at again, without
// counting as its use.
const heartbeat = 20 * time.Second

// liveEvents streams changes of the mailbox as server-sent events until the page goes, the session ends
// or the owner may no longer see the mailbox.
func (s *Server) liveEvents(v *visit) error {
	watch, err := s.Inbox.Watch(v.r.Context(), v.inbox)
	if err != nil {
		return err
	}
	defer watch.Close()
	out := &eventStream{w: v.w, control: http.NewResponseController(v.w)}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	if err := out.start(); err != nil {
		return err
	}
	for err == nil {
		select {
		case c, ok := <-watch.Changes:
			if !ok {
				return out.last("closed", map[string]string{"code": "policy_denied"})
			}
			err = out.event("change", changeJSON(c))
		case <-beat.C:
			if _, err := s.Sessions.Alive(v.r); err != nil {
				return out.last("closed", map[string]string{"code": "unauthenticated"})
			}
			err = out.comment()
		case <-v.r.Context().Done():
			return nil
		case <-s.draining:
			return out.last("closed", map[string]string{"code": "restarting"})
		}
	}
	return nil // the page is gone
}

func changeJSON(c inbox.Change) api.LiveChange {
	out := api.LiveChange{HistoryId: strconv.FormatUint(c.HistoryID, 10), Threads: c.Threads, Labels: c.Labels, Arrived: c.Arrived, Resync: c.Resync}
	if out.Threads == nil {
		out.Threads = []string{}
	}
	if out.Labels == nil {
		out.Labels = []string{}
	}
	return out
}

// eventStream writes server-sent events (WHATWG HTML, 9.2).
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (e *eventStream) start() error {
	e.w.Header().Set("Content-Type", "text/event-stream")
	e.w.Header().Set("Cache-Control", "no-store")
	e.w.Header().Set("X-Accel-Buffering", "no")
	if err := e.control.SetReadDeadline(time.Time{}); err != nil { // nothing more is to come from the page
		return err
	}
	e.w.WriteHeader(http.StatusOK)
	return e.comment()
}

// writeTime is how long a page may leave what was sent unread.
const writeTime = 10 * time.Second

func (e *eventStream) comment() error {
	if err := e.control.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	if _, err := fmt.Fprint(e.w, ": alive\n\n"); err != nil {
		return err
	}
	return e.control.Flush()
}

func (e *eventStream) event(name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := e.control.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(e.w, "event: %s\ndata: %s\n\n", name, data); err != nil {
		return err
	}
	return e.control.Flush()
}

// last sends an event after which nothing follows; whether it arrives makes no difference here.
func (e *eventStream) last(name string, value any) error {
	_ = e.event(name, value)
	return nil
}
