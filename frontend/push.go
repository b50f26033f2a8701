package frontend

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

	"github.com/totalengage/webmail/policy"
)

// PushPath is where Pub/Sub posts Gmail's notifications, when a topic is configured.
const PushPath = "/push/gmail"

// PushVerifier knows who may post notifications.
type PushVerifier interface {
	// VerifyPush checks the caller's OIDC token and returns when it was issued.
	VerifyPush(ctx context.Context, token string) (issued time.Time, err error)
}

const (
	// pushWindow is how old a token or a notification may be: what is older is a replay, or of no use any more, for
	// open pages ask by themselves within minutes.
	pushWindow    = 5 * time.Minute
	pushBody      = 16 << 10
	pushesHeld    = 1 << 16 // message ids remembered
	pushClockSkew = time.Minute
)

// pushes receives Gmail's notifications. The token authenticates the caller, not the body; the body can do no more
// than name a mailbox that is looked at once.
type pushes struct {
	find     Mailboxes
	wake     func(policy.AccountID)
	verifier PushVerifier
	seen     *expirable.LRU[string, struct{}]
}

func newPushes(find Mailboxes, wake func(policy.AccountID), v PushVerifier) *pushes {
	return &pushes{find: find, wake: wake, verifier: v, seen: expirable.NewLRU[string, struct{}](pushesHeld, nil, 2*pushWindow)}
}

// ServeHTTP answers 401 to whoever is not Pub/Sub. Everything else is acknowledged, useful or not: what is refused
// comes again.
func (p *pushes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	note(r, PushPath)
	now := time.Now()
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	issued, err := p.verifier.VerifyPush(r.Context(), token)
	if err != nil || !recent(issued, now, time.Hour) { // Pub/Sub uses a token for up to an hour
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, pushBody))
	if err == nil {
		err = p.take(r.Context(), body, now)
	}
	var closed errUnavailable
	if errors.As(err, &closed) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// errUnavailable: it could not be looked up; it is to come again.
type errUnavailable struct{ error }

func recent(t, now time.Time, window time.Duration) bool {
	return now.Sub(t) <= window && t.Sub(now) <= pushClockSkew
}

// notification is the envelope that Pub/Sub posts.
type notification struct {
	Message struct {
		Data        string    `json:"data"`
		MessageID   string    `json:"messageId"`
		PublishTime time.Time `json:"publishTime"`
	} `json:"message"`
}

var errNotification = errors.New("not a notification of Gmail's")

// take reads a notification and wakes the mailbox's page. Its history id is not used: the history is read from where
// the page stands.
func (p *pushes) take(ctx context.Context, body []byte, now time.Time) error {
	email, id, published, err := parsePush(body)
	if err != nil || !recent(published, now, pushWindow) || p.seen.Contains(id) {
		return err
	}
	account, err := p.find.AccountByEmail(ctx, email)
	if errors.Is(err, policy.ErrUnknown) {
		return nil // it left
	}
	if err != nil {
		return errUnavailable{err}
	}
	p.seen.Add(id, struct{}{})
	p.wake(account)
	return nil
}

// parsePush reads both forms of historyId: live notifications carry a number, Google's documentation a string.
func parsePush(body []byte) (email, id string, published time.Time, err error) {
	var n notification
	if json.Unmarshal(body, &n) != nil || n.Message.MessageID == "" || len(n.Message.MessageID) > 64 {
		return "", "", published, errNotification
	}
	data, err := base64.StdEncoding.DecodeString(n.Message.Data)
	if err != nil {
		data, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(n.Message.Data, "="))
	}
	var change struct {
		EmailAddress string          `json:"emailAddress"`
		HistoryID    json.RawMessage `json:"historyId"`
	}
	if err != nil || json.Unmarshal(data, &change) != nil || change.EmailAddress == "" {
		return "", "", published, errNotification
	}
	if _, err := strconv.ParseUint(strings.Trim(string(change.HistoryID), `"`), 10, 64); err != nil {
		return "", "", published, errNotification
	}
	return change.EmailAddress, n.Message.MessageID, n.Message.PublishTime, nil
}
