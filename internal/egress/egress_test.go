package egress_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/totalengage/webmail/internal/egress"
)

// only allows one origin.
type only string

func (o only) Reach(origin *url.URL) error {
	if origin.String() == string(o) {
		return nil
	}
	return errors.New("not this one")
}

func TestOnlyAllowedOriginsAreReached(t *testing.T) {
	var hits atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer other.Close()
	allowed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, other.URL, http.StatusFound)
		}
	}))
	defer allowed.Close()
	// A proxy from the environment would be a way around.
	t.Setenv("HTTP_PROXY", other.URL)
	client := egress.New(only(allowed.URL)).Client(10 * time.Second)

	if res, err := client.Get(allowed.URL + "/"); err != nil || res.StatusCode != 200 {
		t.Errorf("the allowed origin: %v", err)
	}
	for name, target := range map[string]string{
		"another origin":     other.URL,
		"a redirect away":    allowed.URL + "/away",
		"user info in front": strings.Replace(other.URL, "http://", "http://"+strings.TrimPrefix(allowed.URL, "http://")+"@", 1),
		"another scheme":     strings.Replace(allowed.URL, "http://", "https://", 1),
	} {
		if _, err := client.Get(target); !errors.Is(err, egress.ErrForbidden) {
			t.Errorf("%s: %v, want ErrForbidden", name, err)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("the other origin was reached %d times", hits.Load())
	}
}
