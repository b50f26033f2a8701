package inbox

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// pageSize is how many conversations a page has; listed is how many messages are asked for to fold into
// them. messages.list costs 5 units however many it returns, so asking for more is free.
const (
	pageSize = 50
	listed   = 100
)

// AllMail is the label id of everything outside spam and trash.
const AllMail = "ALL"

// ListRequest says which page of which listing.
type ListRequest struct {
	Label  string // label id or AllMail
	Search string // Gmail's search operators; then Label is not used
	Page   string // Page.Next of the page before, or ""
}

// Page is a page of conversations, newest first.
type Page struct {
	Rows     []Row
	Next     string // "" at the end
	Estimate int64  // Gmail's estimate of the number of messages
}

// Threads lists conversations. Cold, that takes two rounds to Gmail: the listing (together with the history
// position), then the metadata of each conversation's newest message. Warm, it takes one small question
// ("has anything changed?"), or none while live updates are on.
func (s *Service) Threads(ctx context.Context, v Visit, req ListRequest) (Page, error) {
	cursor, err := parseCursor(req.Page)
	if err != nil {
		return Page{}, err
	}
	b := s.boxes.of(v.Account)
	if err := s.catchUp(ctx, v, b); err != nil {
		return Page{}, err
	}
	l, err := s.listing(ctx, v, b, listKey{label: req.Label, search: req.Search, page: cursor.token})
	if err != nil {
		return Page{}, err
	}
	folded := fold(l.refs)
	page := Page{Estimate: l.estimate, Next: l.next}
	if end := cursor.skip + pageSize; end < len(folded) {
		page.Next = listCursor{token: cursor.token, skip: end}.String()
		folded = folded[:end]
	} else if l.next != "" {
		page.Next = listCursor{token: l.next}.String()
	}
	page.Rows, err = s.rows(ctx, v, b, folded[min(cursor.skip, len(folded)):])
	if err != nil {
		return Page{}, err
	}
	return page, s.nameDrafts(ctx, v, b, page.Rows)
}

// listing returns the ids of one page of messages, from memory or from Gmail. From Gmail, the ids are in
// the log before they are used (I2).
func (s *Service) listing(ctx context.Context, v Visit, b *box, key listKey) (listing, error) {
	query := gmail.Query{Search: key.search, Max: listed, Page: key.page}
	if key.search == "" && key.label != AllMail {
		query.Label = key.label
		query.SpamOrTrash = key.label == "SPAM" || key.label == "TRASH"
	}
	if l, ok := b.list(key, s.now()); ok {
		return l, s.releaseHeld(ctx, v, gmail.ListMessages(query).Target, policy.Messages, l.messages())
	}
	var found fetched[*gmail.Listing]
	round, inner := errgroup.WithContext(ctx)
	if history, _ := b.position(); history == 0 {
		round.Go(func() error { return s.locate(inner, v, b) })
	}
	round.Go(func() (err error) {
		found, err = fetchTogether(inner, s, v, gmail.ListMessages(query))
		return err
	})
	if err := round.Wait(); err != nil {
		found.grant.Finish(err, 0, 0)
		return listing{}, err
	}
	l := listing{next: found.value.NextPageToken, estimate: found.value.ResultSizeEstimate, at: s.now()}
	for _, m := range found.value.Messages {
		l.refs = append(l.refs, ref{message: m.Id, thread: m.ThreadId})
	}
	if err := found.grant.Release(ctx, policy.Messages, l.messages(), 0); err != nil {
		return listing{}, err
	}
	b.putList(key, l)
	return l, nil
}

// locate finds the mailbox's history position, from which changes will be followed. It runs beside the
// first listing: a change in between is seen at the latest when the listing goes stale.
func (s *Service) locate(ctx context.Context, v Visit, b *box) error {
	f, err := fetchTogether(ctx, s, v.For("inbox.sync", "live_updates"), gmail.GetProfile())
	if err != nil {
		return err
	}
	f.grant.Finish(nil, 1, 0)
	b.startAt(f.value.HistoryId, s.now())
	return nil
}

// conversationRef is a conversation as a listing shows it.
type conversationRef struct {
	newest ref
	known  int // messages in the listing
}

// fold makes conversations of messages: a thread stands where its newest message stands.
func fold(refs []ref) []conversationRef {
	at := map[string]int{}
	var out []conversationRef
	for _, r := range refs {
		if i, ok := at[r.thread]; ok {
			out[i].known++
			continue
		}
		at[r.thread] = len(out)
		out = append(out, conversationRef{newest: r, known: 1})
	}
	return out
}

// rows gives the rows of conversations under one decision that names all their newest messages, whether
// they are held in memory or not.
func (s *Service) rows(ctx context.Context, v Visit, b *box, conversations []conversationRef) ([]Row, error) {
	if len(conversations) == 0 {
		return []Row{}, nil
	}
	ids := make([]string, len(conversations))
	for i, c := range conversations {
		ids[i] = c.newest.message
	}
	target, err := gmail.GetRows(ids...).Target()
	if err != nil {
		return nil, fmt.Errorf("inbox: planning rows: %w", err)
	}
	grant, err := s.authorize(ctx, v, target)
	if err != nil {
		return nil, err
	}
	held, err := s.metadata(ctx, b, grant, target, ids)
	grant.Finish(err, len(held), 0)
	if err != nil {
		return nil, translate(err)
	}
	rows := make([]Row, 0, len(conversations))
	for _, c := range conversations {
		if m := held[c.newest.message]; m != nil { // deleted since it was listed: no row
			rows = append(rows, rowOf(m, c.known))
		}
	}
	return rows, nil
}

// metadata returns the metadata of messages from memory and, for the rest, from Gmail; the grant covers all of it.
func (s *Service) metadata(ctx context.Context, b *box, grant *policy.Grant, target policy.Target, ids []string) (map[string]*gmail.Message, error) {
	held, missing := b.known(ids)
	if len(held) > 0 {
		known := target
		known.Resource.IDs = present(ids, held)
		if err := s.gate.Use(ctx, grant, known); err != nil {
			return nil, err
		}
	}
	if len(missing) == 0 {
		return held, nil
	}
	part := target
	part.Resource.IDs = missing
	answers, err := together(ctx, s, grant, part, false, gmail.GetRows(missing...))
	if err != nil {
		return nil, err
	}
	for _, a := range answers {
		switch {
		case gmail.IsNotFound(a.Err):
		case a.Err != nil:
			return nil, a.Err
		default:
			b.putRow(a.Value)
			held[a.ID] = a.Value
		}
	}
	return held, nil
}

func present(ids []string, held map[string]*gmail.Message) []string {
	var out []string
	for _, id := range ids {
		if held[id] != nil {
			out = append(out, id)
		}
	}
	return out
}

// listCursor is a position in a folded listing: Gmail's page and the conversations of it already shown.
type listCursor struct {
	token string
	skip  int
}

func (c listCursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(c.skip) + ":" + c.token))
}

func parseCursor(s string) (listCursor, error) {
	if s == "" {
		return listCursor{}, nil
	}
	bad := &InvalidError{Field: "page", Why: "not a page of this listing; start from the first page"}
	decoded, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return listCursor{}, bad
	}
	skip, token, ok := strings.Cut(string(decoded), ":")
	n, err := strconv.Atoi(skip)
	if !ok || err != nil || n < 0 || n > listed || len(token) > 128 {
		return listCursor{}, bad
	}
	return listCursor{token: token, skip: n}, nil
}
