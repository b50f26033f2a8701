package assess

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/totalengage/webmail/policy/decisionlog"
)

// Reader is what is read of a decision log. A [decisionlog.Log] is one, of a running server or opened read-only.
type Reader interface {
	Query(ctx context.Context, f decisionlog.Filter) (decisionlog.Page, error)
	Hashes(ctx context.Context) tlog.HashReader
}

// record is what one pass over the log, newest event first, found.
type record struct {
	read    int       // events, one after the other from the newest
	fetched int       // events read beside them
	whole   bool      // the pass reached the oldest event that is kept
	newest  time.Time // of the events
	oldest  time.Time
	allowed map[[2]string]int // by feature and basis
	refused map[string]int    // by clause
	sample  map[string]decisionlog.Record
	ended   map[string]int // outcomes by status
	events  map[string]int // lifecycle events by name
	latest  map[string][]happening
	looked  [2]int // views by staff that were refused, and allowed
}

// happening is a lifecycle event.
type happening struct {
	Index     int64             `json:"-"`
	Event     string            `json:"event"`
	Timestamp time.Time         `json:"timestamp"`
	Details   map[string]string `json:"details"`
}

// latestKept is how many events of each name a record keeps.
const latestKept = 20

// staffViews is the feature by which staff see a message.
const staffViews = "agreed_view"

// readRecord reads at most limit events before the given index (0 for all of them), newest first.
func readRecord(ctx context.Context, log Reader, before int64, limit int) (*record, error) {
	r := &record{allowed: map[[2]string]int{}, refused: map[string]int{}, sample: map[string]decisionlog.Record{}, ended: map[string]int{}, events: map[string]int{}, latest: map[string][]happening{}}
	f := decisionlog.Filter{Before: before}
	for r.read < limit {
		f.Limit = min(limit-r.read, decisionlog.MaxPage)
		page, err := log.Query(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("assess: reading the log: %w", err)
		}
		for _, e := range page.Records {
			r.add(e)
		}
		if page.Next == 0 || len(page.Records) == 0 {
			r.whole = true
			break
		}
		f.Before = page.Next
	}
	return r, nil
}

// always are the events of which the newest is shown however long ago it was.
var always = []string{"system.started", "retention.run"}

// fetch reads the newest of those that should always be there and are not among the events that were read.
func (r *record) fetch(ctx context.Context, log Reader) error {
	for _, event := range always {
		if len(r.latest[event]) > 0 {
			continue
		}
		page, err := log.Query(ctx, decisionlog.Filter{Kind: decisionlog.Lifecycle, Operation: event, Limit: 1})
		if err != nil {
			return fmt.Errorf("assess: reading the log: %w", err)
		}
		for _, e := range page.Records {
			h := happening{Index: e.Index}
			if json.Unmarshal(e.Body, &h) == nil {
				r.latest[event] = append(r.latest[event], h)
			}
			r.fetched++
		}
	}
	return nil
}

func (r *record) add(e decisionlog.Record) {
	if r.read == 0 {
		r.newest = e.At
	}
	r.oldest = e.At
	r.read++
	switch e.Kind {
	case decisionlog.Outcome:
		r.ended[e.Outcome]++
	case decisionlog.Lifecycle:
		r.events[e.Operation]++
		if len(r.latest[e.Operation]) < latestKept {
			h := happening{Index: e.Index}
			if json.Unmarshal(e.Body, &h) == nil {
				r.latest[e.Operation] = append(r.latest[e.Operation], h)
			}
		}
	case decisionlog.Decision:
		r.decided(e)
	}
}

func (r *record) decided(e decisionlog.Record) {
	key := e.Feature + " refused"
	if e.Allowed {
		key = e.Feature + " " + e.Basis
		r.allowed[[2]string{e.Feature, e.Basis}]++
	} else {
		key += " " + strings.Join(e.Clauses, " ")
		for _, clause := range e.Clauses {
			r.refused[clause]++
		}
	}
	if _, have := r.sample[key]; !have && len(e.Body) > 0 {
		r.sample[key] = e
	}
	if e.Feature == staffViews {
		if e.Allowed {
			r.looked[1]++
		} else {
			r.looked[0]++
		}
	}
}

// covers says which events the record is about.
func (r *record) covers() string {
	if r.read == 0 {
		return "The log holds no event."
	}
	which := fmt.Sprintf("the newest %d events", r.read)
	if r.whole {
		which = fmt.Sprintf("all %d events", r.read)
	}
	return fmt.Sprintf("Of %s, %s to %s.", which, r.oldest.UTC().Format(time.RFC3339), r.newest.UTC().Format(time.RFC3339))
}

// logSource is where the items of the record come from.
func logSource(name string) string { return "the decision log " + name }

// runs shows what ran: the last start, and those before it.
func (r *record) runs(name string, at time.Time) Item {
	i := Item{ID: "runs", Title: "Starts of the program", From: "system.started in " + logSource(name), At: at, Columns: []string{"Started", "Leaf", "What", "Value"}}
	starts := r.latest["system.started"]
	if len(starts) == 0 {
		i.Status, i.Says = NotRun, "No start is in these events. "+r.covers()
		return i
	}
	for _, s := range starts[:min(len(starts), 5)] {
		for _, key := range slices.Sorted(maps.Keys(s.Details)) {
			i.Rows = append(i.Rows, []string{s.Timestamp.UTC().Format(time.RFC3339), fmt.Sprint(s.Index), key, s.Details[key]})
		}
	}
	last := starts[0].Details
	i.Status, i.Says = Shown, "The program says of itself at each start what it is, which policy and which destinations it has. A dishonest program could say anything: compare its hash with one built from the source."
	if weak := last["weaknesses"]; weak != "" {
		i.Status, i.Says = Human, "The last start accepted these weaknesses by name: "+weak+". Whether that is right for this deployment is for a reviewer to say. "+i.Says
	}
	return i
}

// policies shows which policy was put in force when.
func (r *record) policies(name string, at time.Time) Item {
	i := Item{ID: "policies", Title: "Policies in force", From: "policy.activated and policy.rejected in " + logSource(name), At: at, Status: Shown, Columns: []string{"Time", "Leaf", "Event", "Details"}}
	for _, event := range []string{"policy.activated", "policy.rejected"} {
		for _, h := range r.latest[event] {
			i.Rows = append(i.Rows, h.row(event))
		}
	}
	i.Says = fmt.Sprintf("%d bundles were put in force and %d were refused. Without one the rules in the program hold; their revision is in each start.", r.events["policy.activated"], r.events["policy.rejected"])
	return i
}

func (h happening) row(event string) []string {
	var details []string
	for _, key := range slices.Sorted(maps.Keys(h.Details)) {
		details = append(details, key+" "+h.Details[key])
	}
	return []string{h.Timestamp.UTC().Format(time.RFC3339), fmt.Sprint(h.Index), event, strings.Join(details, ", ")}
}

// decisions counts what was allowed and refused.
func (r *record) decisions(name string, at time.Time) Item {
	i := Item{ID: "decisions", Title: "Decisions by basis and clause", From: logSource(name), At: at, Status: Shown, Columns: []string{"Answer", "Feature", "Basis or clause", "How often"}}
	total := 0
	keys := slices.SortedFunc(maps.Keys(r.allowed), func(a, b [2]string) int {
		return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1]))
	})
	for _, key := range keys {
		total += r.allowed[key]
		i.Rows = append(i.Rows, []string{"allowed", key[0], key[1], fmt.Sprint(r.allowed[key])})
	}
	for _, clause := range slices.Sorted(maps.Keys(r.refused)) {
		i.Rows = append(i.Rows, []string{"refused", "", clause, fmt.Sprint(r.refused[clause])})
	}
	i.Says = fmt.Sprintf("%d were allowed; a refusal may name several clauses. Of what was allowed %d ended well, %d failed, and of %d it is not known because of a crash. %s", total, r.ended["done"], r.ended["failed"], r.ended["unknown"], r.covers())
	return i
}

// accessSteps are the steps of human access, as the log names them, in the order in which they come.
var accessSteps = []struct{ event, words string }{
	{"access.offered", "offered by an owner"}, {"access.asked", "asked for by staff"}, {"access.taken", "an offer taken up by staff"},
	{"access.approved", "let through by a second member of staff"}, {"access.declined", "declined by a second member of staff"}, {"access.withdrawn", "withdrawn by staff"},
	{"access.agreed", "agreed to by the owner, by a new sign-in with Google"}, {"access.refused", "refused by the owner"}, {"access.expired", "not answered in twelve hours"},
	{"access.revoked", "taken back by the owner"}, {"access.closed", "closed by staff"}, {"access.lapsed", "over when its time had passed"}, {"access.void", "deleted with the mailbox"},
	{"rules.acknowledged", "staff acknowledged the rules"},
}

func (r *record) humans(name string, at time.Time) Item {
	i := Item{ID: "humans", Title: "Human access by state", From: logSource(name), At: at, Status: Shown, Columns: []string{"Event", "What", "How often"}}
	for _, step := range accessSteps {
		i.Rows = append(i.Rows, []string{step.event, step.words, fmt.Sprint(r.events[step.event])})
	}
	i.Rows = append(i.Rows, []string{staffViews, "looks at a message that were allowed", fmt.Sprint(r.looked[1])}, []string{staffViews, "looks at a message that were refused", fmt.Sprint(r.looked[0])})
	i.Says = "Each look is a decision of its own, resting on an agreement that the owner proved by signing in. " + r.covers()
	if r.looked[1] > 0 && r.events["access.agreed"] == 0 && r.whole {
		i.Status, i.Says = Failed, "Staff looked at messages and no owner agreed. "+r.covers()
	}
	return i
}

// eventCounts shows how often each of some events happened, and when the newest was.
func (r *record) eventCounts(id, title, says, name string, at time.Time, events ...string) Item {
	i := Item{ID: id, Title: title, From: logSource(name), At: at, Status: Shown, Says: says + " " + r.covers(), Columns: []string{"Event", "How often", "Newest", "Its details"}}
	for _, event := range events {
		row := []string{event, fmt.Sprint(r.events[event]), "", ""}
		if latest := r.latest[event]; len(latest) > 0 {
			full := latest[0].row(event)
			row[2], row[3] = full[0], full[3]
		}
		i.Rows = append(i.Rows, row)
	}
	return i
}

// retentions shows the runs of the jobs that delete.
func (r *record) retentions(name string, at time.Time) Item {
	i := Item{ID: "retention-runs", Title: "Retention runs", From: "retention.run in " + logSource(name), At: at, Columns: []string{"Time", "Leaf", "Event", "What it deleted of each store"}}
	runs := r.latest["retention.run"]
	if len(runs) == 0 {
		i.Status, i.Says = NotRun, "No run is in these events. "+r.covers()
		return i
	}
	i.Status = Passed
	for _, h := range runs {
		if h.Details["complete"] != "true" {
			i.Status = Failed
		}
		i.Rows = append(i.Rows, h.row(h.Event))
	}
	i.Says = fmt.Sprintf("%d runs; the newest %d are below. A run says whether it was complete. %s", r.events["retention.run"], len(runs), r.covers())
	return i
}

// maxSample bounds the sample.
const maxSample = 60

// sampled takes one decision of each kind (the newest of each feature, answer, basis and set of clauses), with an offline proof
// of each under one checkpoint.
func (r *record) sampled(ctx context.Context, p *Pack, log Reader, tree tlog.Tree, checkpoint []byte, name string, at time.Time) (Item, error) {
	i := Item{
		ID: "sample", Title: "Sampled decisions, with proofs", From: logSource(name), At: at, Status: Shown, Columns: []string{"Leaf", "Time", "Actor", "Operation", "Purpose", "Feature", "Answer", "Basis or clauses", "Proof"},
		Says: "The newest decision of each kind: feature, answer, and basis or clauses. So none was chosen by hand. Each proof is checked by `webmail audit check-proof --key log.key.pub FILE`, without the log.",
	}
	keys := slices.Sorted(maps.Keys(r.sample))
	if len(keys) > maxSample {
		i.Says += fmt.Sprintf(" There are %d kinds; the first %d by name are here.", len(keys), maxSample)
		keys = keys[:maxSample]
	}
	for _, key := range keys {
		e := r.sample[key]
		hashes, err := tlog.ProveRecord(tree.N, e.Index, log.Hashes(ctx))
		if err != nil {
			return i, fmt.Errorf("assess: proving a decision: %w", err)
		}
		proof := decisionlog.Proof{Index: e.Index, Body: e.Body, Hashes: hashes, Checkpoint: checkpoint}
		file := fmt.Sprintf("proofs/%d.proof", e.Index)
		if err := p.Add(file, proof.Marshal()); err != nil {
			return i, err
		}
		answer, why := "refused", strings.Join(e.Clauses, " ")
		if e.Allowed {
			answer, why = "allowed", e.Basis
		}
		i.Rows = append(i.Rows, []string{fmt.Sprint(e.Index), e.At.UTC().Format(time.RFC3339), e.ActorKind, e.Operation, e.Purpose, e.Feature, answer, why, file})
		i.Details = append(i.Details, Detail{Title: fmt.Sprintf("Leaf %d: %s", e.Index, key), Text: indented(e.Body)})
		i.Files = append(i.Files, file)
	}
	return i, nil
}

func indented(body []byte) string {
	var v any
	if json.Unmarshal(body, &v) == nil {
		if text, err := json.MarshalIndent(v, "", "  "); err == nil {
			return string(text)
		}
	}
	return string(body)
}

// verified recomputes the whole log. A finding is what the item tells; only a failure to read is an error.
func verified(ctx context.Context, log *decisionlog.Log, index func([]byte) (decisionlog.Entry, error), name string, at time.Time) (Item, decisionlog.Report, error) {
	i := Item{ID: "verification", Title: "Verification of the log", From: logSource(name), At: at, Columns: []string{"What", "Value"}}
	began := time.Now()
	report, err := log.Verify(ctx, decisionlog.VerifyOptions{Index: index})
	var unreadable *decisionlog.BadCheckpoint
	switch {
	case err != nil && report.Tree.N == 0 && !errors.As(err, &unreadable):
		return i, report, fmt.Errorf("assess: verifying the log: %w", err)
	case err != nil:
		i.Status, i.Says = Failed, err.Error()
	default:
		i.Status = Passed
		i.Says = fmt.Sprintf("Every leaf, every hash, the order, the columns and the signature of %d events were recomputed in %s. A log that was rolled back as a whole shows only against a checkpoint kept elsewhere: keep the one in this pack.", report.Tree.N, time.Since(began).Round(time.Millisecond))
	}
	i.Rows = [][]string{{"Events", fmt.Sprint(report.Tree.N)}, {"Root", report.Tree.Hash.String()}, {"Bodies begin at leaf", fmt.Sprint(report.KeptFrom)}, {"Checkpoint", string(report.Checkpoint)}}
	switch cosigned, err := log.Cosigned(ctx); {
	case err == nil:
		i.Rows = append(i.Rows, []string{"Newest checkpoint with a witness's signature", string(cosigned)})
	case errors.Is(err, decisionlog.ErrNoRecord):
		i.Rows = append(i.Rows, []string{"Newest checkpoint with a witness's signature", "none: no witness has signed for this log"})
	default:
		i.Rows = append(i.Rows, []string{"Newest checkpoint with a witness's signature", "could not be read"})
	}
	i.Files = []string{CheckpointFile, LogKeyFile}
	return i, report, nil
}

// origins are the destinations that a start named.
func origins(start happening) []string { return strings.Fields(start.Details["destinations"]) }
