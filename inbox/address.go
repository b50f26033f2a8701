package inbox

import (
	"mime"
	"net/mail"
	"strings"

	"github.com/emersion/go-message/charset"
)

// Address is a mailbox address with the name that goes with it.
type Address struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
}

var addressParser = mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: charset.Reader}}

// ParseAddresses reads an address header as people really write them: what is not an address by RFC 5322
// is kept as a name, so that nothing the sender wrote disappears.
func ParseAddresses(header string) []Address {
	header = strings.TrimSpace(header)
	if header == "" {
		return []Address{}
	}
	if parsed, err := addressParser.ParseList(header); err == nil {
		out := make([]Address, len(parsed))
		for i, a := range parsed {
			out[i] = Address{Name: a.Name, Email: a.Address}
		}
		return out
	}
	var out []Address
	for _, item := range splitAddresses(header) {
		out = append(out, parseLoose(item))
	}
	return out
}

// parseLoose reads one address; without a recognisable one the whole text becomes the name.
func parseLoose(item string) Address {
	if a, err := addressParser.Parse(item); err == nil {
		return Address{Name: a.Name, Email: a.Address}
	}
	open, end := strings.LastIndexByte(item, '<'), strings.LastIndexByte(item, '>')
	if open >= 0 && end > open {
		return Address{Name: strings.Trim(strings.TrimSpace(item[:open]), `"`), Email: strings.TrimSpace(item[open+1 : end])}
	}
	if strings.Contains(item, "@") && !strings.ContainsAny(item, " \t") {
		return Address{Email: item}
	}
	return Address{Name: item}
}

// splitAddresses splits at commas that are not inside quotes, angle brackets or comments.
func splitAddresses(header string) []string {
	var items []string
	start, quoted, depth := 0, false, 0
	for i := 0; i < len(header); i++ {
		switch c := header[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<' || c == '(':
			depth++
		case c == '>' || c == ')':
			depth = max(depth-1, 0)
		case c == ',' && depth == 0:
			items = append(items, header[start:i])
			start = i + 1
		}
	}
	items = append(items, header[start:])
	out := make([]string, 0, len(items))
	rest := ""
	for _, item := range items {
		item = rest + strings.TrimSpace(item)
		// Gmail decodes "Müller, Hans" and leaves the quotes out: a part without an address belongs to the next.
		if rest = ""; item != "" && !strings.Contains(item, "@") {
			rest = item + ", "
			continue
		}
		if item != "" {
			out = append(out, item)
		}
	}
	if rest = strings.TrimSuffix(rest, ", "); rest != "" {
		out = append(out, rest)
	}
	return out
}
