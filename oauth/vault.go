package oauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/totalengage/webmail/policy"
)

// Vault holds the permissions for mailboxes and gives out access tokens, each against a grant. It is safe
// for concurrent use.
type Vault struct {
	store    *Store
	gate     *policy.Gate
	provider *Provider
	flight   singleflight.Group
	tokens   *lru.Cache[policy.AccountID, accessToken] // memory only

	mu      sync.Mutex    // guards the registrations below
	purges  []PurgeFunc   // see OnPurge
	persons []PersonPurge // see OnPersonPurge
	replays []replay      // see OnReplay
}

// accessToken is valid for the connection that had this epoch, on any node: a later connect or disconnect
// raises it.
type accessToken struct {
	epoch   int64
	token   string
	expires time.Time
}

const (
	cachedTokens = 16384            // access tokens in memory, about 300 bytes each
	tokenSpare   = time.Minute      // a token is refreshed this long before it expires
	refreshLimit = 20 * time.Second // one refresh, shared by all who wait for it
)

// Vault returns the vault of the store's tokens. Only grants of this gate open it.
func (s *Store) Vault(gate *policy.Gate, google *Provider) *Vault {
	tokens, err := lru.New[policy.AccountID, accessToken](cachedTokens)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &Vault{store: s, gate: gate, provider: google, tokens: tokens}
}

// Token returns an access token for the grant's mailbox. It asks the gate itself whether the grant is its
// own, unexpired and of the current epoch; otherwise the error is *policy.NotCovered. When Google no longer
// accepts the permission it is ErrReconnect, and a *ProviderError when Google cannot be asked.
func (v *Vault) Token(ctx context.Context, grant *policy.Grant) (string, error) {
	if err := v.gate.Valid(ctx, grant); err != nil {
		return "", err
	}
	account := grant.Account()
	epoch, err := v.store.Epoch(ctx, account)
	if err != nil {
		return "", err
	}
	if t, ok := v.tokens.Get(account); ok && t.epoch == epoch && v.store.now().Before(t.expires.Add(-tokenSpare)) {
		return t.token, nil
	}
	token, err := v.await(ctx, account, epoch)
	if err != nil {
		return "", err
	}
	// Waiting took a round trip to Google: the mailbox may have been disconnected meanwhile.
	if err := v.gate.Valid(ctx, grant); err != nil {
		return "", err
	}
	return token, nil
}

// await joins the refresh that is under way for the account or starts one. The refresh itself outlives a
// caller who gives up: others wait for it too.
func (v *Vault) await(ctx context.Context, account policy.AccountID, epoch int64) (string, error) {
	key := string(account) + " " + strconv.FormatInt(epoch, 10)
	result := v.flight.DoChan(key, func() (any, error) {
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshLimit)
		defer cancel()
		return v.refresh(free, account, epoch)
	})
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-result:
		token, _ := r.Val.(string)
		return token, r.Err
	}
}

// refresh exchanges the stored permission for an access token. When Google rejects it, its owner has taken the
// access back there: the mailbox ends here as well.
func (v *Vault) refresh(ctx context.Context, account policy.AccountID, epoch int64) (string, error) {
	sealed, permission, err := v.permission(ctx, account)
	if err != nil {
		return "", err
	}
	token, err := v.provider.refresh(ctx, permission)
	var failure *ProviderError
	if errors.As(err, &failure) && failure.Code == "invalid_grant" {
		return "", errors.Join(ErrReconnect, v.rejected(ctx, account, sealed))
	}
	if err != nil {
		return "", err
	}
	if token.RefreshToken != "" && token.RefreshToken != permission {
		if err := v.replace(ctx, account, sealed, token.RefreshToken); err != nil {
			return "", err
		}
	}
	return token.AccessToken, v.keep(ctx, account, epoch, token)
}

// keep remembers an access token until a minute before it expires. A mailbox may have been closed while Google
// was asked. Closing raises the epoch and then removes the token, so one that is put here before that is
// removed there, and one that is put here after that is seen to be late and removed here.
func (v *Vault) keep(ctx context.Context, account policy.AccountID, epoch int64, token *oauth2.Token) error {
	life := time.Duration(token.ExpiresIn) * time.Second
	v.tokens.Add(account, accessToken{epoch, token.AccessToken, v.store.now().Add(life)})
	now, err := v.store.Epoch(ctx, account)
	if err == nil && now == epoch {
		return nil
	}
	v.tokens.Remove(account)
	if errors.Is(err, policy.ErrUnknown) {
		err = nil // the caller's grant is void, which it finds out itself
	}
	return err
}

// permission reads the account's refresh token, sealed and in the clear. Without one it is ErrReconnect.
func (v *Vault) permission(ctx context.Context, account policy.AccountID) (sealed []byte, plain string, err error) {
	var owner string
	var wrapped []byte
	err = v.store.db.Read().QueryRowContext(ctx, `
		SELECT t.refresh, a.person, k.wrapped FROM tokens t JOIN accounts a ON a.id = t.account JOIN data_keys k ON k.account = t.account
		WHERE t.account = $1`, string(account)).
		Scan(&sealed, &owner, &wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, "", ErrReconnect
	}
	if err != nil {
		return nil, "", fmt.Errorf("oauth: reading a token: %w", err)
	}
	key, err := v.store.unwrap(account, policy.PersonID(owner), wrapped)
	if err != nil {
		return nil, "", err
	}
	opened, err := unsealColumn(key, account, "tokens.refresh", sealed)
	return sealed, string(opened), err
}

// rejected ends a mailbox whose permission Google no longer accepts, unless its owner has connected it again in
// the meantime.
func (v *Vault) rejected(ctx context.Context, account policy.AccountID, sealed []byte) error {
	facts, err := v.store.Account(ctx, account)
	if err == nil {
		err = v.leave(ctx, departure{account: account, facts: facts, why: AccessWithdrawn, rejected: sealed})
	}
	if errors.Is(err, policy.ErrUnknown) {
		return nil
	}
	return err
}

// replace stores the refresh token that a provider gave in place of the old one. When the mailbox has gone in
// the meantime, the new one is given back like the old one was.
func (v *Vault) replace(ctx context.Context, account policy.AccountID, sealed []byte, permission string) error {
	fresh, err := v.store.Seal(ctx, account, "tokens.refresh", []byte(permission))
	if errors.Is(err, policy.ErrUnknown) {
		return v.giveBack(ctx, permission)
	}
	if err != nil {
		return err
	}
	var gone bool
	err = v.store.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE tokens SET refresh = $1, updated = $2 WHERE account = $3 AND refresh = $4`,
			fresh, micros(v.store.now()), string(account), sealed)
		if err != nil {
			return err
		}
		var connected int
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM accounts WHERE id = $1 AND state = 'connected'`, string(account)).Scan(&connected)
		gone = connected == 0
		return err
	})
	if err != nil {
		return fmt.Errorf("oauth: storing a replaced token: %w", err)
	}
	if gone {
		return v.giveBack(ctx, permission)
	}
	return nil
}

// Invalidate forgets an access token that Gmail answered with 401, so that the next use refreshes. A token
// that has been replaced meanwhile stays.
func (v *Vault) Invalidate(account policy.AccountID, token string) {
	if t, ok := v.tokens.Peek(account); ok && t.token == token {
		v.tokens.Remove(account)
	}
}
