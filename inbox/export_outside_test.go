package inbox

import (
	"encoding/json"

	"github.com/totalengage/webmail/inbox/internal/gmail"
)

// SenderOf is what a header proves about the message's sender.
func SenderOf(headers ...string) (address string, proven bool) { return senderOf(partOf(headers)) }

// UnsubscribeOf is the way off the list that a message with this header and these labels offers, nil for none.
func UnsubscribeOf(labels []string, headers ...string) *Unsubscribe {
	return unsubscribeOf(&gmail.Message{LabelIds: labels, Payload: partOf(headers)})
}

// partOf takes names and values by turns.
func partOf(headers []string) *gmail.Part {
	var part struct {
		Headers []map[string]string `json:"headers"`
	}
	for i := 0; i < len(headers); i += 2 {
		part.Headers = append(part.Headers, map[string]string{"name": headers[i], "value": headers[i+1]})
	}
	text, err := json.Marshal(part)
	p := &gmail.Part{}
	if err == nil {
		err = json.Unmarshal(text, p)
	}
	if err != nil {
		panic(err) // strings in maps
	}
	return p
}
