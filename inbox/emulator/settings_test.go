package emulator_test

import (
	"encoding/base64"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/gmail/v1"

	"github.com/totalengage/webmail/inbox/emulator"
)

const (
	basicScope   = "https://www.googleapis.com/auth/gmail.settings.basic"
	sharingScope = "https://www.googleapis.com/auth/gmail.settings.sharing"
)

// settingsWorld has alice and bob of example.com and carol of other.example. The
// tokens have every scope that settings need.
func settingsWorld(t *testing.T) (*world, *clock) {
	t.Helper()
	tokens := emulator.StaticTokens{}
	for _, email := range []string{"alice@example.com", "bob@example.com", "carol@other.example"} {
		name, _, _ := strings.Cut(email, "@")
		tokens[name] = emulator.TokenInfo{Email: email, Scopes: []string{fullScope, basicScope, sharingScope}}
	}
	clk := newClock()
	w := newWorld(t, emulator.Options{Auth: tokens, Now: clk.now, Control: true})
	if err := w.srv.AddUser("carol@other.example", "Carol"); err != nil {
		t.Fatal(err)
	}
	return w, clk
}

// subjects are those of the messages that a search finds, sorted.
func (w *world) subjects(user *gmail.UsersService, q string) []string {
	w.t.Helper()
	var out []string
	for _, m := range must[*gmail.ListMessagesResponse](w.t)(user.Messages.List("me").Q(q).Do()).Messages {
		full := must[*gmail.Message](w.t)(user.Messages.Get("me", m.Id).Format("metadata").MetadataHeaders("Subject").Do())
		subject := ""
		if len(full.Payload.Headers) > 0 {
			subject = full.Payload.Headers[0].Value
		}
		out = append(out, subject)
	}
	slices.Sort(out)
	return out
}

func TestVacation(t *testing.T) {
	w, clk := settingsWorld(t)
	alice, bob, carol := w.client("alice"), w.client("bob"), w.client("carol")
	update := func(v *gmail.VacationSettings) error { return errOf(alice.Settings.UpdateVacation("me", v).Do()) }
	wantError(t, update(&gmail.VacationSettings{EnableAutoReply: true}), 400, "invalidArgument", "must be nonempty")
	wantError(t, update(&gmail.VacationSettings{StartTime: 2, EndTime: 1}), 400, "invalidArgument", "startTime must precede endTime")
	set := func(v gmail.VacationSettings) {
		t.Helper()
		v.EnableAutoReply, v.ResponseSubject, v.ResponseBodyPlainText = true, "Away", "plain"
		if err := update(&v); err != nil {
			t.Fatal(err)
		}
	}
	write := func(from *gmail.UsersService, subject, header string) {
		w.send(from, "To: alice@example.com\r\nSubject: "+subject+"\r\n"+header+"\r\nx", "")
	}
	count := func(user *gmail.UsersService, want int, when string) {
		t.Helper()
		if got := w.subjects(user, "from:alice in:inbox"); len(got) != want {
			t.Errorf("%s: answered %q, want %d answers", when, got, want)
		}
	}
	set(gmail.VacationSettings{ResponseBodyHtml: `<p>rich<script>alert(1)</script></p>`})
	if v := must[*gmail.VacationSettings](t)(alice.Settings.GetVacation("me").Do()); v.ResponseBodyHtml != "<p>rich</p>" || !v.EnableAutoReply {
		t.Errorf("kept %+v, want clean HTML", v)
	}
	write(bob, "Re: hello", "")
	m := w.only(bob, "from:alice in:inbox")
	if header(m, "Subject") != "Away Re: hello" || header(m, "Auto-Submitted") != "auto-replied" || m.Payload.MimeType != "text/html" ||
		decode(t, m.Payload.Body.Data) != "<p>rich</p>" || header(m, "From") != `"Alice Example" <alice@example.com>` {
		t.Errorf("the answer has %+v and body %q", m.Payload.Headers, decode(t, m.Payload.Body.Data))
	}
	if m.ThreadId != w.only(bob, "in:sent").ThreadId {
		t.Error("the answer is in another thread")
	}
	if got := w.subjects(alice, "in:sent"); len(got) != 0 {
		t.Errorf("alice has sent %q herself", got)
	}
	write(bob, "again", "")
	count(bob, 1, "twice in a day")
	clk.advance(4*24*time.Hour + time.Second)
	write(bob, "later", "")
	count(bob, 2, "after four days")
	for _, header := range []string{"Auto-Submitted: auto-generated\r\n", "List-Id: <l.example>\r\n", "Precedence: bulk\r\n"} {
		write(carol, "machine", header)
	}
	count(carol, 0, "machines")
	set(gmail.VacationSettings{RestrictToDomain: true})
	write(carol, "hello", "")
	write(bob, "hello", "")
	count(carol, 0, "restricted to the domain")
	count(bob, 3, "edited: everybody is answered anew")
	set(gmail.VacationSettings{RestrictToContacts: true})
	write(carol, "hello", "")
	count(carol, 0, "a stranger")
	w.send(alice, "To: carol@other.example\r\nSubject: I know you\r\n\r\nx", "")
	write(carol, "hello", "")
	count(carol, 2, "somebody alice wrote to") // her own mail and the answer
	set(gmail.VacationSettings{StartTime: clk.now().Add(time.Hour).UnixMilli(), EndTime: clk.now().Add(2 * time.Hour).UnixMilli()})
	write(bob, "too early", "")
	count(bob, 3, "before its start")
	clk.advance(time.Hour)
	write(bob, "in time", "")
	count(bob, 4, "while it is on")
	clk.advance(5 * 24 * time.Hour)
	write(bob, "too late", "")
	count(bob, 4, "after its end")
}

// TestTwoOnVacation: automatic replies are not answered.
func TestTwoOnVacation(t *testing.T) {
	w, _ := settingsWorld(t)
	for _, user := range []string{"alice", "bob"} {
		must[*gmail.VacationSettings](t)(w.client(user).Settings.UpdateVacation("me", &gmail.VacationSettings{EnableAutoReply: true, ResponseSubject: "Away"}).Do())
	}
	w.send(w.client("bob"), "To: alice@example.com\r\nSubject: hello\r\n\r\nx", "")
	if a, b := w.subjects(w.client("alice"), "in:inbox"), w.subjects(w.client("bob"), "in:inbox"); len(a) != 1 || len(b) != 1 {
		t.Errorf("alice has %q, bob %q; want one message each", a, b)
	}
}

func TestForwarding(t *testing.T) {
	w, _ := settingsWorld(t)
	alice, bob, carol := w.client("alice"), w.client("bob"), w.client("carol")
	auto := func(f gmail.AutoForwarding) error {
		f.Enabled = true
		return errOf(alice.Settings.UpdateAutoForwarding("me", &f).Do())
	}
	wantError(t, auto(gmail.AutoForwarding{EmailAddress: "carol@other.example", Disposition: "archive"}), 400, "invalidArgument", "Unrecognized forwarding address")
	add := func(address string) (*gmail.ForwardingAddress, error) {
		return alice.Settings.ForwardingAddresses.Create("me", &gmail.ForwardingAddress{ForwardingEmail: address}).Do()
	}
	if f := must[*gmail.ForwardingAddress](t)(add("bob@example.com")); f.VerificationStatus != "accepted" {
		t.Errorf("an address of the own domain is %s", f.VerificationStatus)
	}
	if f := must[*gmail.ForwardingAddress](t)(add("carol@other.example")); f.VerificationStatus != "pending" {
		t.Errorf("an address elsewhere is %s", f.VerificationStatus)
	}
	wantError(t, errOf(add("carol@other.example")), 409, "alreadyExists", "")
	wantError(t, errOf(add("nobody")), 400, "invalidArgument", "Invalid forwarding address")
	wantError(t, auto(gmail.AutoForwarding{EmailAddress: "carol@other.example", Disposition: "archive"}), 400, "invalidArgument", "Unrecognized forwarding address")
	if got := w.subjects(carol, "from:forwarding-noreply"); len(got) != 1 {
		t.Errorf("carol was asked %q, want one mail", got)
	}
	if status, _, body := w.do("POST", "/emulator/verify", "", `{"user":"alice@example.com","address":"carol@other.example"}`); status != 204 {
		t.Fatalf("verify: %d %s", status, body)
	}
	if err := w.srv.Verify("alice@example.com", "nobody@other.example"); err == nil {
		t.Error("an unknown address was verified")
	}
	for _, c := range []struct {
		disposition string
		labels      []string
	}{
		{"leaveInInbox", []string{"INBOX", "UNREAD"}}, {"archive", []string{"UNREAD"}}, {"markRead", []string{"INBOX"}}, {"trash", []string{"INBOX", "TRASH", "UNREAD"}},
	} {
		if err := auto(gmail.AutoForwarding{EmailAddress: "carol@other.example", Disposition: c.disposition}); err != nil {
			t.Fatal(err)
		}
		w.send(bob, "To: alice@example.com\r\nSubject: "+c.disposition+"\r\n\r\nx", "")
		if got := w.only(alice, "in:anywhere subject:"+c.disposition); !slices.Equal(got.LabelIds, c.labels) {
			t.Errorf("%s: alice's has %v, want %v", c.disposition, got.LabelIds, c.labels)
		}
		if got := w.subjects(carol, "subject:"+c.disposition); len(got) != 1 {
			t.Errorf("%s: carol has %q", c.disposition, got)
		}
	}
	if got := must[*gmail.AutoForwarding](t)(alice.Settings.GetAutoForwarding("me").Do()); !got.Enabled || got.Disposition != "trash" {
		t.Errorf("auto-forwarding %+v", got)
	}
	must[*gmail.ForwardingAddress](t)(alice.Settings.ForwardingAddresses.Get("me", "carol@other.example").Do())
	if err := alice.Settings.ForwardingAddresses.Delete("me", "carol@other.example").Do(); err != nil {
		t.Fatal(err)
	}
	wantError(t, errOf(alice.Settings.ForwardingAddresses.Get("me", "carol@other.example").Do()), 404, "notFound", "")
	if got := must[*gmail.AutoForwarding](t)(alice.Settings.GetAutoForwarding("me").Do()); got.Enabled {
		t.Error("mail is still forwarded to an address that is gone")
	}
	if l := must[*gmail.ListForwardingAddressesResponse](t)(alice.Settings.ForwardingAddresses.List("me").Do()); len(l.ForwardingAddresses) != 1 {
		t.Errorf("left %+v", l.ForwardingAddresses)
	}
}

// TestForwardingInCircles: each of two mailboxes forwards all to the other.
func TestForwardingInCircles(t *testing.T) {
	w, _ := settingsWorld(t)
	other := map[string]string{"alice": "bob@example.com", "bob": "alice@example.com"}
	for user, to := range other {
		s := w.client(user).Settings
		must[*gmail.ForwardingAddress](t)(s.ForwardingAddresses.Create("me", &gmail.ForwardingAddress{ForwardingEmail: to}).Do())
		must[*gmail.AutoForwarding](t)(s.UpdateAutoForwarding("me", &gmail.AutoForwarding{Enabled: true, EmailAddress: to, Disposition: "leaveInInbox"}).Do())
	}
	w.send(w.client("carol"), "To: alice@example.com\r\nSubject: hello\r\n\r\nx", "")
	if a, b := w.subjects(w.client("alice"), "in:inbox"), w.subjects(w.client("bob"), "in:inbox"); len(a) != 2 || len(b) != 1 {
		t.Errorf("alice has %q, bob %q; want two and one", a, b)
	}
}

func TestFilterForwards(t *testing.T) {
	w, _ := settingsWorld(t)
	alice := w.client("alice")
	f := &gmail.Filter{Criteria: &gmail.FilterCriteria{Subject: "report"}, Action: &gmail.FilterAction{Forward: "bob@example.com"}}
	wantError(t, errOf(alice.Settings.Filters.Create("me", f).Do()), 400, "invalidArgument", "Unrecognized forwarding address")
	must[*gmail.ForwardingAddress](t)(alice.Settings.ForwardingAddresses.Create("me", &gmail.ForwardingAddress{ForwardingEmail: "bob@example.com"}).Do())
	must[*gmail.Filter](t)(alice.Settings.Filters.Create("me", f).Do())
	for _, subject := range []string{"report", "other"} {
		w.send(w.client("carol"), "To: alice@example.com\r\nSubject: "+subject+"\r\n\r\nx", "")
	}
	if got := w.subjects(w.client("bob"), "in:inbox"); !slices.Equal(got, []string{"report"}) {
		t.Errorf("bob has %q, want the report", got)
	}
}

func TestSendAs(t *testing.T) {
	w, _ := settingsWorld(t)
	alice := w.client("alice")
	create := func(a *gmail.SendAs) (*gmail.SendAs, error) { return alice.Settings.SendAs.Create("me", a).Do() }
	wantError(t, errOf(create(&gmail.SendAs{SendAsEmail: "x"})), 400, "invalidArgument", "Invalid sendAsEmail")
	wantError(t, errOf(create(&gmail.SendAs{SendAsEmail: "a@b.example", SmtpMsa: &gmail.SmtpMsa{Host: "h"}})), 400, "invalidArgument", "Invalid smtpMsa")
	own := must[*gmail.SendAs](t)(create(&gmail.SendAs{SendAsEmail: "sales@example.com", DisplayName: "Sales", TreatAsAlias: true, IsDefault: true,
		Signature: `<b onclick="x()">S</b>`, ReplyToAddress: "bob@example.com"}))
	if own.VerificationStatus != "accepted" || !own.IsDefault || !own.TreatAsAlias || own.Signature != "<b>S</b>" || own.ReplyToAddress != "bob@example.com" {
		t.Errorf("own domain %+v", own)
	}
	far := must[*gmail.SendAs](t)(create(&gmail.SendAs{SendAsEmail: "carol@other.example", SmtpMsa: &gmail.SmtpMsa{Host: "smtp.example", Port: 465, SecurityMode: "ssl", Username: "u", Password: "secret"}}))
	if far.VerificationStatus != "pending" || far.SmtpMsa == nil || far.SmtpMsa.Password != "" || far.SmtpMsa.Username != "" || far.SmtpMsa.Port != 465 {
		t.Errorf("elsewhere %+v %+v", far, far.SmtpMsa)
	}
	wantError(t, errOf(create(&gmail.SendAs{SendAsEmail: "Sales@example.com"})), 409, "alreadyExists", "")
	from := func(address, subject string) string {
		t.Helper()
		w.send(alice, "From: "+address+"\r\nTo: bob@example.com\r\nSubject: "+subject+"\r\n\r\nx", "")
		return header(w.only(w.client("bob"), "subject:"+subject), "From")
	}
	if got := from("sales@example.com", "first"); got != "sales@example.com" {
		t.Errorf("sent from %q", got)
	}
	if got := from("carol@other.example", "second"); !strings.Contains(got, "alice@example.com") {
		t.Errorf("sent from %q, an address that is not verified", got)
	}
	if err := alice.Settings.SendAs.Verify("me", "carol@other.example").Do(); err != nil {
		t.Fatal(err)
	}
	if got := w.subjects(w.client("carol"), "from:forwarding-noreply"); len(got) != 2 {
		t.Errorf("carol was asked %d times, want 2", len(got))
	}
	if err := w.srv.Verify("alice@example.com", "carol@other.example"); err != nil {
		t.Fatal(err)
	}
	if got := from("carol@other.example", "third"); got != "carol@other.example" {
		t.Errorf("sent from %q after the verification", got)
	}
	wantError(t, alice.Settings.SendAs.Verify("me", "carol@other.example").Do(), 400, "failedPrecondition", "")
	w.send(w.client("bob"), "To: sales@example.com\r\nSubject: to the alias\r\n\r\nx", "")
	w.only(alice, `subject:"to the alias" in:inbox`)
	wantError(t, alice.Settings.SendAs.Delete("me", "alice@example.com").Do(), 400, "invalidArgument", "primary")
	for _, address := range []string{"sales@example.com", "carol@other.example"} {
		if err := alice.Settings.SendAs.Delete("me", address).Do(); err != nil {
			t.Error(err)
		}
	}
	if l := must[*gmail.ListSendAsResponse](t)(alice.Settings.SendAs.List("me").Do()); len(l.SendAs) != 1 || !l.SendAs[0].IsDefault {
		t.Errorf("left %+v", l.SendAs)
	}
}

// TestSignatureIsCleaned: what a signature looks like stays, what it could do goes.
func TestSignatureIsCleaned(t *testing.T) {
	w, _ := settingsWorld(t)
	for given, want := range map[string]string{
		`<div class="sig"><span style="color: #ff0000; position: fixed">A</span><br/><a href="https://example.com/">x</a></div>`: `<div class="sig"><span style="color: #ff0000">A</span><br/><a href="https://example.com/">x</a></div>`,
		`<img src="https://example.com/logo.png" width="80" onerror="x()">`:                                                      `<img src="https://example.com/logo.png" width="80">`,
		`<a href="javascript:x()">y</a><script>z</script><iframe src="https://example.com/"></iframe>`:                           `y`,
	} {
		got := must[*gmail.SendAs](t)(w.client("alice").Settings.SendAs.Patch("me", "alice@example.com", &gmail.SendAs{Signature: given}).Do())
		if got.Signature != want {
			t.Errorf("%s becomes %s, want %s", given, got.Signature, want)
		}
	}
}

func TestPlainSettings(t *testing.T) {
	w, _ := settingsWorld(t)
	s := w.client("alice").Settings
	imap := must[*gmail.ImapSettings](t)(s.UpdateImap("me", &gmail.ImapSettings{Enabled: true, ExpungeBehavior: "trash", MaxFolderSize: 5000}).Do())
	if got := must[*gmail.ImapSettings](t)(s.GetImap("me").Do()); got.MaxFolderSize != 5000 || got.ExpungeBehavior != imap.ExpungeBehavior || got.AutoExpunge {
		t.Errorf("imap %+v", got)
	}
	wantError(t, errOf(s.UpdateImap("me", &gmail.ImapSettings{MaxFolderSize: 7}).Do()), 400, "invalidArgument", "maxFolderSize")
	must[*gmail.PopSettings](t)(s.UpdatePop("me", &gmail.PopSettings{AccessWindow: "allMail", Disposition: "archive"}).Do())
	if got := must[*gmail.PopSettings](t)(s.GetPop("me").Do()); got.AccessWindow != "allMail" || got.Disposition != "archive" {
		t.Errorf("pop %+v", got)
	}
	wantError(t, errOf(s.UpdatePop("me", &gmail.PopSettings{AccessWindow: "always"}).Do()), 400, "invalid", "")
	if got := must[*gmail.LanguageSettings](t)(s.UpdateLanguage("me", &gmail.LanguageSettings{DisplayLanguage: "pt-BR"}).Do()); got.DisplayLanguage != "pt-BR" {
		t.Errorf("language %+v", got)
	}
	wantError(t, errOf(s.UpdateLanguage("me", &gmail.LanguageSettings{DisplayLanguage: "?"}).Do()), 400, "invalidArgument", "language")
}

func TestDelegates(t *testing.T) {
	w, _ := settingsWorld(t)
	d := w.client("alice").Settings.Delegates
	if got := must[*gmail.Delegate](t)(d.Create("me", &gmail.Delegate{DelegateEmail: "bob@example.com"}).Do()); got.VerificationStatus != "accepted" {
		t.Errorf("delegate %+v", got)
	}
	for address, code := range map[string]int{"bob@example.com": 409, "carol@other.example": 400, "nobody@example.com": 400, "alice@example.com": 400} {
		reason := map[int]string{409: "alreadyExists", 400: "invalidArgument"}[code]
		wantError(t, errOf(d.Create("me", &gmail.Delegate{DelegateEmail: address}).Do()), code, reason, "")
	}
	must[*gmail.Delegate](t)(d.Get("me", "bob@example.com").Do())
	if err := d.Delete("me", "bob@example.com").Do(); err != nil {
		t.Fatal(err)
	}
	wantError(t, d.Delete("me", "bob@example.com").Do(), 404, "notFound", "")
	if l := must[*gmail.ListDelegatesResponse](t)(d.List("me").Do()); l.Delegates != nil {
		t.Errorf("left %+v", l.Delegates)
	}
}

func testFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSmime(t *testing.T) {
	w, _ := settingsWorld(t)
	s := w.client("alice").Settings.SendAs.SmimeInfo
	const address = "alice@example.com"
	file := base64.URLEncoding.EncodeToString(testFile(t, "alice.p12"))
	insert := func(at, file, password string) (*gmail.SmimeInfo, error) {
		return s.Insert("me", at, &gmail.SmimeInfo{Pkcs12: file, EncryptedKeyPassword: password}).Do()
	}
	first := must[*gmail.SmimeInfo](t)(insert(address, file, "open"))
	if !first.IsDefault || first.IssuerCn != "Alice Example" || !strings.Contains(first.Pem, "BEGIN CERTIFICATE") || first.Expiration < testTime.UnixMilli() {
		t.Errorf("first %+v", first)
	}
	second := must[*gmail.SmimeInfo](t)(insert(address, file, "open"))
	wantError(t, errOf(insert(address, file, "wrong")), 400, "invalidArgument", "password")
	wantError(t, errOf(insert(address, "AAAA", "")), 400, "invalidArgument", "pkcs12")
	wantError(t, errOf(insert("bob@example.com", file, "open")), 400, "invalidArgument", "not for this address")
	if err := s.SetDefault("me", address, second.Id).Do(); err != nil {
		t.Fatal(err)
	}
	if got := must[*gmail.SmimeInfo](t)(s.Get("me", address, first.Id).Do()); got.IsDefault || got.Pem == "" {
		t.Errorf("first %+v after the second is the default", got)
	}
	if err := s.Delete("me", address, first.Id).Do(); err != nil {
		t.Fatal(err)
	}
	if l := must[*gmail.ListSmimeInfoResponse](t)(s.List("me", address).Do()); len(l.SmimeInfo) != 1 || l.SmimeInfo[0].Id != second.Id {
		t.Errorf("left %+v", l.SmimeInfo)
	}
}

func TestClientSideEncryptionRecords(t *testing.T) {
	w, clk := settingsWorld(t)
	keys, ids := w.client("alice").Settings.Cse.Keypairs, w.client("alice").Settings.Cse.Identities
	private := []*gmail.CsePrivateKeyMetadata{{KaclsKeyMetadata: &gmail.KaclsKeyMetadata{KaclsUri: "https://keys.example", KaclsData: "AAAA"}}}
	pair := must[*gmail.CseKeyPair](t)(keys.Create("me", &gmail.CseKeyPair{Pkcs7: string(testFile(t, "alice.p7b")), PrivateKeyMetadata: private}).Do())
	if !slices.Equal(pair.SubjectEmailAddresses, []string{"alice@example.com"}) || pair.EnablementState != "enabled" || pair.PrivateKeyMetadata[0].PrivateKeyMetadataId == "" {
		t.Errorf("key pair %+v", pair)
	}
	other := must[*gmail.CseKeyPair](t)(keys.Create("me", &gmail.CseKeyPair{Pkcs7: string(testFile(t, "alice.p7b")), PrivateKeyMetadata: private}).Do())
	wantError(t, errOf(keys.Create("me", &gmail.CseKeyPair{Pkcs7: "x", PrivateKeyMetadata: private}).Do()), 400, "invalidArgument", "pkcs7")
	wantError(t, errOf(keys.Create("me", &gmail.CseKeyPair{Pkcs7: string(testFile(t, "alice.p7b"))}).Do()), 400, "invalidArgument", "privateKeyMetadata")
	page := must[*gmail.ListCseKeyPairsResponse](t)(keys.List("me").PageSize(1).Do())
	rest := must[*gmail.ListCseKeyPairsResponse](t)(keys.List("me").PageSize(1).PageToken(page.NextPageToken).Do())
	if page.CseKeyPairs[0].KeyPairId != pair.KeyPairId || rest.CseKeyPairs[0].KeyPairId != other.KeyPairId || rest.NextPageToken != "" {
		t.Errorf("pages %+v, %+v", page, rest)
	}
	identity := &gmail.CseIdentity{EmailAddress: "alice@example.com", PrimaryKeyPairId: pair.KeyPairId}
	must[*gmail.CseIdentity](t)(ids.Create("me", identity).Do())
	wantError(t, errOf(ids.Create("me", identity).Do()), 409, "alreadyExists", "")
	wantError(t, errOf(ids.Create("me", &gmail.CseIdentity{EmailAddress: "x@example.com", PrimaryKeyPairId: pair.KeyPairId}).Do()), 400, "invalidArgument", "emailAddress")
	got := must[*gmail.CseIdentity](t)(ids.Patch("me", "alice@example.com", &gmail.CseIdentity{SignAndEncryptKeyPairs: &gmail.SignAndEncryptKeyPairs{
		SigningKeyPairId: pair.KeyPairId, EncryptionKeyPairId: other.KeyPairId}}).Do())
	if got.SignAndEncryptKeyPairs == nil || got.EmailAddress != "alice@example.com" {
		t.Errorf("patched %+v", got)
	}
	if k := must[*gmail.CseKeyPair](t)(keys.Disable("me", other.KeyPairId, &gmail.DisableCseKeyPairRequest{}).Do()); k.DisableTime == "" {
		t.Errorf("disabled %+v", k)
	}
	wantError(t, errOf(ids.Patch("me", "alice@example.com", &gmail.CseIdentity{PrimaryKeyPairId: other.KeyPairId}).Do()), 400, "invalidArgument", "disabled")
	wantError(t, keys.Obliterate("me", other.KeyPairId, &gmail.ObliterateCseKeyPairRequest{}).Do(), 400, "failedPrecondition", "30 days")
	clk.advance(31 * 24 * time.Hour)
	if err := keys.Obliterate("me", other.KeyPairId, &gmail.ObliterateCseKeyPairRequest{}).Do(); err != nil {
		t.Fatal(err)
	}
	wantError(t, errOf(keys.Get("me", other.KeyPairId).Do()), 404, "notFound", "")
	must[*gmail.CseKeyPair](t)(keys.Enable("me", pair.KeyPairId, &gmail.EnableCseKeyPairRequest{}).Do())
	must[*gmail.CseIdentity](t)(ids.Get("me", "alice@example.com").Do())
	if err := ids.Delete("me", "alice@example.com").Do(); err != nil {
		t.Fatal(err)
	}
	if l := must[*gmail.ListCseIdentitiesResponse](t)(ids.List("me").Do()); l.CseIdentities != nil {
		t.Errorf("left %+v", l.CseIdentities)
	}
}
