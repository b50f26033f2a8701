package mailhtml

import (
	_ "embed"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/publicsuffix"
)

//go:embed trackers.txt
var trackerTable string

// knownTracker is one line of trackers.txt.
type knownTracker struct{ by, path string }

// knownTrackers are the lines by host.
var knownTrackers = readTrackers(trackerTable)

func readTrackers(table string) map[string][]knownTracker {
	out := map[string][]knownTracker{}
	for line := range strings.Lines(table) {
		// The name may hold single spaces, so columns are two spaces apart.
		var columns []string
		for _, c := range strings.Split(strings.TrimSpace(line), "  ") {
			if c = strings.TrimSpace(c); c != "" {
				columns = append(columns, c)
			}
		}
		switch {
		case strings.HasPrefix(line, "#"):
		case len(columns) == 2:
			out[columns[1]] = append(out[columns[1]], knownTracker{by: columns[0]})
		case len(columns) == 3:
			out[columns[1]] = append(out[columns[1]], knownTracker{by: columns[0], path: columns[2]})
		}
	}
	return out
}

// trackerPath matches paths that many services use for nothing but a record of who opened a mail.
var trackerPath = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`^/(?:[^?]*/)?(?:wf|ls|e|t|track|tracking|trk|email|mail)/(?:open|o|pixel)(?:[/?.]|$)`,
	`/open\.(?:aspx|php|gif|png)`,
	`/(?:pixel|beacon|spacer_track|1x1)\.(?:gif|png)`,
	`^/__(?:ptq|pto)\.gif`,
}, "|"))

var (
	trackerHost = regexp.MustCompile(`(?i)^pixel\.`)
	linkHost    = regexp.MustCompile(`(?i)^links\.`)
)

// trackedBy says who learns from this URL that a mail was opened: the service's name, or the site when no line
// of the table names it. It is "" for a URL that is not known to report.
func trackedBy(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	for zone := host; zone != ""; _, zone, _ = strings.Cut(zone, ".") {
		for _, known := range knownTrackers[zone] {
			if rest, ok := strings.CutPrefix(u.Path, known.path); ok && wholeStep(known.path, rest) {
				return known.by
			}
		}
	}
	if trackerPath.MatchString(u.RequestURI()) || trackerHost.MatchString(host) || linkHost.MatchString(host) && strings.HasPrefix(u.Path, "/e/eo") {
		return siteOf(host)
	}
	return ""
}

// wholeStep says whether a path that goes on with rest is below start, and not another name that begins like it.
func wholeStep(start, rest string) bool {
	return start == "" || strings.HasSuffix(start, "/") || rest == "" || rest[0] == '/' || rest[0] == '.'
}

// siteOf is the part of a host's name that its owner registered, such as "example.co.uk".
func siteOf(host string) string {
	site, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host
	}
	return site
}

// tracker says who would learn from fetching a remote image, when the image is there to be fetched rather than
// to be seen: at most one pixel large, hidden, at a known address, or without size, name and text but with a
// mark of its own in the URL. It is "" for an image that is there to be seen.
func tracker(img *html.Node, url string) string {
	if by := trackedBy(url); by != "" {
		return by
	}
	if unseen(img) || marked(img, url) {
		return siteOf(hostOf(url))
	}
	return ""
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// unseen says whether an image takes no room.
func unseen(img *html.Node) bool {
	if tiny(attr(img, "width")) && tiny(attr(img, "height")) {
		return true
	}
	var width, height string
	for _, d := range declarations(attr(img, "style")) {
		switch d.property {
		case "width", "max-width":
			width = d.value
		case "height", "max-height":
			height = d.value
		case "display":
			if strings.EqualFold(d.value, "none") {
				return true
			}
		case "visibility":
			if strings.EqualFold(d.value, "hidden") {
				return true
			}
		}
	}
	return tiny(width) && tiny(height)
}

// tiny reports whether an image dimension is given and at most one pixel.
func tiny(dimension string) bool {
	n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(strings.ToLower(dimension)), "px"), 64)
	return err == nil && n <= 1
}

var (
	pictureName = regexp.MustCompile(`(?i)\.(?:png|jpe?g|gif|webp|avif|bmp|svg)$`)
	opaqueToken = regexp.MustCompile(`[A-Za-z0-9_~-]{20,}`)
)

// marked says whether an image has neither size nor text nor a picture's name, but a token long enough to be
// one reader's own.
func marked(img *html.Node, raw string) bool {
	if attr(img, "alt") != "" || attr(img, "width") != "" || attr(img, "height") != "" {
		return false
	}
	for _, d := range declarations(attr(img, "style")) {
		if strings.HasSuffix(d.property, "width") || strings.HasSuffix(d.property, "height") {
			return false
		}
	}
	u, err := url.Parse(raw)
	if err != nil || pictureName.MatchString(u.Path) {
		return false
	}
	for _, token := range opaqueToken.FindAllString(u.RequestURI(), -1) {
		if strings.ContainsAny(token, "0123456789") && strings.ContainsAny(strings.ToLower(token), "abcdefghijklmnopqrstuvwxyz") {
			return true
		}
	}
	return false
}
