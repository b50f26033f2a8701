package assess

import (
	"context"
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// Sections of a pack, to which collectors add.
const (
	Running   = "running"
	Decisions = "log"
	People    = "people"
	Consents  = "consents"
	Leaving   = "leaving"
	Incident  = "incident"
)

// Collector gathers what a room of the product knows and this package may not ask it: `cmd` registers them.
type Collector struct {
	Section string
	Item    Item // ID, title and origin, for when it fails
	Collect func(ctx context.Context) (Item, error)
}

// collected are the items of one section. A collector that fails is an item that was not run, for the rest still counts.
func collected(ctx context.Context, all []Collector, section string, at time.Time) (items []Item) {
	for _, c := range all {
		if c.Section != section {
			continue
		}
		item, err := c.Collect(ctx)
		if err != nil {
			item = c.Item
			item.Status, item.Says, item.At = NotRun, "It could not be read.", at
		}
		items = append(items, item)
	}
	return items
}

// Config is what a pack is assembled from.
type Config struct {
	Made       time.Time
	Name       string // of the log
	Log        *decisionlog.Log
	Index      func(body []byte) (decisionlog.Entry, error) // policy.Index
	Limit      int                                          // events counted, from the newest; 0 for all
	Surface    Surface
	Clauses    []limiteduse.Clause
	Collectors []Collector
	Source     Source
}

// allEvents is as good as no limit.
const allEvents = 1 << 40

// Assemble gathers the pack. Beside it are the checkpoint that its proofs are made under and the tree that it signs.
func Assemble(ctx context.Context, c Config) (*Pack, []byte, tlog.Tree, error) {
	p := &Pack{Made: c.Made, Log: c.Name}
	verification, report, err := verified(ctx, c.Log, c.Index, c.Name, c.Made)
	if err != nil {
		return nil, nil, tlog.Tree{}, err
	}
	if report.Tree.N == 0 {
		return nil, nil, tlog.Tree{}, errors.New("assess: the log is empty, or its checkpoint is not signed by its key: there is nothing to show")
	}
	limit := c.Limit
	if limit == 0 {
		limit = allEvents
	}
	r, err := readRecord(ctx, c.Log, report.Tree.N, limit)
	if err != nil {
		return nil, nil, tlog.Tree{}, err
	}
	if starts := r.latest["system.started"]; len(starts) > 0 {
		c.Surface.Destinations = origins(starts[0])
	}
	p.Sections, err = c.recorded(ctx, p, r, verification)
	if err != nil {
		return nil, nil, tlog.Tree{}, err
	}
	if verification.Status == Passed { // of a damaged log nothing is proven
		sample, err := r.sampled(ctx, p, c.Log, report.Tree, report.Checkpoint, c.Name, c.Made)
		if err != nil {
			return nil, nil, tlog.Tree{}, err
		}
		p.Sections[1].Items = append(p.Sections[1].Items, sample)
	}
	if err := c.Source.compose(p, c.Surface, c.Clauses); err != nil {
		return nil, nil, tlog.Tree{}, err
	}
	return p, report.Checkpoint, report.Tree, nil
}

// recorded are the sections about the running system, joined with the records of the run's drills and walks.
func (c Config) recorded(ctx context.Context, p *Pack, r *record, verification Item) ([]Section, error) {
	sections := c.live(ctx, r)
	sections[0].Items = append([]Item{verification}, sections[0].Items...)
	sections = append(sections, Section{ID: Incident, Title: "Incident drill", About: "What is done when somebody may have seen mail who must not, rehearsed."})
	for n := range sections {
		records, err := c.Source.records(p, sections[n].ID)
		if err != nil {
			return nil, err
		}
		sections[n].Items = append(sections[n].Items, records...)
	}
	return sections, nil
}

// live are the sections that a running system shows.
func (c Config) live(ctx context.Context, r *record) []Section {
	at := c.Made
	sections := []Section{
		{ID: Running, Title: "What runs", About: "What the program says of itself, and whether its log holds.", Items: []Item{r.runs(c.Name, at), r.policies(c.Name, at)}},
		{ID: Decisions, Title: "Decisions", About: "What was allowed and refused, and on which basis. Mailboxes, messages and people are pseudonyms.", Items: []Item{r.decisions(c.Name, at)}},
		{ID: People, Title: "Human access", About: "No human but the owner sees a message without the owner's agreement to that message.", Items: []Item{r.humans(c.Name, at)}},
		{ID: Consents, Title: "Consents", About: "What owners were told, and what they agreed to.", Items: []Item{
			r.eventCounts("consents", "Consents given and taken back", "A consent names the version of the text and its hash.", c.Name, at, "consent.given", "account.connected", "permission.given", "permission.withdrawn", "service.connected", "service.disconnected"),
		}},
		{ID: Leaving, Title: "Leaving and retention", About: "What is deleted when an owner leaves, and what has had its time.", Items: []Item{
			r.eventCounts("deletions", "Deletions", "Disconnecting and deleting are done again after a restored copy.", c.Name, at, "account.disconnected", "account.erased", "person.deleted", "token.revoked", "deletions.replayed"),
			r.eventCounts("rights", "Requests about personal data", "A request is answered within thirty days.", c.Name, at, "rights.requested", "rights.answered", "rights.refused", "rights.alarm", "rights.breach"),
			r.retentions(c.Name, at),
		}},
	}
	for n := range sections {
		sections[n].Items = append(sections[n].Items, collected(ctx, c.Collectors, sections[n].ID, at)...)
	}
	return sections
}

// Live is what a reviewer sees in a running system: no more than limit events of its log are read, and nothing is proven.
func Live(ctx context.Context, c Config) ([]Section, int, error) {
	r, err := readRecord(ctx, c.Log, 0, c.Limit-len(always))
	if err != nil {
		return nil, 0, err
	}
	if err := r.fetch(ctx, c.Log); err != nil {
		return nil, 0, err
	}
	if starts := r.latest["system.started"]; len(starts) > 0 {
		c.Surface.Destinations = origins(starts[0])
	}
	sections := append(c.live(ctx, r), c.Surface.sections(c.Made)...)
	return append(sections, Section{
		ID: "rulebook", Title: "Clauses and rules", About: "Each clause of the promise and of Google's policies, and the rule that keeps it. How their tests ended stands in the evidence pack.",
		Items: []Item{declared(c.Clauses, c.Made), rulesItem(c.Clauses, limiteduse.Modules(), c.Made)},
	}), r.read + r.fetched, nil
}

// declared lists the clauses without test results, which a running system does not have.
func declared(clauses []limiteduse.Clause, at time.Time) Item {
	i := clausesItem(clauses, nil, at)
	i.Status, i.From, i.Details = Shown, "policy/limiteduse/clauses.json", nil
	i.Says = "What the program was built with. A running program cannot run its tests."
	i.Columns = []string{"Clause", "What it asks, in our words", "Source", "Kept by", "Left to people"}
	for n, row := range i.Rows {
		i.Rows[n] = []string{row[0], row[2], row[3], row[4], row[6]}
	}
	return i
}
