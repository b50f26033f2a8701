package frontend

import (
	"net/http"

	"github.com/totalengage/webmail/policy"
)

// PushHandler is what receives Gmail's notifications.
func PushHandler(find Mailboxes, wake func(policy.AccountID), v PushVerifier) http.Handler {
	return newPushes(find, wake, v)
}

// Routes lists the whole table, as method and path.
func Routes() (list [][2]string) {
	for _, r := range routes {
		list = append(list, [2]string{r.method, r.path})
	}
	return list
}
