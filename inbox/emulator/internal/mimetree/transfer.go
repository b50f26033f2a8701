package mimetree

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// decodeTransfer undoes a Content-Transfer-Encoding. Unknown encodings are the
// identity; damaged input gives what could be read.
func decodeTransfer(body []byte, encoding string) []byte {
	encoding, _, _ = strings.Cut(encoding, ";")
	switch strings.ToLower(strings.Trim(strings.TrimSpace(encoding), `"`)) {
	case "base64":
		return decodeBase64(body)
	case "quoted-printable":
		return decodeQuotedPrintable(body)
	}
	return body
}

// decodeBase64 skips every byte outside the alphabet (RFC 2045, 6.8) and goes on
// after padding in the middle, as mailers that join encoded chunks produce.
func decodeBase64(body []byte) []byte {
	out := make([]byte, 0, len(body)*3/4)
	quad := make([]byte, 0, 4)
	flush := func() {
		var buf [3]byte
		if n, err := base64.RawStdEncoding.Decode(buf[:], quad); err == nil {
			out = append(out, buf[:n]...)
		}
		quad = quad[:0]
	}
	for _, c := range body {
		switch {
		case c == '=':
			flush()
			continue
		case c == '-':
			c = '+'
		case c == '_':
			c = '/'
		case !isBase64(c):
			continue
		}
		if quad = append(quad, c); len(quad) == 4 {
			flush()
		}
	}
	flush()
	return out
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// decodeQuotedPrintable is forgiving: a stray "=" stands for itself.
func decodeQuotedPrintable(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for len(body) > 0 {
		line, rest := cutLine(body)
		text := trimEOL(line)
		eol := line[len(text):]
		text = bytes.TrimRight(text, " \t")
		soft := len(text) > 0 && text[len(text)-1] == '='
		if soft {
			text = text[:len(text)-1]
		}
		for i := 0; i < len(text); i++ {
			if text[i] == '=' && i+2 < len(text) {
				if b, ok := hexByte(text[i+1], text[i+2]); ok {
					out = append(out, b)
					i += 2
					continue
				}
			}
			out = append(out, text[i])
		}
		if !soft {
			out = append(out, eol...)
		}
		body = rest
	}
	return out
}
