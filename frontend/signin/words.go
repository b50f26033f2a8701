package signin

// The words of the privacy page for names in the policy's tables. A name without words is shown as it is, so that
// nothing is left out; a test asks for words for each.

var features = map[string]string{
	"access_history":    "your access history",
	"aggregate_release": "counting for the numbers",
	"aggregate_report":  "reading the numbers",
	"agreed_view":       "seeing a specific message that you agreed to",
	"attachment_view":   "attachments and pictures in a message",
	"audit_log":         "reading the record of accesses",
	"compose":           "writing and keeping drafts",
	"connect":           "connecting and disconnecting a mailbox",
	"data_download":     "a copy of what is stored",
	"label_list":        "your labels",
	"live_updates":      "keeping an open page up to date",
	"message_view":      "opening a message",
	"organise":          "archiving, labelling, starring, marking, deleting",
	"prefetch":          "getting ready a conversation that you may open next",
	"remote_images":     "showing remote pictures of a message",
	"search":            "searching",
	"send":              "sending, at the time you chose",
	"start_draft":       "starting a draft from a service you connected",
	"thread_list":       "the list of conversations",
	"thread_view":       "opening a conversation",
	"unread_badge":      "a count of unread messages in a service you connected",
	"unsubscribe":       "unsubscribing from a list",
}

var actors = map[string]string{
	"auditor":  "auditors",
	"reviewer": "outside reviewers",
	"service":  "the program itself, on your instruction",
	"staff":    "staff",
}

var classes = map[string]string{
	"aggregate":  "numbers about many",
	"attachment": "attachments",
	"body":       "text of the message",
	"decisions":  "the record of accesses",
	"derived":    "the address that the message itself names",
	"header":     "sender, recipients and subject",
	"label":      "counts of your labels",
	"metadata":   "dates and sizes",
	"settings":   "settings of the mailbox",
}

func words(of map[string]string, name string) string {
	if w := of[name]; w != "" {
		return w
	}
	return name
}
