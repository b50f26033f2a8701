package emulator_test

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/gmail/v1"

	"github.com/totalengage/webmail/inbox/emulator"
)

// insert puts a message into alice's mailbox.
func (w *world) insert(raw string, at time.Time, labels ...string) string {
	w.t.Helper()
	id, err := w.srv.Insert("alice@example.com", []byte(raw), labels, at)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestLabels(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	list := must[*gmail.ListLabelsResponse](t)(alice.Labels.List("me").Do())
	if got, want := list.Labels[0].Id, "CHAT"; len(list.Labels) != 14 || got != want {
		t.Errorf("%d labels, first %s", len(list.Labels), got)
	}
	for _, l := range list.Labels {
		if l.Type != "system" || l.Id != l.Name || (l.Id == "INBOX") != (l.LabelListVisibility == "") && l.Id == "INBOX" || l.MessagesTotal != 0 {
			t.Errorf("label %+v", l)
		}
	}
	made := must[*gmail.Label](t)(alice.Labels.Create("me", &gmail.Label{Name: "Ops/Review"}).Do())
	if made.Type != "user" || !strings.HasPrefix(made.Id, "Label_") || made.LabelListVisibility != "labelShow" || made.MessageListVisibility != "show" {
		t.Errorf("made %+v", made)
	}
	wantError(t, errOf(alice.Labels.Create("me", &gmail.Label{Name: "OPS/review"}).Do()), 409, "aborted", "Label name exists or conflicts")
	patched := must[*gmail.Label](t)(alice.Labels.Patch("me", made.Id, &gmail.Label{LabelListVisibility: "labelHide", Color: &gmail.LabelColor{BackgroundColor: "#fb4c2f", TextColor: "#ffffff"}}).Do())
	if patched.Name != "Ops/Review" || patched.LabelListVisibility != "labelHide" || patched.Color == nil {
		t.Errorf("patch must merge: %+v", patched)
	}
	updated := must[*gmail.Label](t)(alice.Labels.Update("me", made.Id, &gmail.Label{Name: "Renamed"}).Do())
	if updated.Name != "Renamed" || updated.LabelListVisibility != "labelShow" || updated.Color != nil {
		t.Errorf("put must replace: %+v", updated)
	}

	a := w.insert("Subject: a\r\n\r\n1", testTime, "INBOX", "UNREAD", "Renamed")
	w.insert("Subject: b\r\n\r\n2", testTime, "INBOX", "Renamed")
	counted := must[*gmail.Label](t)(alice.Labels.Get("me", made.Id).Do())
	if counted.MessagesTotal != 2 || counted.MessagesUnread != 1 || counted.ThreadsTotal != 2 || counted.ThreadsUnread != 1 {
		t.Errorf("counts %+v", counted)
	}
	if err := alice.Labels.Delete("me", made.Id).Do(); err != nil {
		t.Fatal(err)
	}
	m := must[*gmail.Message](t)(alice.Messages.Get("me", a).Format("minimal").Do())
	if slices.Contains(m.LabelIds, made.Id) {
		t.Errorf("label stays on the message: %v", m.LabelIds)
	}
	wantError(t, errOf(alice.Labels.Get("me", made.Id).Do()), 404, "notFound", "")
}

func TestInsertMakesNestedLabels(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.insert("Subject: a\r\n\r\n1", testTime, "A/B/C", "a/b")
	var names []string
	for _, l := range must[*gmail.ListLabelsResponse](t)(w.client("alice").Labels.List("me").Do()).Labels {
		if l.Type == "user" {
			names = append(names, l.Name)
		}
	}
	if want := []string{"A", "A/B", "A/B/C"}; !slices.Equal(names, want) {
		t.Errorf("labels %v, want %v", names, want)
	}
}

func TestListsPageNewestFirst(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	var want []string
	for i := range 7 {
		want = append(want, w.insert(fmt.Sprintf("Subject: %d\r\n\r\nx", i), testTime.Add(time.Duration(i/2)*time.Hour), "INBOX"))
	}
	slices.Reverse(want)
	w.insert("Subject: gone\r\n\r\nx", testTime, "TRASH", "INBOX")
	draft := w.insert("Subject: draft\r\n\r\nx", testTime.Add(100*time.Hour), "DRAFT")
	want = append([]string{draft}, want...)
	var got []string
	token := ""
	for {
		page := must[*gmail.ListMessagesResponse](t)(alice.Messages.List("me").MaxResults(3).PageToken(token).Do())
		for _, m := range page.Messages {
			got = append(got, m.Id)
		}
		if token = page.NextPageToken; token == "" {
			break
		}
		if page.ResultSizeEstimate <= 3 {
			t.Errorf("estimate %d on a page with more behind it", page.ResultSizeEstimate)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	all := must[*gmail.ListMessagesResponse](t)(alice.Messages.List("me").IncludeSpamTrash(true).Do())
	if len(all.Messages) != 9 {
		t.Errorf("%d with trash, want 9", len(all.Messages))
	}
	none := must[*gmail.ListMessagesResponse](t)(alice.Messages.List("me").LabelIds("INBOX", "STARRED").Do())
	if none.Messages != nil || none.ResultSizeEstimate != 0 {
		t.Errorf("labelIds are ANDed: %+v", none)
	}
}

func TestPagingSurvivesDeletion(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	for i := range 6 {
		w.insert(fmt.Sprintf("Subject: %d\r\n\r\nx", i), testTime.Add(time.Duration(i)*time.Hour))
	}
	first := must[*gmail.ListMessagesResponse](t)(alice.Messages.List("me").MaxResults(3).Do())
	for _, m := range first.Messages {
		if err := alice.Messages.Delete("me", m.Id).Do(); err != nil {
			t.Fatal(err)
		}
	}
	second := must[*gmail.ListMessagesResponse](t)(alice.Messages.List("me").MaxResults(3).PageToken(first.NextPageToken).Do())
	if len(second.Messages) != 3 || second.NextPageToken != "" {
		t.Errorf("second page %d messages, token %q", len(second.Messages), second.NextPageToken)
	}
}

func TestTrashKeepsLabels(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	id := w.insert("Subject: a\r\n\r\n1", testTime, "INBOX", "STARRED")
	trashed := must[*gmail.Message](t)(alice.Messages.Trash("me", id).Do())
	if want := []string{"INBOX", "STARRED", "TRASH"}; !slices.Equal(trashed.LabelIds, want) {
		t.Errorf("labels %v, want %v", trashed.LabelIds, want)
	}
	for _, q := range []string{"in:inbox", "label:inbox", "is:starred"} {
		if l := must[*gmail.ListMessagesResponse](t)(alice.Messages.List("me").Q(q).Do()); len(l.Messages) != 0 {
			t.Errorf("%s finds trash", q)
		}
	}
	if l := must[*gmail.ListMessagesResponse](t)(alice.Messages.List("me").Q("in:trash").Do()); len(l.Messages) != 1 {
		t.Error("in:trash finds nothing")
	}
	back := must[*gmail.Message](t)(alice.Messages.Untrash("me", id).Do())
	if want := []string{"INBOX", "STARRED"}; !slices.Equal(back.LabelIds, want) {
		t.Errorf("labels %v, want %v", back.LabelIds, want)
	}
}

func TestBatchModifyAndDelete(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	a, b := w.insert("Subject: a\r\n\r\n1", testTime, "INBOX"), w.insert("Subject: b\r\n\r\n1", testTime, "INBOX")
	if err := alice.Messages.BatchModify("me", &gmail.BatchModifyMessagesRequest{
		Ids: []string{a, b, "00000000000000aa"}, AddLabelIds: []string{"STARRED"}, RemoveLabelIds: []string{"INBOX"},
	}).Do(); err != nil {
		t.Fatal(err)
	}
	if l := must[*gmail.ListMessagesResponse](t)(alice.Messages.List("me").LabelIds("STARRED").Do()); len(l.Messages) != 2 {
		t.Errorf("%d starred, want 2", len(l.Messages))
	}
	if err := alice.Messages.BatchDelete("me", &gmail.BatchDeleteMessagesRequest{Ids: []string{a, "00000000000000aa"}}).Do(); err != nil {
		t.Fatal(err)
	}
	wantError(t, errOf(alice.Messages.Get("me", a).Do()), 404, "notFound", "")
}

func TestHistory(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	start := must[*gmail.Profile](t)(alice.GetProfile("me").Do()).HistoryId
	empty := must[*gmail.ListHistoryResponse](t)(alice.History.List("me").StartHistoryId(start).Do())
	if empty.History != nil || empty.HistoryId != start {
		t.Errorf("no change: %+v", empty)
	}
	a := w.insert("Subject: a\r\n\r\n1", testTime, "INBOX")
	modified := must[*gmail.Message](t)(alice.Messages.Modify("me", a, &gmail.ModifyMessageRequest{AddLabelIds: []string{"STARRED"}, RemoveLabelIds: []string{"INBOX"}}).Do())
	b := w.insert("Subject: b\r\n\r\n1", testTime, "INBOX")
	if err := alice.Messages.Delete("me", b).Do(); err != nil {
		t.Fatal(err)
	}
	all := must[*gmail.ListHistoryResponse](t)(alice.History.List("me").StartHistoryId(start).Do())
	var kinds []string
	last := start
	for _, h := range all.History {
		if h.Id <= last {
			t.Errorf("id %d after %d", h.Id, last)
		}
		last = h.Id
		kinds = append(kinds, fmt.Sprint(len(h.MessagesAdded), len(h.MessagesDeleted), len(h.LabelsAdded), len(h.LabelsRemoved)))
	}
	if want := []string{"1 0 0 0", "0 0 1 1", "1 0 0 0", "0 1 0 0"}; !slices.Equal(kinds, want) {
		t.Errorf("records %v, want %v", kinds, want)
	}
	if all.HistoryId != last || all.HistoryId == start {
		t.Errorf("head %d, last record %d", all.HistoryId, last)
	}
	if m := must[*gmail.Message](t)(alice.Messages.Get("me", modified.Id).Format("minimal").Do()); m.HistoryId != all.History[1].Id {
		t.Errorf("message historyId %d, want %d", m.HistoryId, all.History[1].Id)
	}
	typed := must[*gmail.ListHistoryResponse](t)(alice.History.List("me").StartHistoryId(start).HistoryTypes("labelAdded").Do())
	if len(typed.History) != 1 || typed.History[0].LabelsRemoved != nil || typed.History[0].LabelsAdded[0].LabelIds[0] != "STARRED" {
		t.Errorf("labelAdded: %+v", typed.History)
	}
	labelled := must[*gmail.ListHistoryResponse](t)(alice.History.List("me").StartHistoryId(start).LabelId("STARRED").Do())
	if len(labelled.History) != 1 {
		t.Errorf("%d records with STARRED, want 1", len(labelled.History))
	}
	wantError(t, errOf(alice.History.List("me").StartHistoryId(start).LabelId("Label_77").Do()), 404, "notFound", "")
	page := must[*gmail.ListHistoryResponse](t)(alice.History.List("me").StartHistoryId(start).MaxResults(3).Do())
	rest := must[*gmail.ListHistoryResponse](t)(alice.History.List("me").StartHistoryId(start).MaxResults(3).PageToken(page.NextPageToken).Do())
	if len(page.History) != 3 || len(rest.History) != 1 || rest.NextPageToken != "" || rest.History[0].Id != last {
		t.Errorf("pages of %d and %d", len(page.History), len(rest.History))
	}
}

func TestHistoryRetention(t *testing.T) {
	clock := newClock()
	w := newWorld(t, emulator.Options{Now: clock.now, HistoryRetention: time.Hour})
	alice := w.client("alice")
	start := must[*gmail.Profile](t)(alice.GetProfile("me").Do()).HistoryId
	w.insert("Subject: a\r\n\r\n1", testTime)
	clock.advance(59 * time.Minute)
	if l := must[*gmail.ListHistoryResponse](t)(alice.History.List("me").StartHistoryId(start).Do()); len(l.History) != 1 {
		t.Errorf("%d records within the retention, want 1", len(l.History))
	}
	clock.advance(2 * time.Minute)
	wantError(t, errOf(alice.History.List("me").StartHistoryId(start).Do()), 404, "notFound", "")
	head := must[*gmail.Profile](t)(alice.GetProfile("me").Do()).HistoryId
	if _, err := alice.History.List("me").StartHistoryId(head).Do(); err != nil {
		t.Errorf("from the head: %v", err)
	}
}

func TestDrafts(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice, bob := w.client("alice"), w.client("bob")
	d := must[*gmail.Draft](t)(alice.Drafts.Create("me", &gmail.Draft{Message: &gmail.Message{Raw: encode("Subject: one\r\n\r\nfirst")}}).Do())
	if want := []string{"DRAFT"}; !strings.HasPrefix(d.Id, "r") || !slices.Equal(d.Message.LabelIds, want) || d.Message.ThreadId != d.Message.Id {
		t.Errorf("created %+v", d.Message)
	}
	wantError(t, errOf(alice.Drafts.Send("me", &gmail.Draft{Id: d.Id}).Do()), 400, "invalidArgument", "Recipient address required")
	u := must[*gmail.Draft](t)(alice.Drafts.Update("me", d.Id, &gmail.Draft{Message: &gmail.Message{ThreadId: d.Message.ThreadId, Raw: encode("To: bob@example.com\r\nSubject: two\r\n\r\nsecond")}}).Do())
	if u.Id != d.Id || u.Message.Id == d.Message.Id || u.Message.ThreadId != d.Message.ThreadId {
		t.Errorf("updated %s/%s in %s, was %s/%s in %s", u.Id, u.Message.Id, u.Message.ThreadId, d.Id, d.Message.Id, d.Message.ThreadId)
	}
	wantError(t, errOf(alice.Messages.Get("me", d.Message.Id).Do()), 404, "notFound", "")
	list := must[*gmail.ListDraftsResponse](t)(alice.Drafts.List("me").Do())
	if len(list.Drafts) != 1 || list.Drafts[0].Message.Id != u.Message.Id {
		t.Errorf("list %+v", list.Drafts)
	}
	got := must[*gmail.Draft](t)(alice.Drafts.Get("me", d.Id).Format("raw").Do())
	if raw := decode(t, got.Message.Raw); !strings.HasSuffix(raw, "second") {
		t.Errorf("raw %q", raw)
	}
	sent := must[*gmail.Message](t)(alice.Drafts.Send("me", &gmail.Draft{Id: d.Id}).Do())
	if sent.Id == u.Message.Id || sent.ThreadId != u.Message.ThreadId || !slices.Equal(sent.LabelIds, []string{"SENT"}) {
		t.Errorf("sent %+v", sent)
	}
	wantError(t, errOf(alice.Drafts.Get("me", d.Id).Do()), 404, "notFound", "")
	wantError(t, errOf(alice.Drafts.Send("me", &gmail.Draft{Id: d.Id}).Do()), 404, "notFound", "")
	if l := must[*gmail.ListMessagesResponse](t)(bob.Messages.List("me").Do()); len(l.Messages) != 1 {
		t.Errorf("bob has %d messages, want 1", len(l.Messages))
	}
	again := must[*gmail.Draft](t)(alice.Drafts.Create("me", &gmail.Draft{Message: &gmail.Message{Raw: encode("Subject: x\r\n\r\n")}}).Do())
	must[*gmail.Message](t)(alice.Drafts.Send("me", &gmail.Draft{Id: again.Id, Message: &gmail.Message{Raw: encode("To: bob@example.com\r\nSubject: given\r\n\r\nz")}}).Do())
	third := must[*gmail.Draft](t)(alice.Drafts.Create("me", &gmail.Draft{Message: &gmail.Message{Raw: encode("Subject: x\r\n\r\n")}}).Do())
	if err := alice.Drafts.Delete("me", third.Id).Do(); err != nil {
		t.Fatal(err)
	}
	if l := must[*gmail.ListDraftsResponse](t)(alice.Drafts.List("me").Do()); l.Drafts != nil {
		t.Errorf("drafts left: %+v", l.Drafts)
	}
	if l := must[*gmail.ListMessagesResponse](t)(bob.Messages.List("me").Q("subject:given").Do()); len(l.Messages) != 1 {
		t.Error("the message given with the draft did not go out")
	}
}

func TestThreads(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	first := w.insert("Message-ID: <1@x>\r\nSubject: Plan\r\n\r\none", testTime, "INBOX")
	w.insert("Message-ID: <other@x>\r\nSubject: Other\r\n\r\nother", testTime.Add(time.Hour), "INBOX")
	reply := w.insert("Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\nReferences: <1@x>\r\nSubject: Re: Plan\r\n\r\ntwo", testTime.Add(2*time.Hour), "INBOX", "UNREAD")
	list := must[*gmail.ListThreadsResponse](t)(alice.Threads.List("me").LabelIds("INBOX").Do())
	if len(list.Threads) != 2 || list.Threads[0].Id != first || list.Threads[0].Snippet != "two" {
		t.Fatalf("threads %+v", list.Threads[0])
	}
	got := must[*gmail.Thread](t)(alice.Threads.Get("me", first).Format("minimal").Do())
	if len(got.Messages) != 2 || got.Messages[0].Id != first || got.Messages[1].Id != reply || got.HistoryId != got.Messages[1].HistoryId {
		t.Errorf("thread %+v", got)
	}
	modified := must[*gmail.Thread](t)(alice.Threads.Modify("me", first, &gmail.ModifyThreadRequest{RemoveLabelIds: []string{"INBOX"}}).Do())
	if len(modified.Messages) != 2 || slices.Contains(modified.Messages[1].LabelIds, "INBOX") {
		t.Errorf("modified %+v", modified)
	}
	must[*gmail.Thread](t)(alice.Threads.Trash("me", first).Do())
	if l := must[*gmail.ListThreadsResponse](t)(alice.Threads.List("me").Do()); len(l.Threads) != 1 {
		t.Errorf("%d threads outside the trash, want 1", len(l.Threads))
	}
	must[*gmail.Thread](t)(alice.Threads.Untrash("me", first).Do())
	if err := alice.Threads.Delete("me", first).Do(); err != nil {
		t.Fatal(err)
	}
	wantError(t, errOf(alice.Messages.Get("me", reply).Do()), 404, "notFound", "")
}

func TestThreadPagesHoldEachThreadOnce(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	for i := range 12 { // four threads of three messages, interleaved
		w.insert(fmt.Sprintf("Message-ID: <%d@x>\r\nReferences: <root%d@x>\r\n\r\nx", i, i%4), testTime.Add(time.Duration(i)*time.Minute))
	}
	seen := map[string]int{}
	token := ""
	for {
		page := must[*gmail.ListThreadsResponse](t)(alice.Threads.List("me").MaxResults(1).PageToken(token).Do())
		for _, th := range page.Threads {
			seen[th.Id]++
		}
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("thread %s on %d pages", id, n)
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d threads, want 4", len(seen))
	}
}

func TestThreadIsCutAtHundred(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	first := w.insert("Message-ID: <root@x>\r\n\r\nx", testTime)
	for i := range 120 {
		w.insert(fmt.Sprintf("Message-ID: <%d@x>\r\nReferences: <root@x>\r\n\r\nx", i), testTime.Add(time.Duration(i)*time.Minute))
	}
	alice := w.client("alice")
	var sizes []int
	for _, th := range must[*gmail.ListThreadsResponse](t)(alice.Threads.List("me").Do()).Threads {
		sizes = append(sizes, len(must[*gmail.Thread](t)(alice.Threads.Get("me", th.Id).Format("minimal").Do()).Messages))
	}
	sort.Ints(sizes)
	if want := []int{21, 100}; !slices.Equal(sizes, want) {
		t.Errorf("thread sizes %v, want %v", sizes, want)
	}
	if got := must[*gmail.Thread](t)(alice.Threads.Get("me", first).Format("minimal").Do()); len(got.Messages) != 100 {
		t.Errorf("first thread has %d messages", len(got.Messages))
	}
}

func TestSettingsRecords(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice")
	list := must[*gmail.ListSendAsResponse](t)(alice.Settings.SendAs.List("me").Do())
	if len(list.SendAs) != 1 || !list.SendAs[0].IsPrimary || list.SendAs[0].SendAsEmail != "alice@example.com" {
		t.Errorf("sendAs %+v", list.SendAs)
	}
	if one := must[*gmail.SendAs](t)(alice.Settings.SendAs.Get("me", "alice@example.com").Do()); !one.IsDefault {
		t.Errorf("sendAs %+v", one)
	}
	if v := must[*gmail.VacationSettings](t)(alice.Settings.GetVacation("me").Do()); v.EnableAutoReply {
		t.Error("vacation is on")
	}
	if l := must[*gmail.LanguageSettings](t)(alice.Settings.GetLanguage("me").Do()); l.DisplayLanguage != "en" {
		t.Errorf("language %q", l.DisplayLanguage)
	}
	if f := must[*gmail.ListFiltersResponse](t)(alice.Settings.Filters.List("me").Do()); f.Filter != nil {
		t.Errorf("filters %v", f.Filter)
	}
}

func TestSendAsIsChanged(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice := w.client("alice-settings.basic")
	patched := must[*gmail.SendAs](t)(alice.Settings.SendAs.Patch("me", "alice@example.com", &gmail.SendAs{Signature: "<b>A</b>"}).Do())
	if patched.Signature != "<b>A</b>" || !patched.IsPrimary {
		t.Errorf("patched %+v", patched)
	}
	updated := must[*gmail.SendAs](t)(alice.Settings.SendAs.Update("me", "alice@example.com", &gmail.SendAs{DisplayName: "Ali"}).Do())
	if updated.Signature != "" || updated.DisplayName != "Ali" {
		t.Errorf("updated %+v", updated)
	}
	wantError(t, errOf(alice.Settings.SendAs.Patch("me", "x@example.com", &gmail.SendAs{}).Do()), 404, "notFound", "")
	if l := must[*gmail.LanguageSettings](t)(alice.Settings.UpdateLanguage("me", &gmail.LanguageSettings{DisplayLanguage: "de"}).Do()); l.DisplayLanguage != "de" {
		t.Errorf("language %q", l.DisplayLanguage)
	}
}

func TestFilters(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	alice, settings := w.client("alice"), w.client("alice-settings.basic")
	label := must[*gmail.Label](t)(alice.Labels.Create("me", &gmail.Label{Name: "Bob"}).Do())
	f := &gmail.Filter{
		Criteria: &gmail.FilterCriteria{From: "bob@example.com OR carol", Subject: "report", NegatedQuery: "draft"},
		Action:   &gmail.FilterAction{AddLabelIds: []string{label.Id, "STARRED"}, RemoveLabelIds: []string{"INBOX"}},
	}
	made := must[*gmail.Filter](t)(settings.Settings.Filters.Create("me", f).Do())
	wantError(t, errOf(settings.Settings.Filters.Create("me", f).Do()), 400, "failedPrecondition", "Filter already exists")
	wantError(t, errOf(settings.Settings.Filters.Create("me", &gmail.Filter{Action: f.Action}).Do()), 400, "invalidArgument", "criteria")
	wantError(t, errOf(settings.Settings.Filters.Create("me", &gmail.Filter{Criteria: f.Criteria}).Do()), 400, "invalidArgument", "actions")
	for subject, want := range map[string][]string{
		"the report":   {label.Id, "STARRED", "UNREAD"},
		"draft report": {"INBOX", "UNREAD"},
	} {
		w.send(w.client("bob"), "To: alice@example.com\r\nSubject: "+subject+"\r\n\r\nx", "")
		if got := w.only(alice, `subject:"`+subject+`"`).LabelIds; !slices.Equal(got, want) {
			t.Errorf("%s has %v, want %v", subject, got, want)
		}
	}
	if l := must[*gmail.ListFiltersResponse](t)(alice.Settings.Filters.List("me").Do()); len(l.Filter) != 1 || l.Filter[0].Id != made.Id {
		t.Errorf("filters %+v", l.Filter)
	}
	must[*gmail.Filter](t)(alice.Settings.Filters.Get("me", made.Id).Do())
	if err := settings.Settings.Filters.Delete("me", made.Id).Do(); err != nil {
		t.Fatal(err)
	}
	wantError(t, errOf(alice.Settings.Filters.Get("me", made.Id).Do()), 404, "notFound", "")
}
