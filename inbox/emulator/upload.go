package emulator

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
)

// uploadOverhead is what the JSON part and boundaries of a multipart upload may
// add to the message.
const uploadOverhead = 1 << 20

// serveUpload answers /upload/… and /resumable/upload/…; path is what follows.
func (s *Server) serveUpload(r *http.Request, path string) *reply {
	in := newInbound(r, path)
	in.isUpload = true
	kind := in.query.Get("uploadType")
	if kind == "" {
		kind = in.query.Get("upload_protocol")
	}
	if in.query.Get("upload_id") != "" {
		return s.resume(in, r)
	}
	m, _, _, ok := locate(in)
	if !ok {
		return s.refuse(in, nil, noSuchPath())
	}
	if kind == "resumable" {
		return s.startUpload(in, r, m)
	}
	body, tooBig := readBody(r, m.MaxMedia+uploadOverhead)
	if tooBig != nil {
		return s.refuse(in, m, tooBig)
	}
	media, ctype := body, r.Header.Get("Content-Type")
	switch kind {
	case "multipart":
		var err error
		if in.body, media, ctype, err = splitRelated(ctype, body); err != nil {
			return s.refuse(in, m, batchError(err.Error()))
		}
	case "media", "raw", "":
	default:
		return s.refuse(in, m, badRequest("Invalid uploadType"))
	}
	if err := checkMedia(m, ctype, int64(len(media))); err != nil {
		return s.refuse(in, m, err)
	}
	in.media = media
	return s.serve(in)
}

func checkMedia(m *Method, contentType string, size int64) *apiError {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(media, "message/") {
		return batchError("Media type '" + media + "' is not supported. Valid media types: [message/*]")
	}
	if size > m.MaxMedia {
		return tooLarge()
	}
	return nil
}

// splitRelated reads the two parts of a multipart upload: JSON, then the message.
func splitRelated(contentType string, body []byte) (metadata, media []byte, mediaType string, err error) {
	bad := badRequest("Missing or malformed multipart body.")
	_, params, perr := mime.ParseMediaType(contentType)
	if perr != nil || params["boundary"] == "" {
		return nil, nil, "", bad
	}
	mr := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	var parts [2][]byte
	for i := range parts {
		part, err := mr.NextRawPart()
		if err != nil {
			return nil, nil, "", bad
		}
		if parts[i], err = io.ReadAll(part); err != nil {
			return nil, nil, "", bad
		}
		mediaType = part.Header.Get("Content-Type")
		if i == 1 && strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "base64") {
			decoded, ok := decodeBase64(string(parts[i]))
			if !ok {
				return nil, nil, "", bad
			}
			parts[i] = decoded
		}
	}
	if _, err := mr.NextRawPart(); err != io.EOF {
		return nil, nil, "", bad
	}
	return parts[0], parts[1], mediaType, nil
}
