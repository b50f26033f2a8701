package frontend

import (
	"net/http"
	"slices"
	"time"

	"github.com/totalengage/webmail/frontend/api"
	"github.com/totalengage/webmail/inbox"
)

// Bounds of what one body may ask for from elsewhere.
const (
	maxRemoteImages = 200
	maxRemoteURL    = 4096 // bytes
)

// remoteRef is what the URL of a proxied image carries, sealed.
type remoteRef struct {
	URL        string `json:"u"`
	Permission string `json:"p"`
	Subject    string `json:"s"`
}

// remoteImages gives the callback that points a body's images at our proxy, while the owner's permission holds.
func (s *Server) remoteImages(v *visit, c inbox.ImageConsent, base string) func(string) (string, bool) {
	left := maxRemoteImages
	return func(url string) (string, bool) {
		if left--; left < 0 || len(url) > maxRemoteURL {
			return "", false
		}
		token, err := s.sealed.seal(time.Now(), remoteRef{URL: url, Permission: c.Permission, Subject: c.Subject}, s.imagePlace(v)...)
		return base + token, err == nil
	}
}

// imagePlace is what the URL of a proxied image is bound to.
func (s *Server) imagePlace(v *visit) []string {
	return []string{"image", v.param("account"), v.param("message"), v.session.Ref()}
}

// remote serves an image that a mail names, fetched by the server, so that its host learns neither the
// reader's address nor the browser. Each is decided anew: a permission that was withdrawn since the body was
// rendered stops the next image.
func (s *Server) remote(v *visit) error {
	if err := destination(v.r, "image"); err != nil {
		return err
	}
	var ref remoteRef
	if err := s.sealed.open(v.param("sealed"), time.Now(), &ref, s.imagePlace(v)...); err != nil {
		return err
	}
	content, err := s.Inbox.RemoteImage(v.r.Context(), v.inbox, v.param("message"), ref.URL, inbox.ImageConsent{Permission: ref.Permission, Subject: ref.Subject})
	if err != nil {
		return err
	}
	return sendImage(v, content)
}

// sendImage answers with an image as what its bytes say that it is, whatever its sender called it.
func sendImage(v *visit, content []byte) error {
	kind := http.DetectContentType(content)
	if !slices.Contains(imageTypes, kind) {
		return inbox.ErrNotFound
	}
	inert(v.w.Header())
	v.w.Header().Set("Content-Type", kind)
	_, _ = v.w.Write(content) // the connection may be gone
	return nil
}

// getImages says what a message would load from elsewhere, and whether it may.
func (s *Server) getImages(v *visit) error {
	b, err := s.Inbox.Body(v.r.Context(), v.inbox, v.param("message"))
	if err != nil {
		return err
	}
	c, err := s.Inbox.ImageConsent(v.r.Context(), v.inbox, b)
	if err != nil {
		return err
	}
	doc, err := render(b, "", func(string) string { return "" })
	if err != nil {
		return err
	}
	out := api.MessageImages{Remote: doc.RemoteImages, Trackers: doc.Trackers, TrackedBy: doc.TrackedBy, Shown: "none", SenderProven: c.Provable, Permission: c.Permission}
	if out.TrackedBy == nil {
		out.TrackedBy = []string{}
	}
	switch {
	case c.Permission != "" && c.Sender:
		out.Shown = "sender"
	case c.Permission != "":
		out.Shown = "message"
	}
	return send(v, 200, out)
}

// permitImages records the owner's word that a message's images be loaded.
func (s *Server) permitImages(v *visit) error {
	var body api.ImagesPermit
	if err := read(v, &body); err != nil {
		return err
	}
	if err := s.Inbox.PermitImages(v.r.Context(), v.inbox, v.param("message"), body.For == "sender"); err != nil {
		return err
	}
	return s.getImages(v)
}
