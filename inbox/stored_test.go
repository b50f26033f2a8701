package inbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox"
)

// TestStored: the owner's copy has what is stored in the clear, and nothing of another mailbox.
func TestStored(t *testing.T) {
	each(t, func(t *testing.T, o *office, _ *post) {
		o.send(t, letterTo(bob, "Waiting", "to be sent"), newKey())
		if _, err := o.PutUpload(t.Context(), writing(alice), "map.txt", "text/plain", strings.NewReader("a map")); err != nil {
			t.Fatal(err)
		}
		got, err := o.Stored(t.Context(), alice)
		if err != nil || len(got.Outbox) != 1 || len(got.Uploads) != 1 {
			t.Fatalf("stored: %+v %v, want one message and one upload", got, err)
		}
		if m := got.Outbox[0]; m.Compose == nil || m.Compose.Subject != "Waiting" || m.State != string(inbox.Queued) {
			t.Errorf("the message is %+v", m)
		}
		if u := got.Uploads[0]; u.Name != "map.txt" || u.Size != 5 || u.Expires.Sub(u.Created) != 24*time.Hour {
			t.Errorf("the upload is %+v", u)
		}
		if other, err := o.Stored(t.Context(), bob); err != nil || len(other.Outbox)+len(other.Uploads) != 0 {
			t.Errorf("of another mailbox: %+v %v, want nothing", other, err)
		}
	})
}

// TestSwept: what the sender deletes because its time is over is counted once.
func TestSwept(t *testing.T) {
	each(t, func(t *testing.T, o *office, _ *post) {
		if _, err := o.PutUpload(t.Context(), writing(alice), "map.txt", "text/plain", strings.NewReader("a map")); err != nil {
			t.Fatal(err)
		}
		o.pass(25 * time.Hour)
		if err := o.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := o.Swept()["uploads"]; got != 1 {
			t.Errorf("counted %d uploads, want 1", got)
		}
		if got := o.Swept()["uploads"]; got != 0 {
			t.Errorf("counted %d uploads again", got)
		}
	})
}
