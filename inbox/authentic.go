package inbox

import (
	"regexp"
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

// verdictsOf reads a message's header. One that does not read as Gmail writes it says nothing at all: parts of it,
// such as the envelope's sender, are a stranger's words, and a stranger may have tried to write a verdict with them.
func verdictsOf(p *gmail.Part) verdicts {
	parts, ok := tokens(header(p, "Authentication-Results"))
	if !ok || len(parts[0]) == 0 || !strings.EqualFold(parts[0][0], gmailServer) {
		return nil
	}
	var out verdicts
	seen := map[string]bool{}
	for _, part := range parts[1:] {
		v := verdict{properties: map[string]string{}}
		for i, field := range part {
			name, value, _ := strings.Cut(strings.ToLower(field), "=")
			if i == 0 {
				v.method, v.result = name, value
				continue
			}
			if _, twice := v.properties[name]; twice || !asWritten(v.method, name, value) {
				return nil
			}
			v.properties[name] = value
		}
		if once := v.method == "spf" || v.method == "dmarc"; once && seen[v.method] {
			return nil
		}
		seen[v.method] = true
		out = append(out, v)
	}
	return out
}

// propertyName is the form of a property: what was looked at, and which part of it.
var propertyName = regexp.MustCompile(`^[a-z]+\.[a-z0-9_-]+$`)

// asWritten says whether a property can be Gmail's. What the envelope said belongs to SPF, and only that can need
// quotes: anything else is what is left when somebody has broken out of a comment or a quotation.
func asWritten(method, name, value string) bool {
	if !propertyName.MatchString(name) || strings.HasPrefix(name, "smtp.") && method != "spf" {
		return false
	}
	return name == "smtp.mailfrom" || !strings.ContainsAny(value, " \t\r\n;()\"")
}

// tokens splits a header at semicolons and white space, comments taken out and quotes undone (RFC 5322 3.2). It is
// not ok when a comment or a quotation does not end, or one ends that did not begin.
func tokens(value string) (parts [][]string, ok bool) {
	var part []string
	var token strings.Builder
	endToken := func() {
		if token.Len() > 0 {
			part = append(part, token.String())
			token.Reset()
		}
	}
	depth, quoted := 0, false
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '\\' && i+1 < len(value) && (quoted || depth > 0):
			if i++; depth == 0 {
				token.WriteByte(value[i])
			}
		case quoted && c != '"':
			token.WriteByte(c)
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return nil, false
			}
		case depth > 0:
		case c == ';':
			endToken()
			parts, part = append(parts, part), nil
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			endToken()
		default:
			token.WriteByte(c)
		}
	}
	endToken()
	return append(parts, part), depth == 0 && !quoted
}

// senderOf returns the one address that a message says it is from, in lower case, and whether it was proven:
// by DMARC, or by a DKIM signature or SPF result of the same site.
func senderOf(p *gmail.Part) (address string, proven bool) {
	from := ParseAddresses(header(p, "From"))
	if len(from) != 1 || count(p, "From") != 1 {
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

// count is how often a header is there.
func count(p *gmail.Part, name string) (n int) {
	for _, h := range p.Headers {
		if strings.EqualFold(h.Name, name) {
			n++
		}
	}
	return n
}
