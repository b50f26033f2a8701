package emulator

// The resources as JSON, their keys in the order of Gmail's answers. int64 and
// uint64 are JSON strings.

type messageResource struct {
	ID           string        `json:"id,omitempty"`
	ThreadID     string        `json:"threadId,omitempty"`
	LabelIDs     []string      `json:"labelIds,omitempty"`
	Snippet      *string       `json:"snippet,omitempty"`
	Payload      *partResource `json:"payload,omitempty"`
	SizeEstimate int           `json:"sizeEstimate,omitempty"`
	Raw          string        `json:"raw,omitempty"`
	HistoryID    string        `json:"historyId,omitempty"`
	InternalDate string        `json:"internalDate,omitempty"`
}

type partResource struct {
	PartID   *string          `json:"partId,omitempty"` // "" at the root, absent in format=metadata
	MimeType string           `json:"mimeType"`
	Filename *string          `json:"filename,omitempty"`
	Headers  []headerResource `json:"headers,omitempty"`
	Body     *bodyResource    `json:"body,omitempty"`
	Parts    []*partResource  `json:"parts,omitempty"`
}

type headerResource struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type bodyResource struct {
	AttachmentID string `json:"attachmentId,omitempty"`
	Size         int    `json:"size"`
	Data         string `json:"data,omitempty"`
}

type listMessagesResource struct {
	Messages           []messageResource `json:"messages,omitempty"`
	NextPageToken      string            `json:"nextPageToken,omitempty"`
	ResultSizeEstimate int               `json:"resultSizeEstimate"`
}

type threadResource struct {
	ID        string            `json:"id"`
	Snippet   *string           `json:"snippet,omitempty"`
	HistoryID string            `json:"historyId,omitempty"`
	Messages  []messageResource `json:"messages,omitempty"`
}

type listThreadsResource struct {
	Threads            []threadResource `json:"threads,omitempty"`
	NextPageToken      string           `json:"nextPageToken,omitempty"`
	ResultSizeEstimate int              `json:"resultSizeEstimate"`
}

type draftResource struct {
	ID      string           `json:"id,omitempty"`
	Message *messageResource `json:"message,omitempty"`
}

type listDraftsResource struct {
	Drafts             []draftResource `json:"drafts,omitempty"`
	NextPageToken      string          `json:"nextPageToken,omitempty"`
	ResultSizeEstimate int             `json:"resultSizeEstimate"`
}

type labelResource struct {
	ID                    string         `json:"id"`
	Name                  string         `json:"name"`
	MessageListVisibility string         `json:"messageListVisibility,omitempty"`
	LabelListVisibility   string         `json:"labelListVisibility,omitempty"`
	Type                  string         `json:"type"`
	MessagesTotal         *int           `json:"messagesTotal,omitempty"`
	MessagesUnread        *int           `json:"messagesUnread,omitempty"`
	ThreadsTotal          *int           `json:"threadsTotal,omitempty"`
	ThreadsUnread         *int           `json:"threadsUnread,omitempty"`
	Color                 *colorResource `json:"color,omitempty"`
}

type colorResource struct {
	TextColor       string `json:"textColor"`
	BackgroundColor string `json:"backgroundColor"`
}

type profileResource struct {
	EmailAddress  string `json:"emailAddress"`
	MessagesTotal int    `json:"messagesTotal"`
	ThreadsTotal  int    `json:"threadsTotal"`
	HistoryID     string `json:"historyId"`
}

type historyResource struct {
	ID              string               `json:"id"`
	Messages        []messageResource    `json:"messages,omitempty"`
	MessagesAdded   []historyMessage     `json:"messagesAdded,omitempty"`
	MessagesDeleted []historyMessage     `json:"messagesDeleted,omitempty"`
	LabelsAdded     []historyLabelChange `json:"labelsAdded,omitempty"`
	LabelsRemoved   []historyLabelChange `json:"labelsRemoved,omitempty"`
}

type historyMessage struct {
	Message messageResource `json:"message"`
}

type historyLabelChange struct {
	Message  messageResource `json:"message"`
	LabelIDs []string        `json:"labelIds"`
}

type listHistoryResource struct {
	History       []historyResource `json:"history,omitempty"`
	NextPageToken string            `json:"nextPageToken,omitempty"`
	HistoryID     string            `json:"historyId"`
}

type sendAsResource struct {
	SendAsEmail        string           `json:"sendAsEmail"`
	DisplayName        string           `json:"displayName"`
	ReplyToAddress     string           `json:"replyToAddress"`
	Signature          string           `json:"signature"`
	IsPrimary          bool             `json:"isPrimary,omitempty"`
	IsDefault          bool             `json:"isDefault,omitempty"`
	TreatAsAlias       bool             `json:"treatAsAlias,omitempty"`
	VerificationStatus string           `json:"verificationStatus,omitempty"`
	SMTP               *smtpMsaResource `json:"smtpMsa,omitempty"`
}

// smtpMsaResource leaves out user name and password, which Gmail never shows.
type smtpMsaResource struct {
	Host         string `json:"host"`
	Port         int    `json:"port"`
	SecurityMode string `json:"securityMode,omitempty"`
}

type forwardingResource struct {
	ForwardingEmail    string `json:"forwardingEmail"`
	VerificationStatus string `json:"verificationStatus"`
}

type delegateResource struct {
	DelegateEmail      string `json:"delegateEmail"`
	VerificationStatus string `json:"verificationStatus"`
}

type autoForwardingResource struct {
	Enabled      bool   `json:"enabled"`
	EmailAddress string `json:"emailAddress,omitempty"`
	Disposition  string `json:"disposition,omitempty"`
}

type imapResource struct {
	Enabled         bool   `json:"enabled"`
	AutoExpunge     bool   `json:"autoExpunge"`
	ExpungeBehavior string `json:"expungeBehavior,omitempty"`
	MaxFolderSize   int    `json:"maxFolderSize"`
}

type popResource struct {
	AccessWindow string `json:"accessWindow,omitempty"`
	Disposition  string `json:"disposition,omitempty"`
}

type languageResource struct {
	DisplayLanguage string `json:"displayLanguage"`
}

type vacationResource struct {
	EnableAutoReply       bool   `json:"enableAutoReply"`
	ResponseSubject       string `json:"responseSubject,omitempty"`
	ResponseBodyPlainText string `json:"responseBodyPlainText,omitempty"`
	ResponseBodyHTML      string `json:"responseBodyHtml,omitempty"`
	RestrictToContacts    bool   `json:"restrictToContacts"`
	RestrictToDomain      bool   `json:"restrictToDomain"`
	StartTime             string `json:"startTime,omitempty"`
	EndTime               string `json:"endTime,omitempty"`
}

type filterResource struct {
	ID       string          `json:"id"`
	Criteria *filterCriteria `json:"criteria,omitempty"`
	Action   *filterAction   `json:"action,omitempty"`
}

type filterCriteria struct {
	From           string `json:"from,omitempty"`
	To             string `json:"to,omitempty"`
	Subject        string `json:"subject,omitempty"`
	Query          string `json:"query,omitempty"`
	NegatedQuery   string `json:"negatedQuery,omitempty"`
	HasAttachment  bool   `json:"hasAttachment,omitempty"`
	ExcludeChats   bool   `json:"excludeChats,omitempty"`
	Size           int    `json:"size,omitempty"`
	SizeComparison string `json:"sizeComparison,omitempty"`
}

type filterAction struct {
	AddLabelIDs    []string `json:"addLabelIds,omitempty"`
	RemoveLabelIDs []string `json:"removeLabelIds,omitempty"`
	Forward        string   `json:"forward,omitempty"`
}
