package frontend

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/frontend/mailhtml"
	"github.com/totalengage/webmail/inbox"
)

// body serves one mail body as a document for the sandboxed frame. It is not a page to navigate to: a
// browser that says it wants anything but a frame is refused.
func (s *Server) body(v *visit) error {
	if err := destination(v.r, "iframe", "frame"); err != nil {
		return err
	}
	theme := v.r.URL.Query().Get("theme")
	if !slices.Contains([]string{"", "light", "dark", "auto"}, theme) {
		return &inbox.InvalidError{Field: "theme", Why: "must be light, dark or auto"}
	}
	b, err := s.Inbox.Body(v.r.Context(), v.inbox, v.param("message"))
	if err != nil {
		return err
	}
	consent, err := s.Inbox.ImageConsent(v.r.Context(), v.inbox, b)
	if err != nil {
		return err
	}
	images := pathOf("inline", v.param("account"), v.param("message")) + "/"
	options := optionsOf(b, theme, func(part string) string {
		return s.links.sign(images+part, v.session.Ref(), time.Now())
	})
	options.Link = s.linkOf(v)
	host := strings.TrimRight(s.origin.String(), "/")
	sources := []string{host + images}
	if consent.Permission != "" {
		base := pathOf("remote", v.param("account"), v.param("message")) + "/"
		options.RemoteImage = s.remoteImages(v, consent, base)
		sources = append(sources, host+base)
	}
	doc, err := renderWith(b, options)
	if err != nil {
		return err
	}
	for name, values := range mailhtml.Headers(sources...) {
		v.w.Header()[name] = values
	}
	_, _ = v.w.Write(doc.HTML) // the connection may be gone
	return nil
}

// render makes the document of a body that loads nothing from elsewhere.
func render(b inbox.Body, theme string, link func(part string) string) (mailhtml.Document, error) {
	return renderWith(b, optionsOf(b, theme, link))
}

func optionsOf(b inbox.Body, theme string, link func(part string) string) mailhtml.Options {
	if theme == "" {
		theme = "auto"
	}
	return mailhtml.Options{
		Theme: theme, Flowed: b.Flowed, DelSp: b.DelSp, CollapseQuotes: true,
		InlineImage: func(contentID string) (string, bool) {
			part, ok := b.Inline[contentID]
			if !ok {
				return "", false
			}
			return link(part), true
		},
	}
}

func renderWith(b inbox.Body, options mailhtml.Options) (mailhtml.Document, error) {
	if b.Kind == inbox.HTMLBody {
		return mailhtml.RenderHTML(b.Content, options)
	}
	return mailhtml.RenderText(b.Content, options)
}

// imageTypes are what an inline image may be served as: formats that cannot carry script.
var imageTypes = []string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif"}

// inline serves an image that a mail body names by Content-ID, under a signed link only.
func (s *Server) inline(v *visit) error {
	if err := destination(v.r, "image"); err != nil {
		return err
	}
	if err := s.links.check(v.r, v.session.Ref(), time.Now()); err != nil {
		return err
	}
	a, err := s.Inbox.Attachment(v.r.Context(), v.inbox, v.param("message"), v.param("part"))
	if err != nil {
		return err
	}
	return sendImage(v, a.Content)
}

// attachment serves one part as a download, as it comes from Gmail. Its name travels in a header, never in the URL.
func (s *Server) attachment(v *visit) error {
	a, err := s.Inbox.OpenAttachment(v.r.Context(), v.inbox, v.param("message"), v.param("part"))
	if err != nil {
		return err
	}
	defer a.Content.Close()
	first := make([]byte, 32<<10) // what fails at once is still answered as a problem
	n, err := io.ReadFull(a.Content, first)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	inert(v.w.Header())
	v.w.Header().Set("Content-Type", "application/octet-stream")
	v.w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": safeName(a.Name)}))
	if _, err := v.w.Write(first[:n]); err != nil || n < len(first) {
		return nil // the connection is gone, or that was all
	}
	if _, err := io.Copy(v.w, a.Content); err != nil {
		panic(http.ErrAbortHandler) // half a file must not look like a whole one
	}
	return nil
}

// inert are the headers of anything that came with a mail: it is never a page of ours.
func inert(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-store")
}

// safeName keeps a file name a file name: no path, no control characters, not empty.
func safeName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	if name = strings.Trim(name, ". "); name == "" {
		return "attachment"
	}
	if runes := []rune(name); len(runes) > 200 {
		name = string(runes[:200])
	}
	return name
}

// destination refuses a request that a browser makes for another use. Programs that are not browsers send no such header.
func destination(r *http.Request, allowed ...string) error {
	if dest := r.Header.Get("Sec-Fetch-Dest"); dest != "" && !slices.Contains(allowed, dest) {
		return errBadLink
	}
	return nil
}
