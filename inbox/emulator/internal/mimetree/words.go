package mimetree

import (
	"encoding/base64"
	"regexp"
	"strings"
)

// encodedWord is RFC 2047's form, forgiving: mailers in the wild put spaces
// inside the text although the standard forbids them.
var encodedWord = regexp.MustCompile(`=\?([^?\s]{1,40})\?([bBqQ])\?([^?]*)\?=`)

// DecodeWords decodes RFC 2047 encoded-words. Neighbours of one charset are
// joined before decoding, because mailers split multi-byte characters between
// words. What cannot be decoded stays as it was.
func DecodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	var out strings.Builder
	var pending []byte // decoded bytes of the run of words being joined
	var charset string
	flush := func() {
		out.WriteString(toUTF8(pending, charset))
		pending = nil
	}
	end := 0
	for _, m := range encodedWord.FindAllStringSubmatchIndex(s, -1) {
		gap := s[end:m[0]]
		cs, _, _ := strings.Cut(strings.ToLower(s[m[2]:m[3]]), "*") // RFC 2231 language tag
		data, ok := decodeWord(s[m[4]:m[5]], s[m[6]:m[7]])
		if !ok {
			continue // the text is written as part of the next gap
		}
		adjacent := pending != nil && strings.TrimSpace(gap) == ""
		if !adjacent || cs != charset {
			flush()
		}
		if !adjacent {
			out.WriteString(gap)
		}
		pending = append(pending, data...)
		if pending == nil {
			pending = []byte{} // an empty word still joins its neighbours
		}
		charset, end = cs, m[1]
	}
	flush()
	out.WriteString(s[end:])
	return out.String()
}

func decodeWord(encoding, text string) ([]byte, bool) {
	if strings.EqualFold(encoding, "b") {
		text = strings.TrimRight(strings.ReplaceAll(text, " ", ""), "=")
		b, err := base64.RawStdEncoding.DecodeString(text)
		return b, err == nil
	}
	return decodeQ(text), true
}

func decodeQ(text string) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '_' {
			c = ' '
		} else if c == '=' && i+2 < len(text) {
			if b, ok := hexByte(text[i+1], text[i+2]); ok {
				c = b
				i += 2
			}
		}
		out = append(out, c)
	}
	return out
}

func hexByte(hi, lo byte) (byte, bool) {
	h, ok1 := hexDigit(hi)
	l, ok2 := hexDigit(lo)
	return h<<4 | l, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
