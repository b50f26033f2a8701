package mimetree

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// toUTF8 decodes text of a declared charset. Bytes that are valid UTF-8 under a
// missing or ASCII label are taken as UTF-8; anything else undeclared is
// windows-1252, which is what senders who forget the label mostly mean.
// What cannot be decoded becomes U+FFFD, never an error.
func toUTF8(b []byte, label string) string {
	label = strings.ToLower(strings.Trim(strings.TrimSpace(label), `"'`))
	switch label {
	case "", "us-ascii", "ascii", "utf-8", "utf8", "unknown-8bit", "x-unknown", "default":
		if utf8.Valid(b) {
			return string(b)
		}
		if label == "utf-8" || label == "utf8" {
			return strings.ToValidUTF8(string(b), "\uFFFD")
		}
		return decodeWith(charmap.Windows1252, b)
	}
	if enc := lookup(label); enc != nil {
		return decodeWith(enc, b)
	}
	if utf8.Valid(b) {
		return string(b)
	}
	return decodeWith(charmap.Windows1252, b)
}

// lookup finds a charset by its web name, then by its IANA name; nil when neither knows it.
func lookup(label string) encoding.Encoding {
	switch label {
	case "hz-gb-2312": // the web standard maps it to nothing on purpose
		return simplifiedchinese.HZGB2312
	case "utf-16": // the web standard takes it for little endian and leaves the mark in
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	}
	if enc, err := htmlindex.Get(label); err == nil && enc != encoding.Replacement {
		return enc
	}
	if enc, err := ianaindex.MIME.Encoding(label); err == nil && enc != nil {
		return enc
	}
	return nil
}

func decodeWith(enc encoding.Encoding, b []byte) string {
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}
