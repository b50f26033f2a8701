package aggregate

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/decisionlog"
)

// minAge is how long a mailbox must have been connected, so that nobody fills a cell up with new ones.
const minAge = 30 * 24 * time.Hour

// tally holds the true number of owners in each cell. It has no exported parts and no way out but anonymize.
type tally struct{ owners map[cell]int64 }

// add counts one owner, who is in the given cells. What exceeds the bounds of the catalogue is left out, for
// the noise is made for these bounds.
func (t tally) add(cells []cell) {
	for _, q := range catalogue {
		left, seen := q.most, map[string]bool{}
		for _, c := range cells {
			if c.question != q.id || left == 0 || seen[c.answer] || !slices.Contains(q.cells, c.answer) {
				continue
			}
			t.owners[c]++
			seen[c.answer] = true
			left--
		}
	}
}

// use is what one owner did in a month, as far as there is a question about it.
type use struct {
	days     uint32 // bit per day of the month
	features map[string]bool
	troubles map[string]bool
}

func (u use) cells() []cell {
	var cells []cell
	if u.days != 0 {
		cells = append(cells, cell{"days", daysCell(bits.OnesCount32(u.days))})
	}
	for answer := range u.features {
		cells = append(cells, cell{"features", answer})
	}
	for _, answer := range trouble {
		if u.troubles[answer] {
			return append(cells, cell{"trouble", answer})
		}
	}
	return cells
}

// count counts the owners of every cell for a month.
func (s *Service) count(ctx context.Context, m Month) (tally, error) {
	mailboxes, err := s.Mailboxes(ctx)
	if err != nil {
		return tally{}, fmt.Errorf("aggregate: listing mailboxes: %w", err)
	}
	failed, err := s.failed(ctx, m)
	if err != nil {
		return tally{}, err
	}
	owners := map[policy.PersonID]*use{}
	for _, box := range mailboxes {
		facts, err := s.Facts.Account(ctx, box.ID)
		if errors.Is(err, policy.ErrUnknown) {
			continue // disconnected meanwhile
		}
		if err != nil {
			return tally{}, fmt.Errorf("aggregate: reading a mailbox: %w", err)
		}
		if !s.eligible(facts, box.Connected, s.Log.Now()) {
			continue
		}
		u := owners[facts.Owner]
		if u == nil {
			u = &use{features: map[string]bool{}, troubles: map[string]bool{}}
			owners[facts.Owner] = u
		}
		if err := s.follow(ctx, m, policy.MailboxPseudonym(facts.LogKey, box.ID), failed, u); err != nil {
			return tally{}, err
		}
	}
	t := tally{owners: map[cell]int64{}}
	for _, u := range owners {
		t.add(u.cells())
	}
	return t, nil
}

// eligible says whether a mailbox counts: connected for long enough, and its owner's consent covers releases now
// (the rules that the policy has for accesses to a mailbox: CHG-1, CHG-2, DISC-2).
func (s *Service) eligible(f policy.AccountFacts, connected, now time.Time) bool {
	switch {
	case f.State != "connected", now.Sub(connected) < minAge:
		return false
	case f.Consent.Version < s.disclosure, f.Consent.Given.After(now):
		return false
	case f.Consent.First >= s.disclosure:
		return true
	}
	return !f.Consent.Notified.IsZero() && !now.Before(f.Consent.Notified.Add(s.notice))
}

// follow reads the decisions about one mailbox back to the beginning of the month. It asks by account and
// index, which the log has an index for, and bounds the time itself. Clocks of nodes differ by at most
// settle, so it looks that much further back.
func (s *Service) follow(ctx context.Context, m Month, account string, failed map[int64]bool, u *use) error {
	f := decisionlog.Filter{Account: account, Kind: decisionlog.Decision, ActorKind: string(policy.Owner), Limit: decisionlog.MaxPage}
	for {
		page, err := s.Log.Query(ctx, f)
		if err != nil {
			return fmt.Errorf("aggregate: reading the log: %w", err)
		}
		for _, r := range page.Records {
			if r.At.Before(m.Start().Add(-settle)) {
				return nil
			}
			if !r.At.Before(m.Start()) && r.At.Before(m.End()) {
				u.note(r, failed[r.Index])
			}
		}
		if page.Next == 0 {
			return nil
		}
		f.Before = page.Next
	}
}

// note adds one decision to what is known of its owner's month.
func (u *use) note(r decisionlog.Record, failed bool) {
	if !r.Allowed {
		for _, clause := range r.Clauses {
			answer, ok := clauseCells[clause]
			if !ok {
				answer = "refused"
			}
			u.troubles[answer] = true
		}
		return
	}
	if failed {
		u.troubles["failed"] = true
	}
	if background[r.Feature] {
		return
	}
	u.days |= 1 << (r.At.UTC().Day() - 1)
	if answer, ok := featureCells[r.Feature]; ok {
		u.features[answer] = true
	}
}

// failed returns the decisions whose outcome of the month was a failure.
func (s *Service) failed(ctx context.Context, m Month) (map[int64]bool, error) {
	failed := map[int64]bool{}
	f := decisionlog.Filter{
		Kind: decisionlog.Outcome, Outcome: string(policy.Failed), Since: m.Start(), Until: m.End().Add(settle), Limit: decisionlog.MaxPage,
	}
	for {
		page, err := s.Log.Query(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("aggregate: reading the log: %w", err)
		}
		for _, r := range page.Records {
			failed[r.Ref] = true
		}
		if page.Next == 0 {
			return failed, nil
		}
		f.Before = page.Next
	}
}
