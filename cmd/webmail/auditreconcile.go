package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// reconcileCmd looks for accesses that the log does not explain. Google counts every request that is made with the
// deployment's client, whoever makes it: what Google counted and the log does not have happened outside this program.
type reconcileCmd struct {
	storage
	Counts string        `help:"Google's count of requests by method over the same time: CSV or JSON (docs/audit.md says how to get it). Without it only the log itself is looked at." type:"existingfile"`
	Since  string        `help:"Not before this time (RFC 3339), or so long ago (such as 24h)."`
	Until  string        `help:"Before this time (RFC 3339)."`
	Slack  float64       `help:"Part by which reads may exceed what the log explains: requests that were tried again." default:"0.1"`
	Poll   time.Duration `help:"How often the server asked for changes (serve --poll)." default:"15s"`
	JSON   bool          `help:"Print JSON."`
}

// underWay is how old a decision must be before a missing outcome means something.
const underWay = 10 * time.Minute

// reconciliation is what the log and Google's counts come to.
type reconciliation struct {
	Methods          []methodCount `json:"methods"`
	WithoutOutcome   []int64       `json:"decisions_without_outcome"` // leaf indexes, the newest hundred
	OpenCount        int           `json:"decisions_without_outcome_count"`
	HumanViews       int           `json:"human_views"`
	WithoutAgreement []int64       `json:"human_views_without_agreement"` // leaf indexes
	Unexplained      int           `json:"unexplained"`
}

// methodCount compares one Gmail method.
type methodCount struct {
	Method    string `json:"method"`
	Decisions int    `json:"decisions"` // allowed
	Explained int64  `json:"explained"` // requests that they can have led to
	Google    *int64 `json:"google"`    // requests that Google counted; null when it did not say
	Finding   string `json:"finding,omitempty"`
}

func (c *reconcileCmd) Run(ctx context.Context) error {
	if c.Slack < 0 || c.Poll <= 0 {
		return errors.New("--slack must not be below 0, and --poll must be above")
	}
	var google map[string]int64
	if c.Counts != "" {
		text, err := os.ReadFile(c.Counts)
		if err != nil {
			return err
		}
		if google, err = readCounts(text); err != nil {
			return fmt.Errorf("%s: %w", c.Counts, err)
		}
	}
	log, done, err := c.openLog(ctx)
	if err != nil {
		return err
	}
	defer done()
	r, err := c.reconcile(ctx, log, google)
	if err != nil {
		return err
	}
	if c.JSON {
		err = eachLine([]reconciliation{r})
	} else {
		err = r.print(os.Stdout, google != nil)
	}
	if err == nil && r.Unexplained > 0 {
		return &verifyError{fmt.Errorf("%d things are not explained by the log", r.Unexplained)}
	}
	return err
}

// reconciler reads the log once, newest first. It remembers outcomes until their decisions come: those that were
// under way at one time, never the whole log.
type reconciler struct {
	command  *reconcileCmd
	log      *decisionlog.Log
	tables   limiteduse.Tables
	outcomes map[int64]int // items, by the place of the decision
	methods  map[string]*methodCount
	result   reconciliation
	settled  time.Time // decisions since then may be under way
}

func (c *reconcileCmd) reconcile(ctx context.Context, log *decisionlog.Log, google map[string]int64) (reconciliation, error) {
	now := time.Now()
	f := decisionlog.Filter{}
	var err error
	if f.Since, err = timeOrAge("--since", c.Since, now); err != nil {
		return reconciliation{}, err
	}
	until, err := parseTime("--until", c.Until)
	if err != nil {
		return reconciliation{}, err
	}
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return reconciliation{}, err
	}
	r := &reconciler{command: c, log: log, tables: tables, outcomes: map[int64]int{}, methods: map[string]*methodCount{}, settled: now.Add(-underWay)}
	if !until.IsZero() {
		f.Until = until.Add(underWay) // outcomes of the last decisions come after them
	}
	err = eachEvent(ctx, log, f, math.MaxInt, func(e decisionlog.Record) error {
		if e.Kind == decisionlog.Decision && !until.IsZero() && !e.At.Before(until) {
			delete(r.outcomes, e.Index)
			return nil
		}
		return r.take(ctx, e)
	})
	if err != nil {
		return reconciliation{}, err
	}
	r.compare(google)
	return r.result, nil
}

// take reads one event.
func (r *reconciler) take(ctx context.Context, e decisionlog.Record) error {
	var event struct {
		Items int `json:"items"`
		Input struct {
			Resource struct {
				IDs []string `json:"ids"`
			} `json:"resource"`
			Agreement *struct {
				ID string `json:"id"`
			} `json:"agreement"`
		} `json:"input"`
	}
	switch {
	case e.Kind == decisionlog.Lifecycle || e.Kind == decisionlog.Decision && !e.Allowed:
		return nil
	case len(e.Body) > 0:
		if err := json.Unmarshal(e.Body, &event); err != nil {
			return fmt.Errorf("event %d does not decode", e.Index)
		}
	}
	if e.Kind == decisionlog.Outcome {
		r.outcomes[e.Ref] = max(r.outcomes[e.Ref], event.Items)
		return nil
	}
	items, ended := r.outcomes[e.Index]
	delete(r.outcomes, e.Index)
	if !ended && e.At.Before(r.settled) {
		r.result.OpenCount++
		if len(r.result.WithoutOutcome) < 100 {
			r.result.WithoutOutcome = append(r.result.WithoutOutcome, e.Index)
		}
	}
	if r.tables.Operations[e.Operation].API == "gmail" {
		r.explain(e, items, len(event.Input.Resource.IDs))
	}
	if e.Feature != "agreed_view" {
		return nil
	}
	r.result.HumanViews++
	agreed := false
	if event.Input.Agreement != nil {
		var err error
		if agreed, err = r.agreed(ctx, e, event.Input.Agreement.ID); err != nil {
			return err
		}
	}
	if !agreed {
		r.result.WithoutAgreement = append(r.result.WithoutAgreement, e.Index)
	}
	return nil
}

// explain adds the requests to which a decision can have led: one for each thing that it names or that came of it; a
// listing fetches at least a page; and while somebody follows the mailbox, Gmail is asked at each turn.
func (r *reconciler) explain(e decisionlog.Record, items, named int) {
	m := r.methods[e.Operation]
	if m == nil {
		m = &methodCount{Method: e.Operation}
		r.methods[e.Operation] = m
	}
	m.Decisions++
	most := max(named, 1)
	if e.Operation == "history.list" {
		life := time.Duration(r.tables.Features[e.Feature].TTLSeconds) * time.Second
		most = max(1, int(life/r.command.Poll)+1)
	}
	if r.tables.Operations[e.Operation].Effect == "read" {
		most = max(most, items/100) // pages of a listing
	}
	m.Explained += int64(most)
}

// agreed tells whether the log says, before a look, that the owner agreed, and not that it was ended since.
func (r *reconciler) agreed(ctx context.Context, look decisionlog.Record, agreement string) (bool, error) {
	f := decisionlog.Filter{Kind: decisionlog.Lifecycle, Account: look.Account, Before: look.Index, Limit: decisionlog.MaxPage}
	for {
		page, err := r.log.Query(ctx, f)
		if err != nil {
			return false, err
		}
		for _, e := range page.Records {
			var event struct {
				Details struct {
					Agreement string `json:"agreement"`
				} `json:"details"`
			}
			if !strings.HasPrefix(e.Operation, "access.") || json.Unmarshal(e.Body, &event) != nil || event.Details.Agreement != agreement {
				continue
			}
			return e.Operation == "access.agreed", nil // the newest step before the look decides
		}
		if page.Next == 0 {
			return false, nil
		}
		f.Before = page.Next
	}
}

// compare sets what Google counted beside what the log explains.
func (r *reconciler) compare(google map[string]int64) {
	for method, n := range google {
		m := r.methods[method]
		if m == nil {
			m = &methodCount{Method: method}
			r.methods[method] = m
		}
		m.Google = &n
	}
	for _, m := range r.methods {
		if m.Finding = r.findingOf(m, google != nil); m.Finding != "" {
			r.result.Unexplained++
		}
		r.result.Methods = append(r.result.Methods, *m)
	}
	slices.SortFunc(r.result.Methods, func(a, b methodCount) int { return cmp.Compare(a.Method, b.Method) })
	r.result.Unexplained += r.result.OpenCount + len(r.result.WithoutAgreement)
}

// fewRequests is how many requests beyond the explained ones are no finding: two clocks cut a period differently.
const fewRequests = 5

func (r *reconciler) findingOf(m *methodCount, counted bool) string {
	changes := r.tables.Operations[m.Method].Effect != "read"
	switch {
	case !counted || m.Google == nil && !(changes && m.Decisions > fewRequests):
		return "" // a read can have been answered from memory, and a few changes can have failed on the way
	case m.Google == nil:
		return "the log has changes of which Google counted none: the counts are of another project or time"
	case m.Decisions == 0 && *m.Google > 0:
		return "Google counted requests of which the log knows nothing"
	}
	allowed := m.Explained + fewRequests
	if !changes {
		allowed += int64(float64(m.Explained) * r.command.Slack)
	}
	if *m.Google > allowed {
		return "Google counted more requests than the log explains"
	}
	return ""
}

func (r reconciliation) print(w io.Writer, counted bool) error {
	out := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(out, "METHOD\tDECISIONS\tEXPLAINED REQUESTS\tCOUNTED BY GOOGLE\tFINDING")
	for _, m := range r.Methods {
		google := "-"
		if m.Google != nil {
			google = strconv.FormatInt(*m.Google, 10)
		}
		fmt.Fprintf(out, "%s\t%d\t%d\t%s\t%s\n", m.Method, m.Decisions, m.Explained, google, m.Finding)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if !counted {
		fmt.Fprintln(w, "no counts of Google's given: accesses made outside of this program would not be noticed (--counts)")
	}
	fmt.Fprintf(w, "%d allowed decisions without outcome%s\n", r.OpenCount, places(r.WithoutOutcome))
	fmt.Fprintf(w, "%d looks of staff, %d of them without an agreement in the log%s\n", r.HumanViews, len(r.WithoutAgreement), places(r.WithoutAgreement))
	return nil
}

func places(list []int64) string {
	if len(list) == 0 {
		return ""
	}
	var names []string
	for _, index := range list {
		names = append(names, strconv.FormatInt(index, 10))
	}
	return ": leaf " + strings.Join(names, ", ")
}

// readCounts reads Google's counts by method: the answer of Cloud Monitoring's timeSeries.list for
// serviceruntime.googleapis.com/api/request_count, a JSON list of {"method", "count"}, or CSV with a column that names
// the method and one that counts. Rows of one method are added up.
func readCounts(text []byte) (map[string]int64, error) {
	counts := map[string]int64{}
	add := func(method string, n int64) error {
		name := shortMethod(method)
		if name == "" || n < 0 || counts[name] > math.MaxInt64-n {
			return fmt.Errorf("the method %q with count %d makes no sense", method, n)
		}
		counts[name] += n
		return nil
	}
	var err error
	switch trimmed := strings.TrimSpace(string(text)); {
	case trimmed == "":
		err = errors.New("it is empty")
	case trimmed[0] == '[' || trimmed[0] == '{':
		err = readJSONCounts([]byte(trimmed), add)
	default:
		err = readCSVCounts(trimmed, add)
	}
	if err == nil && len(counts) == 0 {
		err = errors.New("it counts no method")
	}
	return counts, err
}

// shortMethod is the method as the log names it: gmail.users.messages.get is messages.get.
func shortMethod(name string) string {
	if _, after, ok := strings.Cut(name, "users."); ok {
		return after
	}
	return strings.TrimPrefix(name, "gmail.")
}

func readJSONCounts(text []byte, add func(string, int64) error) error {
	var list []struct {
		Method string `json:"method"`
		Count  int64  `json:"count"`
	}
	if text[0] == '[' {
		if err := json.Unmarshal(text, &list); err != nil {
			return errors.New(`it is not a JSON list of {"method": ..., "count": ...}`)
		}
		for _, row := range list {
			if err := add(row.Method, row.Count); err != nil {
				return err
			}
		}
		return nil
	}
	var series struct {
		TimeSeries []struct {
			Resource struct {
				Labels map[string]string `json:"labels"`
			} `json:"resource"`
			Points []struct {
				Value struct {
					Int64 string `json:"int64Value"`
				} `json:"value"`
			} `json:"points"`
		} `json:"timeSeries"`
	}
	if err := json.Unmarshal(text, &series); err != nil {
		return errors.New("it is not an answer of timeSeries.list")
	}
	for _, s := range series.TimeSeries {
		for _, p := range s.Points {
			n, err := strconv.ParseInt(p.Value.Int64, 10, 64)
			if err != nil {
				return errors.New("a point of it is not a whole number")
			}
			if err := add(s.Resource.Labels["method"], n); err != nil {
				return err
			}
		}
	}
	return nil
}

func readCSVCounts(text string, add func(string, int64) error) error {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return errors.New("it is not CSV")
	}
	column := func(names ...string) int {
		return slices.IndexFunc(rows[0], func(head string) bool { return slices.Contains(names, strings.ToLower(strings.TrimSpace(head))) })
	}
	method, count := column("method", "resource.labels.method", "resource.method", "methods"), column("count", "value", "requests", "request_count")
	if method < 0 || count < 0 {
		return fmt.Errorf("its first row must name a column method and a column count, not %v", rows[0])
	}
	for i, row := range rows[1:] {
		n, err := strconv.ParseFloat(strings.ReplaceAll(row[count], ",", ""), 64) // some exports write 12.0
		if err != nil || n != float64(int64(n)) {
			return fmt.Errorf("the count in row %d is not a whole number", i+2)
		}
		if err := add(row[method], int64(n)); err != nil {
			return err
		}
	}
	return nil
}
