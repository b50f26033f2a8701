package oauth

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/totalengage/webmail/policy"
)

// FlowLife is how long a person may take at the provider.
const FlowLife = 10 * time.Minute

// The kinds of flow. A reply to one kind is no reply to another.
const (
	flowSignIn  = "sign-in"
	flowConnect = "connect"
	flowStaff   = "staff"
	flowProof   = "proof"   // of an agreement
	flowStepUp  = "step-up" // the same person once more
)

// flow is what the server remembers of a redirect to a provider. It is sealed at rest.
type flow struct {
	Nonce    string
	Verifier string // PKCE
	Session  []byte `json:",omitempty"` // connect: hash of the session it was started in
	Consent  string `json:",omitempty"` // connect: id of the consent it starts from

	Agreement string                 `json:",omitempty"` // proof: id of the agreement
	Messages  []policy.AgreedMessage `json:",omitempty"` // proof: what was ticked
	For       string                 `json:",omitempty"` // step-up: what the person is about to do
}

// startFlow completes f with fresh secrets, remembers it for the browser and returns its state. A nonce that
// is set already stays: it binds the reply to more than this flow.
func (s *Store) startFlow(ctx context.Context, kind, browser string, f flow) (string, flow, error) {
	if browser == "" {
		return "", f, ErrFlow
	}
	state := newSecret()
	f.Nonce, f.Verifier = or(f.Nonce, newSecret()), oauth2.GenerateVerifier()
	plain, err := json.Marshal(f)
	if err != nil {
		return "", f, fmt.Errorf("oauth: encoding a flow: %w", err)
	}
	data, err := s.keys.seal(flowPlace(state), plain)
	if err != nil {
		return "", f, fmt.Errorf("oauth: sealing a flow: %w", err)
	}
	now := s.now()
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM flows WHERE expires < $1`, micros(now.Add(-FlowLife))); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO flows (state_hash, browser_hash, kind, data, expires) VALUES ($1, $2, $3, $4, $5)`,
			hashOf(state), hashOf(browser), kind, data, micros(now.Add(FlowLife)))
		return err
	})
	if err != nil {
		return "", f, fmt.Errorf("oauth: starting a flow: %w", err)
	}
	return state, f, nil
}

// reply is what a provider sent the browser back with.
type reply struct {
	flow flow
	code string
}

// finishFlow takes the reply of a provider. The flow is gone afterwards, whatever comes of it: a state
// works once. A reply that came in another browser than the flow's leaves the flow alone.
func (s *Store) finishFlow(ctx context.Context, kind, browser, issuer string, query url.Values) (reply, error) {
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(query[name]) > 1 {
			return reply{}, ErrFlow
		}
	}
	state := query.Get("state")
	var data []byte
	var expires int64
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `DELETE FROM flows WHERE state_hash = $1 AND browser_hash = $2 AND kind = $3 RETURNING data, expires`,
			hashOf(state), hashOf(browser), kind).Scan(&data, &expires)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return reply{}, ErrFlow
	}
	if err != nil {
		return reply{}, fmt.Errorf("oauth: finishing a flow: %w", err)
	}
	if !s.now().Before(time.UnixMicro(expires)) {
		return reply{}, ErrFlowExpired
	}
	plain, err := s.keys.unseal(flowPlace(state), data)
	if err != nil {
		return reply{}, err
	}
	r := reply{code: query.Get("code")}
	if err := json.Unmarshal(plain, &r.flow); err != nil {
		return reply{}, fmt.Errorf("oauth: decoding a flow: %w", err)
	}
	return r, r.check(issuer, query)
}

func (r reply) check(issuer string, query url.Values) error {
	switch iss := query.Get("iss"); {
	case query.Has("iss") && iss != issuer:
		return ErrIssuer
	case query.Get("error") == "access_denied":
		return ErrCancelled
	case query.Has("error"):
		return &ProviderError{Op: "authorize"}
	case r.code == "":
		return ErrFlow
	}
	return nil
}

func flowPlace(state string) string { return "flows.data " + hex.EncodeToString(hashOf(state)) }
