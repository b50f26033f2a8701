package emulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault makes calls fail. The first rule that matches a call acts on it.
//
// Go's own HTTP transport repeats a GET whose kept-alive connection was closed
// without an answer: to see a dropped read, drop it more than once or disable
// keep-alives.
type Fault struct {
	// Method is a method id ("messages.send", "gmail.users.messages.send") or "*".
	// The kinds that begin with push act on notifications and take none.
	Method string `json:"method"`
	// User limits the rule to one mailbox; "" is any.
	User string `json:"user,omitempty"`
	// ID limits the rule to calls whose path names this message, thread, draft or
	// label: a message that can never be read. "" is any.
	ID string `json:"id,omitempty"`
	// Skip lets that many matching calls pass first.
	Skip int `json:"skip,omitempty"`
	// Count is how many calls fail; 0 is one, -1 all until the rule is cleared.
	Count int `json:"count,omitempty"`
	// Kind says how; "" is FaultStatus.
	Kind FaultKind `json:"kind,omitempty"`
	// Status, Reason and Message are the answer for FaultStatus; reason and message
	// have Gmail's usual values for 401, 403, 404, 429 and 5xx when empty.
	Status  int    `json:"status,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// DelayMS is how long FaultSlow and FaultPushLate wait, or how far ahead
	// FaultRetryAfter points (0 = 1000), in milliseconds.
	DelayMS int64 `json:"delayMs,omitempty"`
}

// FaultKind is a way to fail.
type FaultKind string

// The ways to fail.
const (
	FaultStatus     FaultKind = "status"     // answer an error, do nothing
	FaultRetryAfter FaultKind = "retryAfter" // Gmail's 403 with "Retry after" in its text
	FaultDropBefore FaultKind = "dropBefore" // close the connection, do nothing
	FaultDropAfter  FaultKind = "dropAfter"  // do it, then close the connection
	FaultSlow       FaultKind = "slow"       // wait, then serve
	FaultEmptyPage  FaultKind = "emptyPage"  // history.list: a page without records but with a next page
	FaultPushLate   FaultKind = "pushLate"   // send a notification after DelayMS
	FaultPushTwice  FaultKind = "pushTwice"  // send a notification again after it was acknowledged
	FaultPushLost   FaultKind = "pushLost"   // send no notification
	FaultPushText   FaultKind = "pushText"   // send the history id as a string, as Google's documentation shows it
)

// pushMethod is what a rule for notifications has in place of a method.
const pushMethod = "push"

type faults struct {
	mu    sync.Mutex
	rules []Fault // owned by mu
}

// InjectFault adds a rule. A rule that can match nothing is a programming error
// and panics; the control endpoint answers 400 instead.
func (s *Server) InjectFault(f Fault) {
	if err := s.faults.add(f); err != nil {
		panic(err)
	}
}

// ClearFaults removes all rules.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules = nil
}

// Faults are the rules still waiting, with what is left of their counts.
func (s *Server) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return slices.Clone(s.faults.rules)
}

func (fs *faults) add(f Fault) error {
	const prefix = "gmail.users."
	if len(f.Method) > len(prefix) && f.Method[:len(prefix)] == prefix {
		f.Method = f.Method[len(prefix):]
	}
	if f.Kind == "" {
		f.Kind = FaultStatus
	}
	if forPush := strings.HasPrefix(string(f.Kind), "push"); forPush && (f.Method == "" || f.Method == "*") {
		f.Method = pushMethod
	} else if forPush != (f.Method == pushMethod) {
		return fmt.Errorf("emulator: fault %q does not act on %q", f.Kind, f.Method)
	}
	if f.Method != "*" && f.Method != pushMethod && !slices.ContainsFunc(methods, func(m Method) bool { return m.ID == f.Method }) {
		return fmt.Errorf("emulator: fault for unknown method %q", f.Method)
	}
	switch f.Kind {
	case FaultStatus:
		if f.Status < 400 || f.Status > 599 {
			return fmt.Errorf("emulator: fault status %d is no error", f.Status)
		}
	case FaultRetryAfter, FaultDropBefore, FaultDropAfter, FaultSlow, FaultEmptyPage,
		FaultPushLate, FaultPushTwice, FaultPushLost, FaultPushText:
	default:
		return fmt.Errorf("emulator: unknown kind of fault %q", f.Kind)
	}
	if f.Count == 0 {
		f.Count = 1
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.rules = append(fs.rules, f)
	return nil
}

// matches reports whether a call or notification is one that the rule is for. path
// holds the call's path parameters.
func (f *Fault) matches(method, user string, path map[string]string) bool {
	return (f.Method == method || f.Method == "*" && method != pushMethod) &&
		(f.User == "" || canonicalAddress(f.User) == user) &&
		(f.ID == "" || slices.Contains(slices.Collect(maps.Values(path)), f.ID))
}

// next takes the fault for a call, if there is one.
func (fs *faults) next(method, user string, path map[string]string) (Fault, bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for i := range fs.rules {
		r := &fs.rules[i]
		if !r.matches(method, user, path) {
			continue
		}
		if r.Skip > 0 {
			r.Skip--
			continue
		}
		f := *r
		if r.Count > 0 {
			if r.Count--; r.Count == 0 {
				fs.rules = slices.Delete(fs.rules, i, i+1)
			}
		}
		return f, true
	}
	return Fault{}, false
}

// answer is the error of FaultStatus and FaultRetryAfter.
func (f Fault) answer(now time.Time) *apiError {
	if f.Kind == FaultRetryAfter {
		delay := time.Duration(f.DelayMS) * time.Millisecond
		if delay == 0 {
			delay = time.Second
		}
		return userRateExceeded(now.Add(delay))
	}
	e := usualError(f.Status)
	if f.Reason != "" {
		e.entry.Reason = f.Reason
	}
	if f.Message != "" {
		e.message, e.entry.Message = f.Message, f.Message
	}
	return e
}

// usualError is what Gmail most often means by a status.
func usualError(code int) *apiError {
	switch code {
	case 400:
		return failedPrecondition("Precondition check failed.")
	case 401:
		return badCredentials()
	case 403:
		e := global(403, "PERMISSION_DENIED", "userRateLimitExceeded", "User Rate Limit Exceeded")
		e.entry.Domain = "usageLimits"
		return e
	case 404:
		return notFound()
	case 413:
		return tooLarge()
	case 429:
		return global(429, "RESOURCE_EXHAUSTED", "rateLimitExceeded", "Resource has been exhausted (e.g. check quota).")
	case 500:
		return global(500, "INTERNAL", "backendError", "Internal error encountered.")
	case 502:
		return global(502, "UNAVAILABLE", "backendError", "Backend Error")
	case 503:
		return global(503, "UNAVAILABLE", "backendError", "The service is currently unavailable.")
	case 504:
		return global(504, "DEADLINE_EXCEEDED", "backendError", "Backend Error")
	}
	return global(code, "UNKNOWN", "backendError", http.StatusText(code))
}
