package query

import (
	"strings"
	"unicode"
)

// Words turns text into the form that matching works on: its words in lower case
// between single blanks, with a blank at both ends, so that a whole word or a
// phrase is found by one substring search.
//
// Letters, digits, marks, "&" and "_" belong to words; everything else parts them.
// Scripts written without spaces give one word a character.
func Words(text string) string {
	var out strings.Builder
	out.Grow(len(text) + 2)
	out.WriteByte(' ')
	inWord := false
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai):
			if inWord {
				out.WriteByte(' ')
			}
			out.WriteRune(r)
			out.WriteByte(' ')
			inWord = false
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '&' || r == '_':
			out.WriteRune(unicode.ToLower(r))
			inWord = true
		case inWord:
			out.WriteByte(' ')
			inWord = false
		}
	}
	if inWord {
		out.WriteByte(' ')
	}
	return out.String()
}

// LabelKey is how label: names a label: lower case, with blanks, "/" and other
// separators as "-".
func LabelKey(name string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '/', '(', ')', '&', '"':
			return '-'
		}
		return unicode.ToLower(r)
	}, strings.TrimSpace(name))
}
