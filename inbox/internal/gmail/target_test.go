package gmail_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/totalengage/webmail/inbox/internal/gmail"
	"github.com/totalengage/webmail/policy"
)

// made is one call of every constructor, with the means to carry it out.
type made struct {
	name      string
	operation policy.Operation
	ids       []string
	target    func() (policy.Target, error)
	do        func(testing.TB, *world, *policy.Grant) error
}

func of[T any](name string, operation policy.Operation, call gmail.Call[T], ids ...string) made {
	return made{name, operation, ids, call.Target, func(tb testing.TB, w *world, grant *policy.Grant) error {
		_, err := gmail.Do(tb.Context(), w.client, grant, call)
		return err
	}}
}

var (
	small = []byte("From: a@example.com\r\n\r\nsmall")
	large = bytes.Repeat([]byte("From: a@example.com\r\n\r\nlarge\xff\x00"), 130_000) // 3.8 MB: an upload
)

func calls() []made {
	return []made{
		of("GetProfile", "getProfile", gmail.GetProfile()),
		of("WatchMailbox", "watch", gmail.WatchMailbox("projects/p/topics/t")),
		of("ListLabels", "labels.list", gmail.ListLabels()),
		of("GetLabels", "labels.get", gmail.GetLabels("INBOX", "Label_1"), "INBOX", "Label_1"),
		of("ListMessages", "messages.list", gmail.ListMessages(gmail.Query{Label: "INBOX", Search: "a b&c=d", Max: 50, Page: "p", SpamOrTrash: true})),
		of("ListMessages of all", "messages.list", gmail.ListMessages(gmail.Query{Max: 1})),
		of("GetRows", "messages.get", gmail.GetRows("m1", "m2"), "m1", "m2"),
		of("GetRows of a screen", "messages.get", gmail.GetRows(ids(60)...), ids(60)...),
		of("GetHeaders", "messages.get", gmail.GetHeaders("m1"), "m1"),
		of("GetLabelsOf", "messages.get", gmail.GetLabelsOf("m1"), "m1"),
		of("GetMessage", "messages.get", gmail.GetMessage("m1"), "m1"),
		of("GetThread", "threads.get", gmail.GetThread("t1"), "t1"),
		of("GetAttachment", "messages.attachments.get", gmail.GetAttachment("m1", "att-1_x"), "m1"),
		of("ModifyThreads", "threads.modify", gmail.ModifyThreads([]string{"t1", "t2"}, []string{"STARRED"}, []string{"INBOX"}), "t1", "t2"),
		of("TrashThreads", "threads.trash", gmail.TrashThreads("t1", "t2"), "t1", "t2"),
		of("UntrashThreads", "threads.untrash", gmail.UntrashThreads("t1"), "t1"),
		of("ModifyMessages", "messages.batchModify", gmail.ModifyMessages([]string{"m1", "m2"}, []string{"UNREAD"}, nil), "m1", "m2"),
		of("ListHistory", "history.list", gmail.ListHistory(77, "p", 100)),
		of("ListDrafts", "drafts.list", gmail.ListDrafts(50, "p")),
		of("GetDraft", "drafts.get", gmail.GetDraft("d1"), "d1"),
		of("CreateDraft", "drafts.create", gmail.CreateDraft(small, "t1")),
		of("CreateDraft, uploaded", "drafts.create", gmail.CreateDraft(large, "")),
		of("UpdateDraft", "drafts.update", gmail.UpdateDraft("d1", small, ""), "d1"),
		of("UpdateDraft, uploaded", "drafts.update", gmail.UpdateDraft("d1", large, "t1"), "d1"),
		of("DeleteDraft", "drafts.delete", gmail.DeleteDraft("d1"), "d1"),
		of("SendDraft", "drafts.send", gmail.SendDraft("d1", small, "t1"), "d1"),
		of("SendDraft, uploaded", "drafts.send", gmail.SendDraft("d1", large, "t1"), "d1"),
	}
}

func ids(n int) (all []string) {
	for i := range n {
		all = append(all, string(rune('a'+i/26))+string(rune('a'+i%26)))
	}
	return all
}

// TestTargetIsTheWire: what a call says that it does is what the guard reads from its requests, over a real
// socket; and nothing needs more than the policy's tables offer.
func TestTargetIsTheWire(t *testing.T) {
	w := newServedWorld(t, agreeable)
	for _, c := range calls() {
		t.Run(c.name, func(t *testing.T) {
			target, err := c.target()
			if err != nil {
				t.Fatal(err)
			}
			if target.Operation != c.operation || !slices.Equal(target.Resource.IDs, c.ids) || len(target.Classes) == 0 || target.Resource.Form() == "" {
				t.Errorf("got %+v, want %s of %v", target, c.operation, c.ids)
			}
			before := w.gmail.count()
			if err := c.do(t, w, w.grant(t, target)); err != nil {
				t.Fatal(err)
			}
			if w.gmail.count() == before {
				t.Error("nothing arrived")
			}
			var seen []string
			for _, h := range w.gmail.hits[before:] {
				if h.req.Header.Get("Authorization") != "Bearer token-1" || strings.Contains(h.req.URL.String(), "token-1") {
					t.Error("a request without its token, or with one in its URL")
				}
				h.req.Body = http.NoBody
				if len(h.body) > 0 {
					h.req.Body = readCloser{bytes.NewReader(h.body)}
				}
				targets, err := gmail.TargetsOf(h.req)
				if err != nil {
					t.Fatal(err)
				}
				for _, got := range targets {
					seen = append(seen, got.Resource.IDs...)
					got.Resource.IDs = target.Resource.IDs
					if !reflect.DeepEqual(got, target) {
						t.Errorf("the wire says %+v, the call %+v", got, target)
					}
				}
			}
			slices.Sort(seen)
			if !slices.Equal(seen, c.ids) {
				t.Errorf("the wire named %v, the call %v", seen, c.ids)
			}
		})
	}
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// TestTablesAgree: routes, calls, quota and the policy's operations are the same set, and each is needed (MIN-1).
func TestTablesAgree(t *testing.T) {
	w := newWorld(t, agreeable)
	var routes, made, table []string
	for _, op := range gmail.Operations() {
		routes = append(routes, string(op))
	}
	for _, c := range calls() {
		made = append(made, string(c.operation))
	}
	for op, o := range w.tables.Operations {
		if o.API == "gmail" {
			table = append(table, op)
		}
		if needed := gmail.NotRepeated[policy.Operation(op)]; needed && o.Effect == "read" {
			t.Errorf("%s is a read that may not be repeated", op)
		}
		if o.Effect == "send" && !gmail.NotRepeated[policy.Operation(op)] {
			t.Errorf("%s is a send that may be repeated", op)
		}
	}
	slices.Sort(routes)
	slices.Sort(made)
	slices.Sort(table)
	made = slices.Compact(made)
	if !slices.Equal(routes, table) || !slices.Equal(made, table) {
		t.Errorf("routes %v, calls %v, policy %v: want the same", routes, made, table)
	}
	for _, op := range table {
		if gmail.Units[policy.Operation(op)] == 0 {
			t.Errorf("%s costs nothing", op)
		}
	}
}

// TestUploadIsTheSameMessage: a message is the same whether it travels in JSON or as an upload.
func TestUploadIsTheSameMessage(t *testing.T) {
	uploaded, err := gmail.SendDraft("d1", large, "t1").Target()
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"id": "d1", "message": map[string]any{"threadId": "t1", "raw": base64.URLEncoding.EncodeToString(large)}})
	if err != nil {
		t.Fatal(err)
	}
	inline, err := gmail.TargetsOf(request("POST", "/gmail/v1/users/me/drafts/send", "application/json", string(body)))
	if err != nil || len(inline) != 1 || !reflect.DeepEqual(inline[0], uploaded) {
		t.Errorf("uploaded %+v, inline %+v, %v: want the same", uploaded, inline, err)
	}
	for what, other := range map[string]gmail.Call[*gmail.Message]{
		"another message": gmail.SendDraft("d1", append(bytes.Clone(large), 'x'), "t1"), "another thread": gmail.SendDraft("d1", large, "t2"),
	} {
		if got, err := other.Target(); err != nil || got.Body == uploaded.Body {
			t.Errorf("%s has the same digest (%v)", what, err)
		}
	}
}

// TestSendNamesItsMessage: a send without a message would send whatever the draft holds, which nobody decided.
func TestSendNamesItsMessage(t *testing.T) {
	if target, err := gmail.SendDraft("d1", nil, "t1").Target(); err == nil {
		t.Errorf("got %+v, want an error", target)
	}
}

// TestOddIDs: an id that is more than a segment of a path is not sent.
func TestOddIDs(t *testing.T) {
	for _, id := range []string{"", ".", "..", "a/b", "../../users/you", "a?b", "a#b", "m1/attachments/x"} {
		if target, err := gmail.GetMessage(id).Target(); err == nil {
			t.Errorf("GetMessage(%q): got %+v, want an error", id, target)
		}
		if target, err := gmail.GetRows("m1", id).Target(); err == nil {
			t.Errorf("GetRows(%q): got %+v, want an error", id, target)
		}
	}
	for _, id := range []string{"a b", "a%2Fb", "ä", "a;b", "a:b", "a+b"} {
		target, err := gmail.GetRows(id).Target()
		if err != nil || !slices.Equal(target.Resource.IDs, []string{id}) {
			t.Errorf("GetRows(%q): got %+v, %v", id, target, err)
		}
	}
	if _, err := gmail.GetRows().Target(); err == nil {
		t.Error("an empty batch has a target")
	}
}

// request is one as it could reach the guard.
func request(method, target, contentType, body string) *http.Request {
	req, err := http.NewRequest(method, "https://gmail.googleapis.com"+target, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	if body == "" {
		req.Body = nil
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req
}

func FuzzTargets(f *testing.F) {
	f.Add("GET", "/gmail/v1/users/me/messages/m1?format=full&alt=json&prettyPrint=false", "", "")
	f.Add("POST", "/gmail/v1/users/me/drafts/send", "application/json", `{"id":"d","message":{"raw":"YQ"}}`)
	f.Add("POST", "/upload/gmail/v1/users/me/drafts?uploadType=multipart", "multipart/related; boundary=b",
		"--b\r\nContent-Type: application/json\r\n\r\n{}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nx\r\n--b--\r\n")
	f.Add("POST", "/batch/gmail/v1", "multipart/mixed; boundary=b",
		"--b\r\nContent-Type: application/http\r\n\r\nGET /gmail/v1/users/me/messages/m1 HTTP/1.1\r\n\r\n--b--\r\n")
	f.Fuzz(func(t *testing.T, method, target, contentType, body string) {
		req, err := http.NewRequest(method, "https://gmail.googleapis.com/"+strings.TrimPrefix(target, "/"), strings.NewReader(body))
		if err != nil || req.Host != "gmail.googleapis.com" {
			return
		}
		req.Header.Set("Content-Type", contentType)
		targets, err := gmail.TargetsOf(req)
		if err != nil {
			return
		}
		for _, got := range targets {
			if !slices.Contains(gmail.Operations(), got.Operation) || len(got.Classes) == 0 {
				t.Errorf("%s %q: got %+v", method, target, got)
			}
			for _, id := range got.Resource.IDs {
				if id == "" || len(targets) == 1 && got.Body == (policy.Digest{}) && (id == ".." || strings.ContainsAny(id, "/?#")) {
					t.Errorf("%s %q: id %q", method, target, id)
				}
			}
		}
		rest := new(bytes.Buffer)
		if _, err := rest.ReadFrom(req.Body); err != nil || rest.String() != body {
			t.Errorf("the body was changed on the way: %v", errors.Join(err))
		}
	})
}
