package mailhtml

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// trackerURL matches addresses known to serve nothing but a record of who
// opened a mail: the open endpoints of senders' services.
var trackerURL = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`/(?:wf|ls|e|t|track|tracking|trk|email|mail)/(?:open|o|pixel)(?:[/?.]|$)`, // SendGrid, Mailchimp, many others
	`/open\.(?:aspx|php|gif|png)`,
	`/(?:pixel|beacon|spacer_track|1x1)\.(?:gif|png)`,
	`^https?://(?:[^/]*\.)?(?:google-analytics\.com/(?:collect|__utm)|mailtrack\.io/|pixel\.|open\.convertkit|trk\.klclick|track\.hubspot|t\.hubspotemail)`,
	`^https?://[^/]*/__(?:ptq|pto)\.gif`,
	`^https?://[^/]*\.awstrack\.me/I0/`,
	`^https?://[^/]*\.list-manage\.com/track/open`,
	`^https?://links\.[^/]*/e/eo\b`,
}, "|"))

// isTracker reports whether a remote image is there to be fetched rather than
// to be seen: at most one pixel large, hidden, or at a known address.
func isTracker(img *html.Node, url string) bool {
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
	if tiny(width) && tiny(height) {
		return true
	}
	return trackerURL.MatchString(url)
}

// tiny reports whether an image dimension is given and at most one pixel.
func tiny(dimension string) bool {
	n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(strings.ToLower(dimension)), "px"), 64)
	return err == nil && n <= 1
}
