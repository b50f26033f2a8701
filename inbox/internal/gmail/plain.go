package gmail

import (
	"bytes"
	"mime"
	"net/mail"

	"github.com/totalengage/webmail/policy"
)

// writtenPlain is what a message that is one text can hold.
var writtenPlain = list(policy.Header, policy.Body)

// plainText says whether a message is one text and nothing else, so that no attachment can be in it. A message that
// cannot be read, or that says twice what it is, is taken for one that holds more.
func plainText(message []byte) bool {
	m, err := mail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		return false
	}
	kinds := m.Header["Content-Type"]
	if len(kinds) != 1 || len(m.Header["Content-Disposition"]) > 0 {
		return false
	}
	kind, _, err := mime.ParseMediaType(kinds[0])
	return err == nil && kind == "text/plain"
}
