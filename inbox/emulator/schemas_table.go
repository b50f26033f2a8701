package emulator

// schemas names every resource of the discovery document with its fields and
// their types: string, bytes (base64), int64 and uint64 (JSON strings), int32
// and uint32 (JSON numbers), bool, datetime, an enum as a|b, another schema,
// and [] for lists. TestSchemaTableMatchesDiscovery keeps it equal to the document.
var schemas = map[string]string{
	"AutoForwarding":                  "disposition:dispositionUnspecified|leaveInInbox|archive|trash|markRead emailAddress:string enabled:bool",
	"BatchDeleteMessagesRequest":      "ids:string[]",
	"BatchModifyMessagesRequest":      "addClassificationLabels:ClassificationLabelValue[] addLabelIds:string[] ids:string[] removeClassificationLabelIds:string[] removeLabelIds:string[]",
	"ClassificationLabelFieldValue":   "fieldId:string selection:string",
	"ClassificationLabelValue":        "fields:ClassificationLabelFieldValue[] labelId:string",
	"CseIdentity":                     "emailAddress:string primaryKeyPairId:string signAndEncryptKeyPairs:SignAndEncryptKeyPairs",
	"CseKeyPair":                      "disableTime:datetime enablementState:stateUnspecified|enabled|disabled keyPairId:string pem:string pkcs7:string privateKeyMetadata:CsePrivateKeyMetadata[] subjectEmailAddresses:string[]",
	"CsePrivateKeyMetadata":           "hardwareKeyMetadata:HardwareKeyMetadata kaclsKeyMetadata:KaclsKeyMetadata privateKeyMetadataId:string",
	"Delegate":                        "delegateEmail:string verificationStatus:verificationStatusUnspecified|accepted|pending|rejected|expired",
	"DisableCseKeyPairRequest":        "",
	"Draft":                           "id:string message:Message",
	"EnableCseKeyPairRequest":         "",
	"Filter":                          "action:FilterAction criteria:FilterCriteria id:string",
	"FilterAction":                    "addLabelIds:string[] forward:string removeLabelIds:string[]",
	"FilterCriteria":                  "excludeChats:bool from:string hasAttachment:bool negatedQuery:string query:string size:int32 sizeComparison:unspecified|smaller|larger subject:string to:string",
	"ForwardingAddress":               "forwardingEmail:string verificationStatus:verificationStatusUnspecified|accepted|pending",
	"HardwareKeyMetadata":             "description:string",
	"History":                         "id:uint64 labelsAdded:HistoryLabelAdded[] labelsRemoved:HistoryLabelRemoved[] messages:Message[] messagesAdded:HistoryMessageAdded[] messagesDeleted:HistoryMessageDeleted[]",
	"HistoryLabelAdded":               "labelIds:string[] message:Message",
	"HistoryLabelRemoved":             "labelIds:string[] message:Message",
	"HistoryMessageAdded":             "message:Message",
	"HistoryMessageDeleted":           "message:Message",
	"ImapSettings":                    "autoExpunge:bool enabled:bool expungeBehavior:expungeBehaviorUnspecified|archive|trash|deleteForever maxFolderSize:int32",
	"KaclsKeyMetadata":                "kaclsData:string kaclsUri:string",
	"Label":                           "color:LabelColor id:string labelListVisibility:labelShow|labelShowIfUnread|labelHide messageListVisibility:show|hide messagesTotal:int32 messagesUnread:int32 name:string threadsTotal:int32 threadsUnread:int32 type:system|user",
	"LabelColor":                      "backgroundColor:string textColor:string",
	"LanguageSettings":                "displayLanguage:string",
	"ListCseIdentitiesResponse":       "cseIdentities:CseIdentity[] nextPageToken:string",
	"ListCseKeyPairsResponse":         "cseKeyPairs:CseKeyPair[] nextPageToken:string",
	"ListDelegatesResponse":           "delegates:Delegate[]",
	"ListDraftsResponse":              "drafts:Draft[] nextPageToken:string resultSizeEstimate:uint32",
	"ListFiltersResponse":             "filter:Filter[]",
	"ListForwardingAddressesResponse": "forwardingAddresses:ForwardingAddress[]",
	"ListHistoryResponse":             "history:History[] historyId:uint64 nextPageToken:string",
	"ListLabelsResponse":              "labels:Label[]",
	"ListMessagesResponse":            "messages:Message[] nextPageToken:string resultSizeEstimate:uint32",
	"ListSendAsResponse":              "sendAs:SendAs[]",
	"ListSmimeInfoResponse":           "smimeInfo:SmimeInfo[]",
	"ListThreadsResponse":             "nextPageToken:string resultSizeEstimate:uint32 threads:Thread[]",
	"Message":                         "classificationLabelValues:ClassificationLabelValue[] historyId:uint64 id:string internalDate:int64 labelIds:string[] payload:MessagePart raw:bytes sizeEstimate:int32 snippet:string threadId:string",
	"MessagePart":                     "body:MessagePartBody filename:string headers:MessagePartHeader[] mimeType:string partId:string parts:MessagePart[]",
	"MessagePartBody":                 "attachmentId:string data:bytes size:int32",
	"MessagePartHeader":               "name:string value:string",
	"ModifyMessageRequest":            "addClassificationLabels:ClassificationLabelValue[] addLabelIds:string[] removeClassificationLabelIds:string[] removeLabelIds:string[]",
	"ModifyThreadRequest":             "addLabelIds:string[] removeLabelIds:string[]",
	"ObliterateCseKeyPairRequest":     "",
	"PopSettings":                     "accessWindow:accessWindowUnspecified|disabled|fromNowOn|allMail disposition:dispositionUnspecified|leaveInInbox|archive|trash|markRead",
	"Profile":                         "emailAddress:string historyId:uint64 messagesTotal:int32 threadsTotal:int32",
	"SendAs":                          "displayName:string isDefault:bool isPrimary:bool replyToAddress:string sendAsEmail:string signature:string smtpMsa:SmtpMsa treatAsAlias:bool verificationStatus:verificationStatusUnspecified|accepted|pending",
	"SignAndEncryptKeyPairs":          "encryptionKeyPairId:string signingKeyPairId:string",
	"SmimeInfo":                       "encryptedKeyPassword:string expiration:int64 id:string isDefault:bool issuerCn:string pem:string pkcs12:bytes",
	"SmtpMsa":                         "host:string password:string port:int32 securityMode:securityModeUnspecified|none|ssl|starttls username:string",
	"Thread":                          "historyId:uint64 id:string messages:Message[] snippet:string",
	"VacationSettings":                "enableAutoReply:bool endTime:int64 responseBodyHtml:string responseBodyPlainText:string responseSubject:string restrictToContacts:bool restrictToDomain:bool startTime:int64",
	"WatchRequest":                    "labelFilterAction:include|exclude labelFilterBehavior:include|exclude labelIds:string[] topicName:string",
	"WatchResponse":                   "expiration:int64 historyId:uint64",
}

// labelColors is the closed palette of LabelColor, the same for background and text.
const labelColors = `
	#000000 #434343 #666666 #999999 #cccccc #efefef #f3f3f3 #ffffff #fb4c2f #ffad47 #fad165 #16a766
	#43d692 #4a86e8 #a479e2 #f691b3 #f6c5be #ffe6c7 #fef1d1 #b9e4d0 #c6f3de #c9daf8 #e4d7f5 #fcdee8
	#efa093 #ffd6a2 #fce8b3 #89d3b2 #a0eac9 #a4c2f4 #d0bcf1 #fbc8d9 #e66550 #ffbc6b #fcda83 #44b984
	#68dfa9 #6d9eeb #b694e8 #f7a7c0 #cc3a21 #eaa041 #f2c960 #149e60 #3dc789 #3c78d8 #8e63ce #e07798
	#ac2b16 #cf8933 #d5ae49 #0b804b #2a9c68 #285bac #653e9b #b65775 #822111 #a46a21 #aa8831 #076239
	#1a764d #1c4587 #41236d #83334c #464646 #e7e7e7 #0d3472 #b6cff5 #0d3b44 #98d7e4 #3d188e #e3d7ff
	#711a36 #fbd3e0 #8a1c0a #f2b2a8 #7a2e0b #ffc8af #7a4706 #ffdeb5 #594c05 #fbe983 #684e07 #fdedc1
	#0b4f30 #b3efd3 #04502e #a2dcc1 #c2c2c2 #4986e7 #2da2bb #b99aff #994a64 #f691b2 #ff7537 #ffad46
	#662e37 #ebdbde #cca6ac #094228 #42d692 #16a765 #757575 #1e53b8 #007286 #7858c3 #c2185b #d93025
	#54240e #633e04 #521d28 #202124 #083018`
