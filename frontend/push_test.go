package frontend_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/frontend"
	"github.com/totalengage/webmail/policy"
)

// pushDesk knows one mailbox, and one token.
type pushDesk struct {
	issued time.Time
	down   bool
	woken  []policy.AccountID
}

func (d *pushDesk) AccountByEmail(_ context.Context, email string) (policy.AccountID, error) {
	switch {
	case d.down:
		return "", errors.New("the database is away")
	case email != "ann@example.com":
		return "", policy.ErrUnknown
	}
	return "ann", nil
}

func (*pushDesk) Identity(context.Context, policy.AccountID) (name, email string, err error) {
	return "", "", policy.ErrUnknown
}

func (d *pushDesk) VerifyPush(_ context.Context, token string) (time.Time, error) {
	if token != "good" {
		return time.Time{}, errors.New("forged")
	}
	return d.issued, nil
}

func push(data, id string, published time.Time) string {
	return fmt.Sprintf(`{"message":{"data":%q,"messageId":%q,"publishTime":%q},"subscription":"projects/p/subscriptions/s"}`,
		base64.StdEncoding.EncodeToString([]byte(data)), id, published.UTC().Format(time.RFC3339Nano))
}

// TestPushes: who may post (7.2.1), what is ignored as a replay (7.2.3), and both forms of the history id.
func TestPushes(t *testing.T) {
	const number, text = `{"emailAddress":"ann@example.com","historyId":9876543210}`, `{"emailAddress":"ann@example.com","historyId":"9876543210"}`
	now := time.Now()
	for _, c := range []struct {
		name, authorization, body string
		issued                    time.Time
		down                      bool
		status, woken             int
	}{
		{"a number", "Bearer good", push(number, "1", now), now, false, 204, 1},
		{"a string", "Bearer good", push(text, "2", now), now, false, 204, 1},
		{"no token", "", push(number, "3", now), now, false, 401, 0},
		{"another scheme", "Basic good", push(number, "4", now), now, false, 401, 0},
		{"a bad token", "Bearer bad", push(number, "5", now), now, false, 401, 0},
		{"an old token", "Bearer good", push(number, "6", now), now.Add(-2 * time.Hour), false, 401, 0},
		{"a token of the future", "Bearer good", push(number, "7", now), now.Add(time.Hour), false, 401, 0},
		{"an old notification", "Bearer good", push(number, "8", now.Add(-6*time.Minute)), now, false, 204, 0},
		{"one that was sent", "Bearer good", push(number, "1", now), now, false, 204, 0},
		{"a mailbox that left", "Bearer good", push(strings.Replace(number, "ann", "bob", 1), "9", now), now, false, 204, 0},
		{"not Gmail's", "Bearer good", push(`{"hello":1}`, "10", now), now, false, 204, 0},
		{"no history id", "Bearer good", push(`{"emailAddress":"ann@example.com"}`, "11", now), now, false, 204, 0},
		{"not JSON", "Bearer good", "canary", now, false, 204, 0},
		{"too large", "Bearer good", push(number+strings.Repeat(" ", 20_000), "12", now), now, false, 204, 0},
		{"while the database is away", "Bearer good", push(number, "13", now), now, true, 503, 0},
		{"the same again, later", "Bearer good", push(number, "13", now), now, false, 204, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			desk.issued, desk.down, desk.woken = c.issued, c.down, nil
			r := httptest.NewRequest(http.MethodPost, frontend.PushPath, strings.NewReader(c.body))
			if c.authorization != "" {
				r.Header.Set("Authorization", c.authorization)
			}
			w := httptest.NewRecorder()
			pushHandler.ServeHTTP(w, r)
			if w.Code != c.status || len(desk.woken) != c.woken || c.woken > 0 && !slices.Equal(desk.woken, []policy.AccountID{"ann"}) {
				t.Errorf("got %d, woken %v; want %d, %d", w.Code, desk.woken, c.status, c.woken)
			}
			if w.Body.Len() != 0 {
				t.Errorf("the answer says %q, want nothing", w.Body)
			}
		})
	}
}

// One handler for all: what was sent is remembered between requests.
var (
	desk        = &pushDesk{}
	pushHandler = frontend.PushHandler(desk, func(a policy.AccountID) { desk.woken = append(desk.woken, a) }, desk)
)
