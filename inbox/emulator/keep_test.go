package emulator_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/api/gmail/v1"

	"github.com/totalengage/webmail/inbox/emulator"
)

// keptWorld is a server that keeps its state in a directory. It is closed at the end
// unless the test gives it up before.
func keptWorld(t *testing.T, dir string) *world {
	t.Helper()
	tokens := emulator.StaticTokens{}
	for _, name := range []string{"alice", "bob"} {
		tokens[name] = emulator.TokenInfo{Email: name + "@example.com", Scopes: []string{fullScope, basicScope, sharingScope}, ClientID: "test"}
	}
	srv := emulator.New(emulator.Options{Auth: tokens, Quota: "off", Logf: func(string, ...any) {}})
	if err := srv.Keep(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	for _, name := range []string{"alice", "bob"} {
		if !srv.HasUser(name + "@example.com") {
			if err := srv.AddUser(name+"@example.com", name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return serve(t, srv)
}

// everything is all that the API shows of a mailbox. Attachment ids are left out: they
// differ at every look.
func (w *world) everything(token string, since uint64) string {
	w.t.Helper()
	user := w.client(token)
	var all []any
	add := func(v any, err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, v)
	}
	add(user.GetProfile("me").Do())
	labels := must[*gmail.ListLabelsResponse](w.t)(user.Labels.List("me").Do())
	for _, l := range labels.Labels {
		add(user.Labels.Get("me", l.Id).Do())
	}
	list := must[*gmail.ListMessagesResponse](w.t)(user.Messages.List("me").IncludeSpamTrash(true).Do())
	for _, m := range list.Messages {
		add(user.Messages.Get("me", m.Id).Format("raw").Do())
	}
	add(user.Threads.List("me").Do())
	add(user.Drafts.List("me").Do())
	add(user.Messages.List("me").Q("subject:report -draft").Do())
	add(user.History.List("me").StartHistoryId(since).Do())
	add(user.Settings.SendAs.List("me").Do())
	add(user.Settings.Filters.List("me").Do())
	add(user.Settings.GetVacation("me").Do())
	add(user.Settings.ForwardingAddresses.List("me").Do())
	out, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		w.t.Fatal(err)
	}
	return string(out)
}

// live does some of everything that changes a mailbox, and returns where its history began.
func (w *world) live() uint64 {
	w.t.Helper()
	alice, bob := w.client("alice"), w.client("bob")
	since := must[*gmail.Profile](w.t)(alice.GetProfile("me").Do()).HistoryId
	kept := must[*gmail.Label](w.t)(alice.Labels.Create("me", &gmail.Label{Name: "Kept", Color: &gmail.LabelColor{TextColor: "#000000", BackgroundColor: "#ffffff"}}).Do())
	lost := must[*gmail.Label](w.t)(alice.Labels.Create("me", &gmail.Label{Name: "Lost"}).Do())
	must[*gmail.Label](w.t)(alice.Labels.Patch("me", kept.Id, &gmail.Label{Name: "Kept/Renamed"}).Do())
	must[*gmail.Filter](w.t)(alice.Settings.Filters.Create("me", &gmail.Filter{Criteria: &gmail.FilterCriteria{From: "bob"}, Action: &gmail.FilterAction{AddLabelIds: []string{kept.Id}}}).Do())
	must[*gmail.VacationSettings](w.t)(alice.Settings.UpdateVacation("me", &gmail.VacationSettings{EnableAutoReply: true, ResponseSubject: "Away"}).Do())
	must[*gmail.SendAs](w.t)(alice.Settings.SendAs.Patch("me", "alice@example.com", &gmail.SendAs{Signature: "<b>A</b>"}).Do())
	must[*gmail.ForwardingAddress](w.t)(alice.Settings.ForwardingAddresses.Create("me", &gmail.ForwardingAddress{ForwardingEmail: "x@other.example"}).Do())
	for range 3 {
		w.send(bob, "To: alice@example.com\r\nSubject: the report\r\n\r\nx \x00\xff", "")
	}
	for i := range 3 { // they come in another order than their dates
		w.insert("Subject: old report\r\n\r\nx", testTime.AddDate(0, 0, -i), "INBOX")
	}
	list := must[*gmail.ListMessagesResponse](w.t)(alice.Messages.List("me").Q("from:bob").Do()).Messages
	must[*gmail.Message](w.t)(alice.Messages.Modify("me", list[0].Id, &gmail.ModifyMessageRequest{AddLabelIds: []string{"STARRED", lost.Id}, RemoveLabelIds: []string{"UNREAD"}}).Do())
	must[*gmail.Message](w.t)(alice.Messages.Trash("me", list[1].Id).Do())
	if err := alice.Messages.Delete("me", list[2].Id).Do(); err != nil {
		w.t.Fatal(err)
	}
	if err := alice.Labels.Delete("me", lost.Id).Do(); err != nil {
		w.t.Fatal(err)
	}
	draft := must[*gmail.Draft](w.t)(alice.Drafts.Create("me", &gmail.Draft{Message: &gmail.Message{Raw: encode("To: bob@example.com\r\nSubject: draft report\r\n\r\n1")}}).Do())
	must[*gmail.Draft](w.t)(alice.Drafts.Update("me", draft.Id, &gmail.Draft{Message: &gmail.Message{Raw: encode("To: bob@example.com\r\nSubject: draft report\r\n\r\n2")}}).Do())
	sent := must[*gmail.Draft](w.t)(alice.Drafts.Create("me", &gmail.Draft{Message: &gmail.Message{Raw: encode("To: bob@example.com\r\nSubject: sent report\r\n\r\n1")}}).Do())
	must[*gmail.Message](w.t)(alice.Drafts.Send("me", &gmail.Draft{Id: sent.Id}).Do())
	return since
}

func TestKeep(t *testing.T) {
	dir := t.TempDir()
	w := keptWorld(t, dir)
	since := w.live()
	want := map[string]string{"alice": w.everything("alice", since)}
	for round := range 3 { // the second time from what was written anew, the third also from what was added since
		if err := w.srv.Close(); err != nil {
			t.Fatal(err)
		}
		w = keptWorld(t, dir)
		if got := w.everything("alice", since); got != want["alice"] {
			t.Fatalf("round %d: alice's mailbox differs:\n%s\nwant\n%s", round, got, want["alice"])
		}
		if round == 1 {
			must[*gmail.Label](t)(w.client("alice").Labels.Create("me", &gmail.Label{Name: "Later"}).Do())
			w.insert("Subject: later\r\n\r\nx", testTime, "Later")
			want["alice"] = w.everything("alice", since)
		}
	}
}

// TestKeepAfterACrash: whatever part of the last line reached the disk, what was
// answered before is there, and the server goes on.
func TestKeepAfterACrash(t *testing.T) {
	dir := t.TempDir()
	w := keptWorld(t, dir)
	w.insert("Subject: first\r\n\r\nx", testTime)
	before := readJournal(t, dir)
	w.insert("Subject: second\r\n\r\nx", testTime)
	after := readJournal(t, dir)
	if !bytes.HasPrefix(after, before) {
		t.Fatal("the journal is not only appended to")
	}
	for _, cut := range []int{len(before), len(before) + 1, (len(before) + len(after)) / 2, len(after) - 1, len(after)} {
		crashed := t.TempDir()
		if err := os.WriteFile(filepath.Join(crashed, "mailboxes.journal"), after[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		v := keptWorld(t, crashed)
		want := 1
		if cut == len(after) {
			want = 2
		}
		if got := len(v.subjects(v.client("alice"), "")); got != want {
			t.Errorf("cut at %d of %d: %d messages, want %d", cut, len(after), got, want)
		}
		v.insert("Subject: third\r\n\r\nx", testTime)
		if err := v.srv.Close(); err != nil {
			t.Fatal(err)
		}
		v = keptWorld(t, crashed)
		if got := len(v.subjects(v.client("alice"), "")); got != want+1 {
			t.Errorf("cut at %d: %d messages after going on, want %d", cut, got, want+1)
		}
	}
}

func readJournal(t *testing.T, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "mailboxes.journal"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKeepRefuses(t *testing.T) {
	dir := t.TempDir()
	w := keptWorld(t, dir)
	for range 3 {
		w.insert("Subject: x\r\n\r\ny", testTime)
	}
	if err := emulator.New(emulator.Options{}).Keep(dir); err == nil {
		t.Error("two servers keep one directory")
	}
	if err := w.srv.Keep(dir); err == nil {
		t.Error("a server with users restores others")
	}
	if err := w.srv.Close(); err != nil {
		t.Fatal(err)
	}
	damaged := readJournal(t, dir)
	at := bytes.Index(damaged, []byte(`"message"`))
	if at < 0 {
		t.Fatal("no message in the journal")
	}
	damaged[at+2]++
	if err := os.WriteFile(filepath.Join(dir, "mailboxes.journal"), damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := emulator.New(emulator.Options{}).Keep(dir); err == nil || !strings.Contains(err.Error(), "damaged in line") {
		t.Errorf("a damaged journal: %v", err)
	}
}

// TestClosedServerKeepsNothing: an answer is a promise, so after the journal is gone
// there are none.
func TestClosedServerKeepsNothing(t *testing.T) {
	w := keptWorld(t, t.TempDir())
	if err := w.srv.Close(); err != nil {
		t.Fatal(err)
	}
	wantError(t, errOf(w.client("alice").Labels.Create("me", &gmail.Label{Name: "x"}).Do()), 500, "backendError", "")
}
