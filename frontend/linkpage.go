package frontend

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/totalengage/webmail/frontend/mailhtml"
	"github.com/totalengage/webmail/policy/consent"
)

// leaving is the reason of a page on which a mailing list is left: no doubt, but the owner should know whose it is.
const leaving mailhtml.Doubt = "unsubscribe"

// linkRef is what the URL of the warning page carries, sealed: it is no open redirect, for nobody else can make one.
type linkRef struct {
	URL   string         `json:"u"`
	Doubt mailhtml.Doubt `json:"d"`
	Named string         `json:"n,omitempty"` // site that the link's text named
}

// linkOf gives the callback that leads doubtful links through the warning page and leaves the others alone.
func (s *Server) linkOf(v *visit) func(url, text string) string {
	return func(url, text string) string {
		doubt := mailhtml.DoubtOf(url, text)
		if doubt == mailhtml.NoDoubt {
			return url
		}
		return s.warned(v, linkRef{URL: url, Doubt: doubt, Named: mailhtml.NamedSite(text)})
	}
}

// warned is the URL of the warning page for a link, for this session alone; "" for one that is too long.
func (s *Server) warned(v *visit, ref linkRef) string {
	if len(ref.URL) > maxRemoteURL {
		return ""
	}
	token, err := s.sealed.seal(time.Now(), ref, "link", v.session.Ref())
	if err != nil {
		return ""
	}
	return pathOf("link", token)
}

//go:embed link.html
var linkSource string

var linkTemplate = template.Must(template.New("link").Parse(linkSource))

// linkView is what the warning page shows.
type linkView struct {
	Product consent.Product
	Title   string
	Why     []string
	Below   string // beginning of the host's name, which says nothing about whose it is
	Site    string // the registered name, with which the host's name ends
	URL     string // in full; "" when the link is not valid any more
}

// linkPage shows where a doubtful link leads, before anybody goes there.
func (s *Server) linkPage(v *visit) error {
	if err := destination(v.r, "document"); err != nil {
		return err
	}
	var ref linkRef
	err := s.sealed.open(v.param("sealed"), time.Now(), &ref, "link", v.session.Ref())
	if errors.Is(err, errBadLink) {
		return s.sendLinkPage(v, http.StatusForbidden, linkView{Title: "This link has run out", Why: []string{
			"Links out of a message work for an hour after the message was opened. Open the message again and follow the link from there.",
		}})
	}
	if err != nil {
		return err
	}
	return s.sendLinkPage(v, http.StatusOK, viewOf(ref))
}

func viewOf(ref linkRef) linkView {
	view := linkView{Title: "Check where this link leads", URL: ref.URL}
	view.Below, view.Site = mailhtml.SiteOf(ref.URL)
	switch ref.Doubt {
	case mailhtml.OtherName:
		view.Why = []string{fmt.Sprintf("The message shows the name %s, but the link leads to %s.", ref.Named, view.Site)}
	case mailhtml.LookAlike:
		view.Why = []string{"The name of this site holds letters that look like others, so that it can be taken for a site that you know. Below it is written in plain letters."}
	case mailhtml.BareAddress:
		view.Why = []string{"This site has a number and no name. Banks, shops and services have names."}
	case mailhtml.UserInfo:
		view.Why = []string{"The link begins with a name that looks like its destination and is not. It leads to the site below."}
	case mailhtml.Forwarder:
		view.Why = []string{fmt.Sprintf("The link starts at %s, but only passes through it.", view.Site)}
		view.Below, view.Site = mailhtml.SiteOf(mailhtml.ForwardsTo(ref.URL))
	case leaving:
		view.Title = "Leave this mailing list"
		view.Why = []string{"The list has a page of its own for this. It belongs to the sender, who will learn that you opened it; you finish there."}
	}
	if ref.Doubt != leaving {
		view.Why = append(view.Why, "Go on only if you know this site and expected to get there. Never type a password on a page that you reached from a message.")
	}
	return view
}

// sendLinkPage writes the page: no script, no form, nothing loaded but the stylesheet.
func (s *Server) sendLinkPage(v *visit, status int, view linkView) error {
	view.Product = s.SignIn.Product
	var page bytes.Buffer
	if err := linkTemplate.Execute(&page, view); err != nil {
		return fmt.Errorf("frontend: the link page: %w", err)
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(page.Bytes()) // the reader may be gone
	return nil
}
