package frontend

import (
	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/inbox"
)

func authenticityJSON(a *inbox.Authenticity) *api.Authenticity {
	if a == nil {
		return nil
	}
	return &api.Authenticity{Proven: a.Proven, Spf: a.SPF, Dkim: a.DKIM, Dmarc: a.DMARC, SignedBy: a.SignedBy, MailedBy: a.MailedBy}
}
