package assess

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/totalengage/webmail/policy/limiteduse"
)

// Route is one row of the server's own table of routes.
type Route struct {
	Method, Path     string
	Who              string // anyone, owner, auditor, staff
	Purpose, Feature string // "" where no mail is touched
}

// Surface is what the running code declares of itself: the tables that it works by, not a description of them.
type Surface struct {
	Tables       limiteduse.Tables
	Routes       []Route
	Scopes       []string // that Google is asked for
	Destinations []string // origins that the process may speak to; nil when no run is known
}

const tableSource = "policy/limiteduse/data.json, which the policy decides by"

// scopesItem is the scope manifest: scope, the features that need it, the methods that they call, and whether a
// narrower scope would do (MIN-1).
func scopesItem(s Surface, at time.Time) Item {
	i := Item{ID: "scopes", Title: "Scope manifest", From: tableSource, At: at, Status: Passed, Columns: []string{"Scope asked for", "Feature", "For", "Gmail methods", "Of these, no narrower scope that is asked for or known covers"}}
	known := map[string]bool{}
	for _, operation := range s.Tables.Operations {
		for scope := range operation.Scopes {
			known[scope] = true
		}
	}
	used := map[string]bool{}
	for _, scope := range s.Scopes {
		for _, name := range slices.Sorted(maps.Keys(s.Tables.Features)) {
			f := s.Tables.Features[name]
			var methods, only []string
			for _, operation := range slices.Sorted(maps.Keys(f.Operations)) {
				o := s.Tables.Operations[operation]
				if o.API == "gmail" && o.Scopes[scope] {
					methods = append(methods, operation)
					if o.Effect != "read" {
						only = append(only, operation)
					}
				}
			}
			if len(methods) > 0 {
				used[scope] = true
				i.Rows = append(i.Rows, []string{scope, name, s.Tables.Purposes[f.Purpose], strings.Join(methods, ", "), strings.Join(only, ", ")})
			}
		}
	}
	var unused []string
	for _, scope := range s.Scopes {
		if known[scope] && !used[scope] {
			unused = append(unused, scope)
		}
	}
	i.Says = "Google is asked for " + strings.Join(s.Scopes, ", ") + ". Reading alone would need gmail.readonly; the last column lists what changes or sends mail, for which it does not suffice. https://mail.google.com/ is not asked for."
	if len(unused) > 0 {
		i.Status, i.Says = Failed, "No feature needs "+strings.Join(unused, ", ")+", and it is asked for."
	}
	if slices.Contains(s.Scopes, "https://mail.google.com/") {
		i.Status, i.Says = Failed, "The widest scope is asked for."
	}
	return i
}

func recipientsItem(s Surface, at time.Time) Item {
	i := Item{ID: "recipients", Title: "Register of recipients", From: tableSource, At: at, Status: Shown, Columns: []string{"Recipient", "Who", "Kind", "Contract", "For", "Gets"}}
	processors := 0
	for _, id := range slices.Sorted(maps.Keys(s.Tables.Recipients)) {
		r := s.Tables.Recipients[id]
		contract := cmp.Or(r.Contract, "none needed: it processes nothing for the operator")
		if r.Kind == "processor" {
			processors++
			if r.Contract == "" {
				contract, i.Status = "missing", Failed
			}
		}
		i.Rows = append(i.Rows, []string{id, r.Name, r.Kind, contract, names(r.Features, "no feature uses it"), names(r.Classes, "nothing")})
	}
	i.Says = fmt.Sprintf("%d recipients, %d of them processors. A transfer to anybody else is refused, and to these only with the owner's consent to that very transfer.", len(i.Rows), processors)
	return i
}

func retentionItem(s Surface, at time.Time) Item {
	i := Item{ID: "retention", Title: "What is kept, and until when", From: tableSource, At: at, Status: Shown, Columns: []string{"Store", "What", "Why", "Until", "Tables"}}
	for _, store := range slices.Sorted(maps.Keys(s.Tables.Retention)) {
		r := s.Tables.Retention[store]
		i.Rows = append(i.Rows, []string{store, r.What, r.Why, r.Ends, names(r.Tables, "in memory only")})
	}
	i.Says = "The privacy page shows this table, and the jobs go by it. Nothing else of a mailbox is kept."
	return i
}

func featuresItem(s Surface, at time.Time) Item {
	i := Item{ID: "features", Title: "Features", From: tableSource, At: at, Status: Shown, Columns: []string{"Feature", "Purpose", "Who", "Operations", "Classes of data", "At most", "Recipient", "Told of in disclosure"}}
	for _, name := range slices.Sorted(maps.Keys(s.Tables.Features)) {
		f := s.Tables.Features[name]
		i.Rows = append(i.Rows, []string{name, s.Tables.Purposes[f.Purpose] + " (" + f.Purpose + ")", names(f.Actors, ""), names(f.Operations, ""), names(f.Classes, ""), fmt.Sprint(f.Max), cmp.Or(f.Recipient, "nobody"), fmt.Sprint(f.Disclosure)})
	}
	i.Says = fmt.Sprintf("%d features; an access that is for none of them is refused.", len(i.Rows))
	return i
}

// routesItem lists the server's routes, and finds those that name a feature or purpose that the policy does not know.
func routesItem(s Surface, at time.Time) Item {
	i := Item{ID: "routes", Title: "Routes", From: "the table that the server is built from (frontend/routes.go)", At: at, Status: Passed, Columns: []string{"Method", "Path", "Who may enter", "Purpose", "Feature"}}
	if len(s.Routes) == 0 {
		i.Status, i.Says = NotRun, "No table of routes was given."
		return i
	}
	var strange []string
	for _, r := range s.Routes {
		f, known := s.Tables.Features[r.Feature]
		if r.Feature != "" && (!known || f.Purpose != r.Purpose && s.Tables.Purposes[r.Purpose] == "") {
			strange = append(strange, r.Path)
		}
		i.Rows = append(i.Rows, []string{r.Method, r.Path, r.Who, r.Purpose, r.Feature})
	}
	i.Says = fmt.Sprintf("%d routes. Purpose and feature of an access come from this table, never from a request.", len(s.Routes))
	if len(strange) > 0 {
		i.Status, i.Says = Failed, "The policy does not know what these are for: "+strings.Join(strange, ", ")
	}
	return i
}

func names(set limiteduse.Names, none string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if set[name] {
			list = append(list, name)
		}
	}
	return cmp.Or(strings.Join(list, ", "), none)
}

// sections are what the code's own tables give.
func (s Surface) sections(at time.Time) []Section {
	return []Section{
		{ID: "data", Title: "Data flow and scopes", About: "Who asks, for which feature, what Google is asked, and who else gets anything.", Items: []Item{diagramItem(s, at), scopesItem(s, at), featuresItem(s, at), routesItem(s, at)}},
		{ID: "keeping", Title: "Recipients and retention", About: "Who gets data beside the owner, and what is kept.", Items: []Item{recipientsItem(s, at), retentionItem(s, at)}},
	}
}
