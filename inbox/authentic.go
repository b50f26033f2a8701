package inbox

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/totalengage/webmail/inbox/internal/gmail"
)

// gmailServer is the name under which Gmail writes what it found about a message's sender.
const gmailServer = "mx.google.com"

// verdicts are what the receiving server found (RFC 8601): the topmost Authentication-Results, if it is Gmail's.
// Whatever stands below it was there when the message came, and its sender may have written it.
type verdicts []verdict

// verdict is one method with its result and properties, such as dkim, pass and header.d.
type verdict struct {
	method, result string
	properties     map[string]string
}

// verdictsOf reads a message's header.
func verdictsOf(p *gmail.Part) verdicts {
	parts := splitOutside(withoutComments(header(p, "Authentication-Results")), ';')
	if server, _, _ := strings.Cut(strings.TrimSpace(parts[0]), " "); !strings.EqualFold(server, gmailServer) {
		return nil
	}
	var out verdicts
	for _, part := range parts[1:] {
		v := verdict{properties: map[string]string{}}
		for i, field := range strings.Fields(part) {
			name, value, ok := strings.Cut(field, "=")
			if !ok {
				continue
			}
			name, value = strings.ToLower(name), strings.ToLower(strings.Trim(value, `"`))
			if i == 0 {
				v.method, v.result = name, value
			} else {
				v.properties[name] = value
			}
		}
		out = append(out, v)
	}
	return out
}

// senderOf returns the one address that a message says it is from, in lower case, and whether it was proven:
// by DMARC, or by a DKIM signature or SPF result of the same site.
func senderOf(p *gmail.Part) (address string, proven bool) {
	from := ParseAddresses(header(p, "From"))
	if len(from) != 1 {
		return "", false
	}
	address = strings.ToLower(strings.TrimSpace(from[0].Email))
	_, domain, ok := strings.Cut(address, "@")
	if !ok || domain == "" || strings.Contains(domain, "@") {
		return "", false
	}
	found := verdictsOf(p)
	if slices.ContainsFunc(found, func(v verdict) bool { return v.method == "dmarc" && v.result == "fail" }) {
		return address, false
	}
	return address, slices.ContainsFunc(found, func(v verdict) bool {
		if v.result != "pass" {
			return false
		}
		switch v.method {
		case "dmarc":
			return v.properties["header.from"] == domain
		case "dkim":
			return sameSite(v.signer(), domain)
		case "spf":
			return sameSite(afterAt(v.properties["smtp.mailfrom"]), domain)
		}
		return false
	})
}

// signer is the domain that a DKIM verdict is about.
func (v verdict) signer() string {
	if d := v.properties["header.d"]; d != "" {
		return d
	}
	return afterAt(v.properties["header.i"])
}

func afterAt(s string) string { return s[strings.LastIndexByte(s, '@')+1:] }

// sameSite says whether two names were registered as one, as DMARC's relaxed alignment has it.
func sameSite(a, b string) bool {
	site := func(name string) string {
		registered, err := publicsuffix.EffectiveTLDPlusOne(strings.TrimSuffix(name, "."))
		if err != nil {
			return name
		}
		return registered
	}
	return a != "" && b != "" && site(a) == site(b)
}

// signed says whether a DKIM signature that Gmail found good covers all of the named headers: only then did
// whoever signed write them.
func signed(p *gmail.Part, headers ...string) bool {
	found := verdictsOf(p)
	for _, h := range p.Headers {
		if !strings.EqualFold(h.Name, "DKIM-Signature") {
			continue
		}
		tags := dkimTags(h.Value)
		covered := strings.Split(strings.ToLower(tags["h"]), ":")
		if slices.ContainsFunc(headers, func(name string) bool { return !slices.Contains(covered, strings.ToLower(name)) }) {
			continue
		}
		if slices.ContainsFunc(found, func(v verdict) bool {
			return v.method == "dkim" && v.result == "pass" && v.signer() == strings.ToLower(tags["d"]) &&
				(v.properties["header.s"] == "" || v.properties["header.s"] == strings.ToLower(tags["s"])) &&
				strings.HasPrefix(strings.ToLower(tags["b"]), v.properties["header.b"])
		}) {
			return true
		}
	}
	return false
}

// dkimTags reads a DKIM-Signature (RFC 6376 3.2); white space inside values does not count.
func dkimTags(value string) map[string]string {
	tags := map[string]string{}
	for tag := range strings.SplitSeq(value, ";") {
		if name, v, ok := strings.Cut(tag, "="); ok {
			tags[strings.ToLower(strings.TrimSpace(name))] = strings.Join(strings.Fields(v), "")
		}
	}
	return tags
}

// withoutComments takes out what stands in parentheses, nested or not (RFC 5322 3.2.2).
func withoutComments(s string) string {
	var out strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			if i++; depth == 0 {
				out.WriteByte(s[i])
			}
			continue
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(' && !quoted:
			depth++
			continue
		case c == ')' && !quoted && depth > 0:
			depth--
			continue
		}
		if depth == 0 {
			out.WriteByte(s[i])
		}
	}
	return out.String()
}

// splitOutside splits at a separator that is not inside quotes.
func splitOutside(s string, separator byte) []string {
	var out []string
	start, quoted := 0, false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}
