package inbox

import "github.com/totalengage/webmail/inbox/internal/gmail"

// GoogleEndpoint is where Gmail is.
const GoogleEndpoint = gmail.GoogleEndpoint
