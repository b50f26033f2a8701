package mailhtml

import "strings"

// unflow joins the lines of a format=flowed body into paragraphs (RFC 3676):
// a line that ends in a space goes on in the next one of the same quote depth;
// with delSp that space is not part of the text.
func unflow(lines []textLine, delSp bool) []textLine {
	var out []textLine
	var paragraph strings.Builder // the last of out
	flowing := false              // it goes on
	finish := func() {
		if len(out) > 0 {
			out[len(out)-1].text = paragraph.String()
		}
		paragraph.Reset()
	}
	for _, line := range lines {
		text := line.text
		depth := 0
		for depth < maxQuoteDepth && strings.HasPrefix(text, ">") {
			depth++
			text = text[1:]
		}
		text = strings.TrimPrefix(text, " ") // space-stuffing
		signature := text == "-- "
		soft := strings.HasSuffix(text, " ") && !signature
		if soft && delSp {
			text = text[:len(text)-1]
		}
		if !flowing || signature || out[len(out)-1].depth != depth {
			finish()
			out = append(out, textLine{depth: depth})
		}
		paragraph.WriteString(text)
		flowing = soft
	}
	finish()
	return out
}
