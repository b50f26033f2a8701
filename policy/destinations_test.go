package policy_test

import (
	"errors"
	"net/url"
	"slices"
	"testing"

	"github.com/totalengage/webmail/policy"
)

func TestDestinations(t *testing.T) {
	d, err := policy.NewDestinations("https://gmail.googleapis.com/", "https://oauth2.googleapis.com/token", "http://127.0.0.1:8025/x", "https://oauth2.googleapis.com/revoke")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"http://127.0.0.1:8025", "https://gmail.googleapis.com", "https://oauth2.googleapis.com"}; !slices.Equal(d.Origins(), want) {
		t.Errorf("origins %v, want %v", d.Origins(), want)
	}
	for origin, allowed := range map[string]bool{
		"https://gmail.googleapis.com": true, "http://127.0.0.1:8025": true, "http://gmail.googleapis.com": false, "https://gmail.googleapis.com:444": false,
		"https://evil.example": false, "https://gmail.googleapis.com.evil.example": false, "http://127.0.0.1:8026": false, "http://169.254.169.254": false,
	} {
		u, err := url.Parse(origin)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Reach(u); (err == nil) != allowed || err != nil && !errors.Is(err, policy.ErrDestination) {
			t.Errorf("%s: %v, want allowed %v", origin, err, allowed)
		}
	}
	for _, bad := range []string{"http://gmail.googleapis.com/", "ftp://example.com", "gmail.googleapis.com", "https://", "http://10.0.0.1"} {
		if _, err := policy.NewDestinations(bad); err == nil {
			t.Errorf("%q was taken as a destination", bad)
		}
	}
}
