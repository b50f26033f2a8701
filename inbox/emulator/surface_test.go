package emulator_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/totalengage/webmail/inbox/emulator"
)

// TestScopesOfEveryMethod calls each method with each scope alone: the document's list
// opens it, every other is refused.
func TestScopesOfEveryMethod(t *testing.T) {
	d := mustDiscovery(t)
	all := map[string]bool{"openid": true}
	for _, m := range d.Methods {
		for _, s := range m.Scopes {
			all[s] = true
		}
	}
	tokens := emulator.StaticTokens{}
	for s := range all {
		tokens[s] = emulator.TokenInfo{Email: "alice@example.com", Scopes: []string{s}}
	}
	w := newWorld(t, emulator.Options{Auth: tokens, Logf: func(string, ...any) {}})
	for id, m := range d.Methods {
		path := "/" + regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(strings.Replace(m.Path, "{userId}", "me", 1), "1234")
		for s := range all {
			status, _, body := w.do(m.HTTPMethod, path, s, "{}")
			refused := status == 403 && strings.Contains(body, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
			if refused == slices.Contains(m.Scopes, s) {
				t.Errorf("%s with %s: %d %s", id, s, status, body)
			}
		}
	}
}

// TestEveryMethodAnswersItsSchema calls all methods so that they succeed. Each answer
// is checked against the method's schema; unknown keys fail.
func TestEveryMethodAnswersItsSchema(t *testing.T) {
	w, clk := settingsWorld(t)
	v := newValidator(t)
	called := map[string]bool{}
	call := func(id, query, body string, params ...string) map[string]any {
		t.Helper()
		called[id] = true
		m := v.d.Methods[id]
		path := "/" + strings.Replace(m.Path, "{userId}", "me", 1)
		for _, p := range params {
			path = regexp.MustCompile(`\{[^}]+\}`).ReplaceAllLiteralString(path[:strings.IndexByte(path, '}')+1], p) + path[strings.IndexByte(path, '}')+1:]
		}
		status, header, answer := w.do(m.HTTPMethod, path+query, "alice", body)
		if status >= 300 {
			t.Fatalf("%s %s: %d %s", id, path, status, answer)
		}
		v.check(m.HTTPMethod, path, status, header.Get("Content-Type"), []byte(answer))
		var out map[string]any
		if answer != "" {
			if err := json.Unmarshal([]byte(answer), &out); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	str := func(from map[string]any, keys ...string) string {
		t.Helper()
		for _, k := range keys[:len(keys)-1] {
			from = from[k].(map[string]any)
		}
		return from[keys[len(keys)-1]].(string)
	}
	raw := func(text string) string { return `"raw":"` + encode(text) + `"` }
	const attached = "To: bob@example.com\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: image/png\r\n\r\nAA\r\n--b--\r\n"

	head := str(call("getProfile", "", ""), "historyId")
	call("watch", "", `{"topicName":"`+topic+`"}`)
	label := str(call("labels.create", "", `{"name":"L","color":{"textColor":"#000000","backgroundColor":"#ffffff"}}`), "id")
	call("labels.list", "", "")
	call("labels.get", "", "", label)
	call("labels.patch", "", `{"name":"M"}`, label)
	call("labels.update", "", `{"name":"N"}`, label)
	draft := str(call("drafts.create", "", `{"message":{`+raw(attached)+`}}`), "id")
	call("drafts.list", "", "")
	call("drafts.get", "?format=full", "", draft)
	call("drafts.update", "", `{"message":{`+raw(attached)+`}}`, draft)
	sent := call("drafts.send", "", `{"id":"`+draft+`"}`)
	id, thread := str(sent, "id"), str(sent, "threadId")
	gone := str(call("drafts.create", "", `{"message":{`+raw("x: y\r\n\r\nz")+`}}`), "id")
	call("drafts.delete", "", "", gone)
	full := call("messages.get", "", "", id)
	attachment := str(full["payload"].(map[string]any)["parts"].([]any)[1].(map[string]any), "body", "attachmentId")
	call("messages.attachments.get", "", "", id, attachment)
	for _, format := range []string{"minimal", "metadata", "raw"} {
		call("messages.get", "?format="+format, "", id)
	}
	call("messages.list", "?q=in:sent", "")
	call("messages.modify", "", `{"addLabelIds":["`+label+`"]}`, id)
	call("messages.batchModify", "", `{"ids":["`+id+`"],"addLabelIds":["STARRED"]}`)
	call("messages.trash", "", "", id)
	call("messages.untrash", "", "", id)
	call("messages.send", "", `{`+raw(attached)+`}`)
	inserted := str(call("messages.insert", "", `{`+raw(attached)+`,"labelIds":["INBOX"]}`), "id")
	imported := str(call("messages.import", "", `{`+raw(attached)+`}`), "id")
	call("threads.list", "", "")
	call("threads.get", "", "", thread)
	call("threads.modify", "", `{"addLabelIds":["UNREAD"]}`, thread)
	call("threads.trash", "", "", thread)
	call("threads.untrash", "", "", thread)
	call("history.list", "?startHistoryId="+head, "")
	call("messages.delete", "", "", inserted)
	call("messages.batchDelete", "", `{"ids":["`+imported+`"]}`)
	call("threads.delete", "", "", thread)
	call("labels.delete", "", "", label)
	call("stop", "", "")

	call("settings.updateVacation", "", `{"enableAutoReply":true,"responseSubject":"s","responseBodyHtml":"<p>x</p>","startTime":"1","endTime":"2"}`)
	call("settings.getVacation", "", "")
	call("settings.updateImap", "", `{"enabled":true,"expungeBehavior":"archive"}`)
	call("settings.getImap", "", "")
	call("settings.updatePop", "", `{"accessWindow":"allMail","disposition":"trash"}`)
	call("settings.getPop", "", "")
	call("settings.updateLanguage", "", `{"displayLanguage":"de"}`)
	call("settings.getLanguage", "", "")
	const bob, sales = "bob@example.com", "sales@example.com"
	call("settings.forwardingAddresses.create", "", `{"forwardingEmail":"`+bob+`"}`)
	call("settings.forwardingAddresses.get", "", "", bob)
	call("settings.forwardingAddresses.list", "", "")
	call("settings.updateAutoForwarding", "", `{"enabled":true,"emailAddress":"`+bob+`","disposition":"archive"}`)
	call("settings.getAutoForwarding", "", "")
	filter := str(call("settings.filters.create", "", `{"criteria":{"from":"x","size":1,"sizeComparison":"larger","hasAttachment":true},"action":{"forward":"`+bob+`","addLabelIds":["STARRED"]}}`), "id")
	call("settings.filters.get", "", "", filter)
	call("settings.filters.list", "", "")
	call("settings.filters.delete", "", "", filter)
	call("settings.forwardingAddresses.delete", "", "", bob)
	call("settings.delegates.create", "", `{"delegateEmail":"`+bob+`"}`)
	call("settings.delegates.get", "", "", bob)
	call("settings.delegates.list", "", "")
	call("settings.delegates.delete", "", "", bob)
	call("settings.sendAs.create", "", `{"sendAsEmail":"`+sales+`","smtpMsa":{"host":"h","port":25,"securityMode":"none"},"treatAsAlias":true}`)
	call("settings.sendAs.create", "", `{"sendAsEmail":"carol@other.example"}`)
	call("settings.sendAs.verify", "", "", "carol@other.example")
	call("settings.sendAs.list", "", "")
	call("settings.sendAs.get", "", "", sales)
	call("settings.sendAs.patch", "", `{"signature":"x"}`, sales)
	call("settings.sendAs.update", "", `{"signature":"x"}`, sales)
	call("settings.sendAs.delete", "", "", sales)
	const alice = "alice@example.com"
	smime := str(call("settings.sendAs.smimeInfo.insert", "", `{"pkcs12":"`+base64.URLEncoding.EncodeToString(testFile(t, "alice.p12"))+`","encryptedKeyPassword":"open"}`, alice), "id")
	call("settings.sendAs.smimeInfo.get", "", "", alice, smime)
	call("settings.sendAs.smimeInfo.list", "", "", alice)
	call("settings.sendAs.smimeInfo.setDefault", "", "", alice, smime)
	call("settings.sendAs.smimeInfo.delete", "", "", alice, smime)
	pkcs7, err := json.Marshal(string(testFile(t, "alice.p7b")))
	if err != nil {
		t.Fatal(err)
	}
	pair := str(call("settings.cse.keypairs.create", "", `{"pkcs7":`+string(pkcs7)+`,"privateKeyMetadata":[{"hardwareKeyMetadata":{"description":"card"}}]}`), "keyPairId")
	call("settings.cse.keypairs.get", "", "", pair)
	call("settings.cse.keypairs.list", "", "")
	call("settings.cse.identities.create", "", `{"emailAddress":"`+alice+`","primaryKeyPairId":"`+pair+`"}`)
	call("settings.cse.identities.get", "", "", alice)
	call("settings.cse.identities.list", "", "")
	call("settings.cse.identities.patch", "", `{"primaryKeyPairId":"`+pair+`"}`, alice)
	call("settings.cse.identities.delete", "", "", alice)
	call("settings.cse.keypairs.disable", "", "{}", pair)
	call("settings.cse.keypairs.enable", "", "{}", pair)
	call("settings.cse.keypairs.disable", "", "{}", pair)
	clk.advance(31 * 24 * time.Hour)
	call("settings.cse.keypairs.obliterate", "", "{}", pair)
	for id := range v.d.Methods {
		if !called[id] {
			t.Errorf("%s was not called", id)
		}
	}
}

// prose is what Google's document says to people, and what this one leaves out of it.
var prose = []string{
	"description", "enumDescriptions", "enumDeprecated", "deprecated", "annotations", "default", "minimum", "maximum", "apiVersion", "readOnly", "pattern",
	"title", "ownerName", "ownerDomain", "canonicalName", "kind", "discoveryVersion", "icons", "documentationLink", "mtlsRootUrl", "rootUrl", "baseUrl", "basePath",
	"etag", "endpoints",
}

// structure is a document without its prose.
func structure(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, item := range v {
			_, isField := item.(map[string]any)
			if !slices.Contains(prose, k) || isField && k == "description" {
				out[k] = structure(item)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = structure(v[i])
		}
		return out
	}
	return v
}

func TestDiscoveryIsGoogles(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	var want map[string]any
	if err := json.Unmarshal(mustDiscovery(t).raw, &want); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/discovery/v1/apis/gmail/v1/rest", "/$discovery/rest?version=v1"} {
		status, _, body := w.do("GET", path, "", "")
		var got map[string]any
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 {
			t.Fatalf("%s: %d, %v", path, status, err)
		}
		if got["rootUrl"] != w.url+"/" {
			t.Errorf("rootUrl %v, want %s/", got["rootUrl"], w.url)
		}
		for part, value := range structure(want).(map[string]any) {
			if diff := difference(part, structure(got[part]), value); diff != "" {
				t.Error(diff)
			}
		}
	}
	if status, _, _ := w.do("GET", "/$discovery/rest?version=v2", "", ""); status != 404 {
		t.Errorf("version 2: %d", status)
	}
}

// difference names the first place at which two documents differ.
func difference(at string, got, want any) string {
	g, gotObject := got.(map[string]any)
	wanted, wantObject := want.(map[string]any)
	if gotObject && wantObject {
		keys := maps.Clone(g)
		maps.Copy(keys, wanted)
		for k := range keys {
			if diff := difference(at+"."+k, g[k], wanted[k]); diff != "" {
				return diff
			}
		}
		return ""
	}
	if !reflect.DeepEqual(got, want) {
		return at + " differs"
	}
	return ""
}

// TestFormsOfAnAnswer: the same answer as the global parameters ask for it.
func TestFormsOfAnAnswer(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	for _, c := range []struct {
		query  string
		status int
		body   string
	}{
		{"", 200, "{\n  \"displayLanguage\": \"en\"\n}\n"},
		{"?prettyPrint=true&alt=json", 200, "{\n  \"displayLanguage\": \"en\"\n}\n"},
		{"?prettyPrint=false", 200, `{"displayLanguage":"en"}`},
		{"?prettyPrint=false&fields=displayLanguage", 200, `{"displayLanguage":"en"}`},
		{"?prettyPrint=false&fields=*", 200, `{"displayLanguage":"en"}`},
		{"?prettyPrint=false&%24.xgafv=2&quotaUser=u&key=k&callback=f&upload_protocol=&uploadType=", 200, `{"displayLanguage":"en"}`},
		{"?alt=media", 400, "alt=media is not supported"},
		{"?alt=proto", 400, "alt=proto is not supported"},
		{"?alt=xml", 400, "Invalid value at 'alt'"},
		{"?prettyPrint=perhaps", 400, "Invalid value at 'pretty_print'"},
	} {
		status, header, body := w.do("GET", "/gmail/v1/users/me/settings/language"+c.query, "alice", "")
		if status != c.status || status == 200 && body != c.body || !strings.Contains(body, c.body) {
			t.Errorf("%s: %d %q, want %d %q", c.query, status, body, c.status, c.body)
		}
		if got := header.Get("Content-Type"); got != "application/json; charset=UTF-8" {
			t.Errorf("%s: Content-Type %q", c.query, got)
		}
	}
}
