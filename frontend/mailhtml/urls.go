package mailhtml

import (
	"net/url"
	"regexp"
	"strings"
)

// linkTarget returns the canonical form of a URL that a mail may link to:
// http, https (// counts as https), mailto or tel.
func linkTarget(raw string) (string, bool) {
	raw = browserTrim(raw)
	switch scheme, rest, _ := strings.Cut(raw, ":"); strings.ToLower(scheme) {
	case "mailto", "tel":
		return strings.ToLower(scheme) + ":" + escapeLoose(rest), rest != ""
	}
	return webURL(raw)
}

// webURL returns the canonical form of an http or https URL with a host.
func webURL(raw string) (string, bool) {
	raw = browserTrim(raw)
	if strings.HasPrefix(raw, "//") {
		raw = "https:" + raw
	}
	lower := strings.ToLower(raw[:min(len(raw), 8)])
	if !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") {
		return "", false
	}
	u, err := url.Parse(escapeLoose(raw))
	if err != nil || u.Hostname() == "" || strings.ContainsAny(u.Host, `\"'<>`) {
		return "", false
	}
	return escapeLoose(u.String()), true
}

// browserTrim does to a URL what browsers do before they parse it.
func browserTrim(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' {
			return -1
		}
		return r
	}, s)
}

// escapeLoose percent-encodes what may not stand in a URL, a '%' that starts
// no escape included, and the characters that could end a CSS or HTML string.
func escapeLoose(s string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		bad := c <= ' ' || c == 0x7f || strings.IndexByte("\"'<>\\^`{|}", c) >= 0
		if c == '%' && !(i+2 < len(s) && isHexDigit(s[i+1]) && isHexDigit(s[i+2])) {
			bad = true
		}
		if bad {
			out.WriteByte('%')
			out.WriteByte(hex[c>>4])
			out.WriteByte(hex[c&15])
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

func isHexDigit(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// rasterType names the image types that hold pixels and nothing else; SVG is a
// document.
var rasterType = regexp.MustCompile(`^data:image/(?:png|jpe?g|gif|webp|bmp|avif|x-icon|vnd\.microsoft\.icon);base64,`)

// dataImage returns raw, without white space, when it is a base64 raster image.
func dataImage(raw string) (string, bool) {
	head, data, ok := strings.Cut(raw, ",")
	head = strings.ToLower(strings.Join(strings.Fields(head), "")) + ","
	if !ok || !rasterType.MatchString(head) {
		return "", false
	}
	data = strings.Join(strings.Fields(data), "")
	for i := 0; i < len(data); i++ {
		c := data[i]
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') && c != '+' && c != '/' && c != '=' {
			return "", false
		}
	}
	return head + data, data != ""
}

// contentID returns the Content-ID that a cid: URL names.
func contentID(raw string) (string, bool) {
	raw = browserTrim(raw)
	if len(raw) < 5 || !strings.EqualFold(raw[:4], "cid:") {
		return "", false
	}
	id, err := url.PathUnescape(raw[4:])
	if err != nil {
		id = raw[4:]
	}
	id = strings.Trim(id, "<>")
	return id, id != "" && len(id) <= 512
}

// servedURL passes what a callback returns only if it is a web URL or an
// absolute path on our own host, so that a mistake there cannot become a
// script URL here.
func servedURL(s string) (string, bool) {
	if strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && !strings.HasPrefix(s, `/\`) {
		return escapeLoose(s), true
	}
	return linkTarget(s)
}
