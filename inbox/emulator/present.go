package emulator

import (
	"slices"
	"strconv"
	"strings"

	"github.com/totalengage/webmail/inbox/emulator/internal/mimetree"
)

// snapshot is a message as it was under the lock: what an answer needs, so that
// parsing and encoding happen without it.
type snapshot struct {
	id, threadID string
	labels       []string
	historyID    uint64
	date         int64
	content      *mailContent
}

func (m *message) snapshot() snapshot {
	return snapshot{m.id, m.thread.id, m.labels, m.historyID, m.date, m.content}
}

// short is the answer of methods that change a message.
func (s snapshot) short() messageResource {
	return messageResource{ID: s.id, ThreadID: s.threadID, LabelIDs: s.labels}
}

// resource is a message in one of the formats minimal, metadata, full and raw.
func (s snapshot) resource(ids attachmentIDs, format string, metadataHeaders []string) messageResource {
	r := s.short()
	snippet := s.content.snippet
	r.Snippet = &snippet
	r.SizeEstimate = len(s.content.raw)
	r.HistoryID = strconv.FormatUint(s.historyID, 10)
	r.InternalDate = strconv.FormatInt(s.date, 10)
	switch format {
	case "raw":
		r.Raw = encodeBase64(s.content.raw)
	case "metadata":
		r.Payload = &partResource{MimeType: s.content.mediaType, Headers: selectHeaders(s.content.headers(), metadataHeaders)}
	case "full":
		n := 0
		r.Payload = payload(mimetree.Parse(s.content.raw), func(part int) string { return ids.seal(s.id, part) }, &n)
	}
	return r
}

// selectHeaders keeps the named headers, compared without case; no names keep all.
func selectHeaders(headers []mimetree.Header, names []string) []headerResource {
	var out []headerResource
	for _, h := range headers {
		named := func(n string) bool { return strings.EqualFold(n, h.Name) }
		if len(names) == 0 || slices.ContainsFunc(names, named) {
			out = append(out, headerResource(h))
		}
	}
	return out
}

// payload is the tree of parts. n counts them in the order of Walk, which is how
// attachment ids name a part.
func payload(p *mimetree.Part, attachmentID func(part int) string, n *int) *partResource {
	index := *n
	*n++
	r := &partResource{
		PartID: &p.ID, MimeType: p.MediaType, Filename: &p.Filename,
		Headers: selectHeaders(p.Headers, nil), Body: &bodyResource{Size: len(p.Body)},
	}
	switch {
	case p.Attachment:
		r.Body.AttachmentID = attachmentID(index)
	case len(p.Body) > 0:
		r.Body.Data = encodeBase64(p.Body)
	}
	for _, child := range p.Parts {
		r.Parts = append(r.Parts, payload(child, attachmentID, n))
	}
	return r
}

// partAt is the nth part in the order of Walk; nil when there are fewer.
func partAt(raw []byte, n int) *mimetree.Part {
	var found *mimetree.Part
	mimetree.Parse(raw).Walk(func(p *mimetree.Part) bool {
		if n == 0 {
			found = p
		}
		n--
		return found == nil
	})
	return found
}
