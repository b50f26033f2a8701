package gmail

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"

	gmailv1 "google.golang.org/api/gmail/v1"
)

// one makes a call of a single request through Google's client.
func one[T any](do func(ctx context.Context, users *gmailv1.UsersService) (T, error)) Call[T] {
	return Call[T]{run: func(ctx context.Context, w wire) (T, error) {
		svc, err := service(ctx, w)
		if err != nil {
			var none T
			return none, err
		}
		return do(ctx, svc.Users)
	}}
}

// GetProfile asks for the mailbox's address, totals and history id (1 unit).
func GetProfile() Call[*Profile] {
	return one(func(ctx context.Context, u *gmailv1.UsersService) (*Profile, error) {
		return u.GetProfile("me").Context(ctx).Do()
	})
}

// WatchMailbox asks Gmail to tell a Pub/Sub topic of changes, for seven days; asked again, it renews (100 units).
func WatchMailbox(topic string) Call[*gmailv1.WatchResponse] {
	return one(func(ctx context.Context, u *gmailv1.UsersService) (*gmailv1.WatchResponse, error) {
		return u.Watch("me", &gmailv1.WatchRequest{TopicName: topic}).Context(ctx).Do()
	})
}

// ListLabels asks for all labels, without counts (1 unit).
func ListLabels() Call[[]*Label] {
	return one(func(ctx context.Context, u *gmailv1.UsersService) ([]*Label, error) {
		res, err := u.Labels.List("me").Context(ctx).Do()
		if err != nil {
			return nil, err
		}
		return res.Labels, nil
	})
}

// GetLabels asks for labels with counts, in one batch (1 unit each).
func GetLabels(ids ...string) Call[[]Answer[*Label]] {
	return batch[*Label](len(ids), func(i int) (string, *http.Request) {
		return ids[i], inner(http.MethodGet, "labels/"+escaped(ids[i]), nil, nil)
	})
}

// Query says which messages to list.
type Query struct {
	Label       string // label id, "" for all
	Search      string // Gmail's q
	Max         int64
	Page        string
	SpamOrTrash bool
}

// ListMessages asks for message and thread ids, newest first (5 units).
func ListMessages(q Query) Call[*Listing] {
	return one(func(ctx context.Context, u *gmailv1.UsersService) (*Listing, error) {
		call := u.Messages.List("me").Context(ctx).MaxResults(q.Max)
		if q.Label != "" {
			call.LabelIds(q.Label)
		}
		if q.Search != "" {
			call.Q(q.Search)
		}
		if q.Page != "" {
			call.PageToken(q.Page)
		}
		if q.SpamOrTrash {
			call.IncludeSpamTrash(true)
		}
		return call.Do()
	})
}

// RowHeaders are what a list row and the quick answers need.
var RowHeaders = []string{"From", "To", "Cc", "Subject", "Date", "Content-Type"}

// GetRows asks for the metadata of messages in one batch (20 units each).
func GetRows(ids ...string) Call[[]Answer[*Message]] { return getMessages("metadata", RowHeaders, ids) }

// GetHeaders asks for all headers of messages in one batch (20 units each).
func GetHeaders(ids ...string) Call[[]Answer[*Message]] { return getMessages("metadata", nil, ids) }

// GetLabelsOf asks only for the labels of messages, in one batch (20 units each).
func GetLabelsOf(ids ...string) Call[[]Answer[*Message]] { return getMessages("minimal", nil, ids) }

func getMessages(format string, headers, ids []string) Call[[]Answer[*Message]] {
	query := url.Values{"format": {format}}
	if headers != nil {
		query["metadataHeaders"] = headers
	}
	return batch[*Message](len(ids), func(i int) (string, *http.Request) {
		return ids[i], inner(http.MethodGet, "messages/"+escaped(ids[i]), query, nil)
	})
}

// GetMessage asks for one message with its parts, attachments left out (20 units).
func GetMessage(id string) Call[*Message] {
	return one(func(ctx context.Context, u *gmailv1.UsersService) (*Message, error) {
		return u.Messages.Get("me", id).Format("full").Context(ctx).Do()
	})
}

// GetThread asks for a conversation with the parts of all its messages (40 units).
func GetThread(id string) Call[*Thread] {
	return one(func(ctx context.Context, u *gmailv1.UsersService) (*Thread, error) {
		return u.Threads.Get("me", id).Format("full").Context(ctx).Do()
	})
}

// GetAttachment asks for the content of one attachment (20 units). Its id is good only for a while after
// the message was read, and another one at each reading.
func GetAttachment(message, attachment string) Call[*Attachment] {
	return one(func(ctx context.Context, u *gmailv1.UsersService) (*Attachment, error) {
		return u.Messages.Attachments.Get("me", message, attachment).Context(ctx).Do()
	})
}

// ModifyThreads adds and removes labels on whole conversations, in one batch (10 units each).
func ModifyThreads(ids, add, remove []string) Call[[]Answer[*Thread]] {
	body, err := (&gmailv1.ModifyThreadRequest{AddLabelIds: add, RemoveLabelIds: remove}).MarshalJSON()
	if err != nil {
		panic(err) // strings always encode
	}
	return batch[*Thread](len(ids), func(i int) (string, *http.Request) {
		return ids[i], inner(http.MethodPost, "threads/"+escaped(ids[i])+"/modify", nil, body)
	})
}

// TrashThreads moves conversations to the trash, in one batch (20 units each).
func TrashThreads(ids ...string) Call[[]Answer[*Thread]] { return threadsVerb("trash", ids) }

// UntrashThreads takes conversations back from the trash, in one batch (10 units each).
func UntrashThreads(ids ...string) Call[[]Answer[*Thread]] { return threadsVerb("untrash", ids) }

func threadsVerb(verb string, ids []string) Call[[]Answer[*Thread]] {
	return batch[*Thread](len(ids), func(i int) (string, *http.Request) {
		return ids[i], inner(http.MethodPost, "threads/"+escaped(ids[i])+"/"+verb, nil, nil)
	})
}

// ModifyMessages adds and removes labels on up to 1,000 messages (50 units).
func ModifyMessages(ids, add, remove []string) Call[struct{}] {
	return one(func(ctx context.Context, u *gmailv1.UsersService) (struct{}, error) {
		req := &gmailv1.BatchModifyMessagesRequest{Ids: ids, AddLabelIds: add, RemoveLabelIds: remove}
		return struct{}{}, u.Messages.BatchModify("me", req).Context(ctx).Do()
	})
}

// ListHistory asks what changed after start (2 units). NotFound means that start is too old: read everything anew.
func ListHistory(start uint64, page string, max int64) Call[*History] {
	return one(func(ctx context.Context, u *gmailv1.UsersService) (*History, error) {
		call := u.History.List("me").StartHistoryId(start).MaxResults(max).Context(ctx)
		if page != "" {
			call.PageToken(page)
		}
		return call.Do()
	})
}

// ListDrafts asks for draft and message ids (5 units).
func ListDrafts(max int64, page string) Call[*DraftList] {
	return one(func(ctx context.Context, u *gmailv1.UsersService) (*DraftList, error) {
		call := u.Drafts.List("me").MaxResults(max).Context(ctx)
		if page != "" {
			call.PageToken(page)
		}
		return call.Do()
	})
}

// GetDraft asks for a draft with its message's parts (20 units).
func GetDraft(id string) Call[*Draft] {
	return one(func(ctx context.Context, u *gmailv1.UsersService) (*Draft, error) {
		return u.Drafts.Get("me", id).Format("full").Context(ctx).Do()
	})
}

// CreateDraft makes a draft (10 units). An unknown outcome must be reconciled by the caller.
func CreateDraft(raw []byte, thread string) Call[*Draft] {
	if len(raw) > inJSON {
		return UploadDraft(inMemory(raw), thread)
	}
	return one(func(ctx context.Context, u *gmailv1.UsersService) (*Draft, error) {
		d := &Draft{Message: &Message{ThreadId: thread}}
		d.Message.Raw = base64.URLEncoding.EncodeToString(raw)
		return u.Drafts.Create("me", d).Context(ctx).Do()
	})
}

// UpdateDraft replaces a draft's message, which gets another id (15 units).
func UpdateDraft(id string, raw []byte, thread string) Call[*Draft] {
	if len(raw) > inJSON {
		return UploadUpdate(id, inMemory(raw), thread)
	}
	return one(func(ctx context.Context, u *gmailv1.UsersService) (*Draft, error) {
		d := &Draft{Message: &Message{ThreadId: thread}}
		d.Message.Raw = base64.URLEncoding.EncodeToString(raw)
		return u.Drafts.Update("me", id, d).Context(ctx).Do()
	})
}

// DeleteDraft deletes a draft for good (10 units).
func DeleteDraft(id string) Call[struct{}] {
	return one(func(ctx context.Context, u *gmailv1.UsersService) (struct{}, error) {
		return struct{}{}, u.Drafts.Delete("me", id).Context(ctx).Do()
	})
}

// SendDraft sends a draft with exactly this message, whatever the draft held before (100 units), so that
// what was decided is what leaves. An unknown outcome must be reconciled by the caller.
func SendDraft(id string, raw []byte, thread string) Call[*Message] {
	if len(raw) > inJSON {
		return UploadSend(id, inMemory(raw), thread)
	}
	return one(func(ctx context.Context, u *gmailv1.UsersService) (*Message, error) {
		d := &Draft{Id: id, Message: &Message{ThreadId: thread}}
		d.Message.Raw = base64.URLEncoding.EncodeToString(raw)
		return u.Drafts.Send("me", d).Context(ctx).Do()
	})
}

// inJSON is the largest message sent inside JSON: Gmail refuses JSON bodies above about 5 MB with 413,
// and base64 adds a third (GMAIL.md 1.4).
const inJSON = 3_500_000

// MaxMessage is the largest message that Gmail accepts, in bytes (35 MiB).
const MaxMessage = 36_700_160

// escaped is an id as a path segment.
func escaped(id string) string { return url.PathEscape(id) }

// inner builds a request for a batch.
func inner(verb, path string, query url.Values, body []byte) *http.Request {
	u := &url.URL{Path: usersPath + path, RawQuery: query.Encode()}
	if unescaped, err := url.PathUnescape(u.Path); err == nil && unescaped != u.Path {
		u.RawPath, u.Path = u.Path, unescaped
	}
	req := &http.Request{Method: verb, URL: u, Header: http.Header{}}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Content-Length", strconv.Itoa(len(body)))
		setBody(req, body)
	}
	return req
}
