package inbox

import (
	"slices"
	"strings"

	"github.com/totalengage/webmail/inbox/internal/gmail"
)

// Authenticity is what Gmail found about who sent a message, for whoever reads it: a summary of the header
// Authentication-Results (RFC 8601), and nothing that the sender could have written there.
type Authenticity struct {
	Proven           bool   // the sender's address is really the sender's
	SPF, DKIM, DMARC string // results such as "pass" and "fail", "" where Gmail says nothing; of several signatures the best
	SignedBy         string // whose good signature it has: the sender's own, when there are several
	MailedBy         string // for whom the delivering server may send
}

// authenticityOf reads a message's summary; nil where Gmail has checked nothing, as on what its owner wrote.
func authenticityOf(m *gmail.Message) *Authenticity {
	found := verdictsOf(m.Payload)
	if len(found) == 0 {
		return nil
	}
	address, proven := senderOf(m.Payload)
	out := &Authenticity{Proven: proven}
	for _, v := range found {
		switch v.method {
		case "spf":
			out.SPF = v.result
			if v.result == "pass" {
				out.MailedBy = afterAt(v.properties["smtp.mailfrom"])
			}
		case "dmarc":
			out.DMARC = v.result
		case "dkim":
			if out.DKIM != "pass" {
				out.DKIM = v.result
			}
		}
	}
	out.SignedBy = signerOf(found, afterAt(address))
	return out
}

func signerOf(found verdicts, domain string) string {
	good := slices.DeleteFunc(slices.Clone(found), func(v verdict) bool { return v.method != "dkim" || v.result != "pass" })
	if len(good) == 0 {
		return ""
	}
	own := slices.IndexFunc(good, func(v verdict) bool { return sameSite(v.signer(), domain) })
	return strings.TrimSuffix(good[max(own, 0)].signer(), ".")
}
