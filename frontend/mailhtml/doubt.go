package mailhtml

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Doubt is why a reader should look at a link's destination before following it.
type Doubt string

// The doubts about a link. Schemes other than http, https, mailto and tel raise none: such links are taken away.
const (
	NoDoubt     Doubt = ""
	OtherName   Doubt = "other_name"   // its text names another site
	LookAlike   Doubt = "look_alike"   // its host's name can be taken for another one
	BareAddress Doubt = "bare_address" // its host is a number
	UserInfo    Doubt = "user_info"    // a name stands before the host, which can be taken for the host
	Forwarder   Doubt = "forwarder"    // a well-known site is used to lead to another one
)

// DoubtOf judges a web link by its URL and by the text that the reader sees.
func DoubtOf(raw, text string) Doubt {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return NoDoubt
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	switch {
	case u.User != nil:
		return UserInfo
	case isNumber(host):
		return BareAddress
	case looksAlike(host):
		return LookAlike
	}
	if named := NamedSite(text); named != "" && named != siteOf(asciiHost(host)) {
		return OtherName
	}
	if ForwardsTo(raw) != "" {
		return Forwarder
	}
	return NoDoubt
}

// isNumber says whether a browser takes a host for an IP address: its last part is a number.
func isNumber(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last != "" && last[0] >= '0' && last[0] <= '9'
}

// asciiHost is the form in which a host is looked up; the host as it is when it has none.
func asciiHost(host string) string {
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return ascii
	}
	return host
}

// SiteOf takes the host of a URL, as it is looked up, apart: into the site that somebody registered, and what
// stands before it, which that somebody can choose freely ("bank.com.login." of "evil.example"). A host that has
// no form in plain letters is given as it is.
func SiteOf(raw string) (before, site string) {
	host := asciiHost(hostOf(raw))
	site = siteOf(host)
	return strings.TrimSuffix(host, site), site
}

// namesURL finds a URL in a text, and namesHost a text that is a host's name as a whole. What follows the
// host does not matter.
var (
	namesURL  = regexp.MustCompile(`(?i)(?:https?:[/\\]{2}|\bwww\.)[^\s/\\?#<>"'()]+`)
	namesHost = regexp.MustCompile(`^([^\s/\\?#:<>"'()@]+\.[^\s/\\?#:<>"'()@.]+)(?:[/?#:]\S*)?$`)
)

// NamedSite is the site that a text names, or "".
func NamedSite(text string) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1 // cannot be seen
		}
		return r
	}, text))
	host := ""
	if at := namesURL.FindString(text); at != "" {
		host = strings.TrimLeft(at[strings.IndexByte(at, ':')+1:], `/\`)
		host = host[strings.LastIndexByte(host, '@')+1:]
		host, _, _ = strings.Cut(host, ":")
	} else if m := namesHost.FindStringSubmatch(text); m != nil {
		host = m[1]
	}
	host = asciiHost(strings.ToLower(strings.Trim(host, ".,;!")))
	if suffix, icann := publicsuffix.PublicSuffix(host); host == "" || !icann && !strings.Contains(suffix, ".") {
		return "" // "Node.js", "report.pdf": no site ends like this
	}
	return siteOf(host)
}

// forwarders are addresses of well-known sites that lead to any URL that they are given.
var forwarders = []struct {
	host, path string
	param      string // that holds the URL
}{
	{"google.com", "/url", "q"}, {"google.com", "/url", "url"}, {"youtube.com", "/redirect", "q"}, {"facebook.com", "/l.php", "u"},
	{"instagram.com", "/", "u"}, {"linkedin.com", "/redir/redirect", "url"}, {"linkedin.com", "/redir/general-malware-page", "url"},
	{"bing.com", "/ck/a", "u"}, {"doubleclick.net", "/", "adurl"}, {"googleadservices.com", "/pagead/aclk", "adurl"}, {"vk.com", "/away.php", "to"},
	{"steamcommunity.com", "/linkfilter/", "url"}, {"slack-redir.net", "/link", "url"}, {"medium.com", "/r/", "url"},
}

// ForwardsTo is the URL to which a link through a well-known site leads in the end, "" when it is no such link.
func ForwardsTo(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	host := siteOf(strings.ToLower(u.Hostname()))
	for _, f := range forwarders {
		if host != f.host || !strings.HasPrefix(u.Path, f.path) {
			continue
		}
		if to, ok := webURL(u.Query().Get(f.param)); ok && siteOf(hostOf(to)) != host {
			return to
		}
	}
	if rest, ok := strings.CutPrefix(u.Path, "/amp/s/"); ok && host == "google.com" {
		if to, ok := webURL("https://" + rest); ok {
			return to
		}
	}
	return ""
}

// together are the scripts that honest names mix (Unicode TR 39, "highly restrictive").
var together = [][]*unicode.RangeTable{
	{unicode.Latin, unicode.Han, unicode.Hiragana, unicode.Katakana},
	{unicode.Latin, unicode.Han, unicode.Bopomofo},
	{unicode.Latin, unicode.Han, unicode.Hangul},
}

// like are letters that are read as Latin ones: of Cyrillic and Greek when a name holds no others of its
// script, and Latin letters made to be confused.
const (
	likeCyrillic = "асԁеһіјӏорԛѕԝхуѵвнктм"
	likeGreek    = "αορνυικτχε"
	likeLatin    = "ɑɡɩıɪʟɴʀᴀᴄᴅᴇᴋᴍᴏᴘᴛᴜᴠᴡᴢſƖʋ"
)

// looksAlike says whether a name in other letters can be taken for one in Latin letters.
func looksAlike(host string) bool {
	for label := range strings.SplitSeq(host, ".") {
		shown, err := idna.ToUnicode(label)
		if err != nil {
			return true // "xn--" and nothing that it stands for
		}
		if deceptive(shown) {
			return true
		}
	}
	return false
}

func deceptive(label string) bool {
	var letters []rune
	foreign := false
	for _, r := range label {
		foreign = foreign || r > unicode.MaxASCII
		if unicode.Is(unicode.Cf, r) || strings.ContainsRune("⁄∕⧸․⁃‐‑", r) {
			return true // invisible, or punctuation that ends a host's name to the eye
		}
		if !unicode.In(r, unicode.Common, unicode.Inherited) {
			letters = append(letters, r)
		}
	}
	if !foreign || len(letters) == 0 {
		return false
	}
	if strings.ContainsFunc(label, func(r rune) bool { return strings.ContainsRune(likeLatin, r) && r != 'ı' }) {
		return true
	}
	if one, ok := ofOneScript(letters); ok {
		return one == unicode.Cyrillic && all(letters, likeCyrillic) || one == unicode.Greek && all(letters, likeGreek)
	}
	for _, set := range together {
		if allIn(letters, set...) {
			return false
		}
	}
	return true
}

func ofOneScript(letters []rune) (*unicode.RangeTable, bool) {
	for _, script := range unicode.Scripts {
		if unicode.Is(script, letters[0]) {
			return script, allIn(letters, script)
		}
	}
	return nil, false
}

func all(letters []rune, among string) bool {
	for _, r := range letters {
		if !strings.ContainsRune(among, r) {
			return false
		}
	}
	return true
}

func allIn(letters []rune, scripts ...*unicode.RangeTable) bool {
	for _, r := range letters {
		if !unicode.In(r, scripts...) {
			return false
		}
	}
	return true
}

// maxShown is how many bytes of a link's text are looked at.
const maxShown = 400

// shownText is the text of an element, for judging what a link claims to lead to.
func shownText(n *html.Node) string {
	var out strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil && out.Len() < maxShown; c = c.NextSibling {
			if c.Type == html.TextNode {
				out.WriteString(c.Data[:min(len(c.Data), maxShown)])
			} else {
				walk(c)
			}
		}
	}
	walk(n)
	return strings.ToValidUTF8(out.String(), "")
}
