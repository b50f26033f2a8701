package emulator

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// handler does one method. Its result is encoded as JSON; nil is 204. Its error
// is an *apiError.
type handler func(*call) (any, error)

// handlers are all methods of the table, which TestEveryMethodIsBuilt holds.
var handlers = map[string]handler{
	"getProfile":                           getProfile,
	"watch":                                watchMailbox,
	"stop":                                 stopWatch,
	"labels.list":                          listLabels,
	"labels.get":                           getLabel,
	"labels.create":                        createLabel,
	"labels.update":                        updateLabel,
	"labels.patch":                         patchLabel,
	"labels.delete":                        deleteLabel,
	"messages.list":                        listMessages,
	"messages.get":                         getMessage,
	"messages.send":                        sendMessage,
	"messages.insert":                      insertMessage,
	"messages.import":                      importMessage,
	"messages.modify":                      modifyMessage,
	"messages.batchModify":                 batchModifyMessages,
	"messages.batchDelete":                 batchDeleteMessages,
	"messages.trash":                       trashMessage,
	"messages.untrash":                     untrashMessage,
	"messages.delete":                      deleteMessage,
	"messages.attachments.get":             getAttachment,
	"threads.list":                         listThreads,
	"threads.get":                          getThread,
	"threads.modify":                       modifyThread,
	"threads.trash":                        trashThread,
	"threads.untrash":                      untrashThread,
	"threads.delete":                       deleteThread,
	"drafts.create":                        createDraft,
	"drafts.get":                           getDraft,
	"drafts.list":                          listDrafts,
	"drafts.update":                        updateDraft,
	"drafts.send":                          sendDraft,
	"drafts.delete":                        deleteDraft,
	"history.list":                         listHistory,
	"settings.sendAs.list":                 listSendAs,
	"settings.sendAs.get":                  getSendAs,
	"settings.sendAs.update":               updateSendAs,
	"settings.sendAs.patch":                patchSendAs,
	"settings.sendAs.create":               createSendAs,
	"settings.sendAs.delete":               deleteSendAs,
	"settings.sendAs.verify":               verifySendAs,
	"settings.sendAs.smimeInfo.delete":     deleteSmime,
	"settings.sendAs.smimeInfo.get":        getSmime,
	"settings.sendAs.smimeInfo.insert":     insertSmime,
	"settings.sendAs.smimeInfo.list":       listSmime,
	"settings.sendAs.smimeInfo.setDefault": setDefaultSmime,
	"settings.cse.identities.create":       createCseIdentity,
	"settings.cse.identities.delete":       deleteCseIdentity,
	"settings.cse.identities.get":          getCseIdentity,
	"settings.cse.identities.list":         listCseIdentities,
	"settings.cse.identities.patch":        patchCseIdentity,
	"settings.cse.keypairs.create":         createCseKeyPair,
	"settings.cse.keypairs.disable":        disableCseKeyPair,
	"settings.cse.keypairs.enable":         enableCseKeyPair,
	"settings.cse.keypairs.get":            getCseKeyPair,
	"settings.cse.keypairs.list":           listCseKeyPairs,
	"settings.cse.keypairs.obliterate":     obliterateCseKeyPair,
	"settings.delegates.create":            createDelegate,
	"settings.delegates.delete":            deleteDelegate,
	"settings.delegates.get":               getDelegate,
	"settings.delegates.list":              listDelegates,
	"settings.forwardingAddresses.create":  createForwarding,
	"settings.forwardingAddresses.delete":  deleteForwarding,
	"settings.forwardingAddresses.get":     getForwarding,
	"settings.forwardingAddresses.list":    listForwarding,
	"settings.getAutoForwarding":           getAutoForwarding,
	"settings.updateAutoForwarding":        updateAutoForwarding,
	"settings.getImap":                     getImap,
	"settings.updateImap":                  updateImap,
	"settings.getPop":                      getPop,
	"settings.updatePop":                   updatePop,
	"settings.updateVacation":              updateVacation,
	"settings.getVacation":                 getVacation,
	"settings.getLanguage":                 getLanguage,
	"settings.updateLanguage":              updateLanguage,
	"settings.filters.create":              createFilter,
	"settings.filters.delete":              deleteFilter,
	"settings.filters.list":                listFilters,
	"settings.filters.get":                 getFilter,
}

func handle(c *call) (any, error) {
	return handlers[c.method.ID](c)
}

// decode reads the body, whose shape was checked against the schema already.
func (c *call) decode(v any) error {
	if err := json.Unmarshal(c.body, v); err != nil {
		return invalidPayload("Invalid JSON payload received.", "")
	}
	return nil
}

// param is the last value of a query parameter, "" when absent.
func (c *call) param(name string) string {
	values := c.query[name]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

func (c *call) flag(name string) bool { return c.param(name) == "true" }

// pageSize is maxResults: 100 when absent or 0, at most 500.
func (c *call) pageSize() int {
	n, err := strconv.Atoi(c.param("maxResults"))
	if err != nil || n == 0 {
		return 100
	}
	return min(n, 500)
}

const scopePrefix = "https://www.googleapis.com/auth/gmail."

// metadataOnly reports whether the token is bound to the rules of the metadata
// scope. Gmail applies them when that scope is among the granted ones, whatever
// else is (readonly is reported); only full access lifts them here.
func (c *call) metadataOnly() bool {
	if slices.Contains(c.scopes, "https://mail.google.com/") {
		return false
	}
	return slices.Contains(c.scopes, scopePrefix+"metadata") ||
		slices.Contains(c.scopes, scopePrefix+"addons.current.message.metadata") && !slices.Contains(c.scopes, scopePrefix+"readonly") &&
			!slices.Contains(c.scopes, scopePrefix+"modify")
}

// format reads the format parameter and holds the metadata scope's rule.
func (c *call) format() (string, error) {
	f := c.param("format")
	if f == "" {
		f = "full"
	}
	if c.metadataOnly() && (f == "full" || f == "raw") {
		return "", forbidden("Metadata scope doesn't allow format " + strings.ToUpper(f))
	}
	return f, nil
}

// messageBody is the part of a Message that requests carry.
type messageBody struct {
	Raw      string   `json:"raw"`
	ThreadID string   `json:"threadId"`
	LabelIDs []string `json:"labelIds"`
}

// rawMessage is the message of a request: uploaded, or base64 in the JSON.
func (c *call) rawMessage(body messageBody) ([]byte, error) {
	if c.upload {
		if len(c.media) == 0 {
			return nil, rawMissing()
		}
		return c.media, nil
	}
	if body.Raw == "" {
		return nil, rawMissing()
	}
	raw, ok := decodeBase64(body.Raw)
	if !ok {
		return nil, badRequest("Invalid value for ByteString")
	}
	if len(raw) == 0 {
		return nil, rawMissing()
	}
	return raw, nil
}

func rawMissing() *apiError {
	return badRequest("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
}

// decodeBase64 takes both alphabets, with and without padding.
func decodeBase64(s string) ([]byte, bool) {
	s = strings.NewReplacer("+", "-", "/", "_", "\r", "", "\n", "").Replace(strings.TrimRight(s, "="))
	b, err := base64.RawURLEncoding.DecodeString(s)
	return b, err == nil
}

func encodeBase64(b []byte) string { return base64.URLEncoding.EncodeToString(b) }

func getProfile(c *call) (any, error) {
	c.box.mu.RLock()
	defer c.box.mu.RUnlock()
	return profileResource{
		EmailAddress: c.box.email, MessagesTotal: len(c.box.messages), ThreadsTotal: len(c.box.threads),
		HistoryID: strconv.FormatUint(c.box.history.head, 10),
	}, nil
}
