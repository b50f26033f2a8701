package frontend

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// linkLife is how long a link to an inline image works: as long as a message stays open on a screen.
const linkLife = time.Hour

// links signs URLs that a mail body may name (DESIGN 4.1, 14): bound to one path, one session and a short
// time, so that a message can make the reader's browser call nothing but its own images.
type links struct{ key []byte }

func (l links) sign(path, session string, now time.Time) string {
	expires := strconv.FormatInt(now.Add(linkLife).Unix(), 36)
	return path + "?e=" + expires + "&s=" + l.mac(path, session, expires)
}

func (l links) check(r *http.Request, session string, now time.Time) error {
	expires, mac := r.URL.Query().Get("e"), r.URL.Query().Get("s")
	at, err := strconv.ParseInt(expires, 36, 64)
	if err != nil || now.Unix() > at || !hmac.Equal([]byte(mac), []byte(l.mac(r.URL.EscapedPath(), session, expires))) {
		return errBadLink
	}
	return nil
}

func (l links) mac(path, session, expires string) string {
	h := hmac.New(sha256.New, l.key)
	for _, part := range []string{path, session, expires} {
		h.Write([]byte(strconv.Itoa(len(part))))
		h.Write([]byte{':'})
		h.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}
