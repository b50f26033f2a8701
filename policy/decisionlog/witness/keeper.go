package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// KeeperConfig is what a Keeper is made of.
type KeeperConfig struct {
	Log      *decisionlog.Log
	URL      string // of the witness, without /add-checkpoint
	Verifier note.Verifier
	Client   *http.Client  // the way out
	Every    time.Duration // how often to look whether the log has grown; 15 s if zero
	Limit    time.Duration // how long growth may go without a cosignature; 10 min if zero
}

// Keeper has the log cosigned. It is safe for concurrent use; several nodes may run one each.
type Keeper struct {
	c KeeperConfig

	mu       sync.Mutex
	signed   int64     // size of the last tree that the witness has signed
	covers   time.Time // everything up to this time is in it
	overdue  time.Time // when the log was first seen to be ahead of it; zero if it is not
	rejected error     // the witness has seen another history of this log: nothing mends that here
	failure  error     // of the last attempt
}

// Overdue is the error while the log has grown for too long without its witness, or while the witness refuses it.
type Overdue struct {
	Since time.Time
	Err   error // of the last attempt
}

func (e *Overdue) Error() string {
	return fmt.Sprintf("the log has had no cosignature since %s: %v", e.Since.UTC().Format(time.RFC3339), e.Err)
}

func (e *Overdue) Unwrap() error { return e.Err }

// NewKeeper makes a keeper. Until the first cosignature the log counts as uncosigned since now.
func NewKeeper(c KeeperConfig) (*Keeper, error) {
	if c.Log == nil || c.Verifier == nil || c.Client == nil || c.URL == "" {
		return nil, errors.New("witness: a keeper needs a log, a witness's address and key, and a client")
	}
	if c.Every <= 0 {
		c.Every = 15 * time.Second
	}
	if c.Limit <= 0 {
		c.Limit = 10 * time.Minute
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	return &Keeper{c: c, overdue: c.Log.Now()}, nil
}

// Run keeps the log cosigned until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	tick := time.NewTicker(k.c.Every)
	defer tick.Stop()
	for {
		_ = k.Cosign(ctx) // Fresh tells
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Fresh returns nil while the log may grow, or *Overdue.
func (k *Keeper) Fresh() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rejected != nil {
		return &Overdue{Since: k.overdue, Err: k.rejected}
	}
	if !k.overdue.IsZero() && k.c.Log.Now().Sub(k.overdue) > k.c.Limit {
		return &Overdue{Since: k.overdue, Err: k.failure}
	}
	return nil
}

// Covers tells whether the witness has signed for everything that was in the log at a time.
func (k *Keeper) Covers(at time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.rejected == nil && !k.covers.Before(at)
}

// Cosign has the log's present checkpoint cosigned, if it has grown, and keeps the result in the log's database.
// It fails with *decisionlog.RolledBack or *decisionlog.Forked when the witness knows another history.
func (k *Keeper) Cosign(ctx context.Context) error {
	err := k.cosign(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failure = err
	var (
		rolledBack *decisionlog.RolledBack
		forked     *decisionlog.Forked
	)
	if errors.As(err, &rolledBack) || errors.As(err, &forked) {
		k.rejected = err
	}
	return err
}

func (k *Keeper) cosign(ctx context.Context) error {
	now := k.c.Log.Now() // before the checkpoint is read: what was in the log then is in the checkpoint
	checkpoint, tree, err := k.c.Log.Checkpoint(ctx)
	if err != nil {
		return err
	}
	k.mu.Lock()
	old, current := k.signed, k.signed == tree.N && !k.covers.IsZero()
	switch {
	case current:
		k.covers = now
	case k.overdue.IsZero():
		k.overdue = now
	}
	k.mu.Unlock()
	if current {
		return nil
	}
	for range 3 { // another node may be faster, and a fresh keeper does not know where the witness stands
		line, err := k.ask(ctx, old, checkpoint, tree)
		var elsewhere *otherSize
		switch {
		case errors.As(err, &elsewhere) && elsewhere.size > tree.N:
			// Either another node's newer checkpoint was faster, or this log has lost events.
			if checkpoint, tree, err = k.c.Log.Checkpoint(ctx); err != nil {
				return err
			}
			if elsewhere.size > tree.N {
				return &decisionlog.RolledBack{Have: tree.N, Known: elsewhere.size}
			}
			old = elsewhere.size
		case errors.As(err, &elsewhere):
			if elsewhere.size == old {
				return &decisionlog.Forked{Size: old}
			}
			old = elsewhere.size
		case err != nil:
			return err
		default:
			return k.accept(ctx, checkpoint, line, tree, now)
		}
	}
	return errors.New("witness: other nodes were faster each time; the next attempt will tell")
}

// accept notes a cosignature.
func (k *Keeper) accept(ctx context.Context, checkpoint, line []byte, tree tlog.Tree, covers time.Time) error {
	if err := k.c.Log.KeepCosigned(ctx, append(bytes.Clone(checkpoint), line...), tree); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.signed, k.covers, k.overdue = tree.N, covers, time.Time{}
	return nil
}

// otherSize is the witness's answer that it signed a tree of another size last.
type otherSize struct{ size int64 }

func (e *otherSize) Error() string { return fmt.Sprintf("the witness signed %d events last", e.size) }

// ask sends one request and checks the cosignature that comes back.
func (k *Keeper) ask(ctx context.Context, old int64, checkpoint []byte, tree tlog.Tree) (line []byte, err error) {
	body := addCheckpoint{old: old, checkpoint: checkpoint}
	if old > 0 && old < tree.N {
		if body.proof, err = tlog.ProveTree(tree.N, old, k.c.Log.Hashes(ctx)); err != nil {
			return nil, fmt.Errorf("witness: proving that the log continues: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, k.c.URL+"/add-checkpoint", bytes.NewReader(body.marshal()))
	if err != nil {
		return nil, errors.New("witness: its address is not a URL")
	}
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	answer, err := k.c.Client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("witness: it does not answer: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxRequest))
	if err != nil {
		return nil, fmt.Errorf("witness: its answer was cut off: %w", err)
	}
	switch answer.StatusCode {
	case http.StatusOK:
		return k.check(checkpoint, text)
	case http.StatusConflict:
		size, err := parseSize(strings.TrimSuffix(string(text), "\n"))
		if err != nil {
			return nil, errors.New("witness: it names no size in its conflict")
		}
		return nil, &otherSize{size}
	case http.StatusUnprocessableEntity:
		return nil, &decisionlog.Forked{Size: old}
	}
	return nil, fmt.Errorf("witness: it answers %d; is this log registered there?", answer.StatusCode)
}

// check finds the witness's signature among those that came back. Others, and a signature over something else,
// count for nothing.
func (k *Keeper) check(checkpoint, lines []byte) (line []byte, err error) {
	signed, err := note.Open([]byte(textOf(checkpoint)+"\n"+string(lines)), note.VerifierList(k.c.Verifier))
	if err != nil {
		return nil, errors.New("witness: its answer is not signed with its key")
	}
	return fmt.Appendf(nil, "— %s %s\n", signed.Sigs[0].Name, signed.Sigs[0].Base64), nil
}
