package policy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// Journal is a set of lifecycle events of the log, to be asked whether one of them was about a given mailbox or
// person. The log names both by pseudonyms, which only someone who has the row can compute: a row that a
// restored copy brought back is thereby recognised (I9).
type Journal struct {
	gate     *Gate
	accounts map[string]bool
	actors   map[string]bool
	details  map[string][]string
}

// Journal reads the lifecycle events with the given names from since on. It costs a pass over the events since then.
func (g *Gate) Journal(ctx context.Context, since time.Time, events ...string) (*Journal, error) {
	j := &Journal{gate: g, accounts: map[string]bool{}, actors: map[string]bool{}, details: map[string][]string{}}
	for _, event := range events {
		f := decisionlog.Filter{Kind: decisionlog.Lifecycle, Operation: event, Since: since, Limit: decisionlog.MaxPage}
		for {
			page, err := g.log.Query(ctx, f)
			if err != nil {
				return nil, fmt.Errorf("policy: reading the journal: %w", err)
			}
			for _, r := range page.Records {
				switch {
				case r.Account != "":
					j.accounts[r.Account] = true
				case r.Actor != "":
					j.actors[r.Actor] = true
				}
				if err := j.read(r.Body); err != nil {
					return nil, err
				}
			}
			if page.Next == 0 {
				break
			}
			f.Before = page.Next
		}
	}
	return j, nil
}

func (j *Journal) read(body []byte) error {
	var ev lifecycleEvent
	if err := decodeStrict(body, &ev); err != nil {
		return err
	}
	for name, value := range ev.Details {
		j.details[name] = append(j.details[name], strings.Fields(value)...)
	}
	return nil
}

// Details lists what the events say under a name, word by word.
func (j *Journal) Details(name string) []string { return j.details[name] }

// Account tells whether one of the events was about a mailbox with this log key.
func (j *Journal) Account(id AccountID, logKey []byte) bool {
	return len(logKey) >= minLogKey && j.accounts[pseudonyms{account: logKey}.mailbox(id)]
}

// Person tells whether one of the events was a person's own, about no mailbox.
func (j *Journal) Person(kind ActorKind, id PersonID) bool {
	return id != "" && j.actors[pseudonyms{deployment: j.gate.key}.person(kind, id)]
}

// Empty tells whether there was no such event.
func (j *Journal) Empty() bool { return len(j.accounts)+len(j.actors) == 0 }
