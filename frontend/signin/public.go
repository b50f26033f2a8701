package signin

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/totalengage/webmail/policy/consent"
	"github.com/totalengage/webmail/policy/limiteduse"
)

// privacyPage is what privacy.html shows. Purposes, features, recipients and stores are the rows of the tables that
// the policy and the retention jobs go by, so that the page cannot promise less or other than what is decided
// (DISC-5).
type privacyPage struct {
	common
	Uses       []use
	Recipients []recipient
	Stores     []limiteduse.Retention
	Version    int
	Text       string // address of the text in force
	Announced  string
	Changes    string
	Changing   bool // whether the day of Changes is yet to come
	Versions   []version
}

// use is a purpose with the features that serve it.
type use struct {
	Purpose  string
	Features []featureWords
}

type featureWords struct{ Name, Who string }

type recipient struct{ Name, For, Gets string }

type version struct {
	Version int
	Path    string
}

func (s *pages) showPrivacy(w http.ResponseWriter, _ *http.Request) error {
	tables, err := limiteduse.ReadTables()
	if err != nil {
		return err
	}
	page := privacyPage{
		common: s.common("Privacy"), Uses: usesOf(tables), Recipients: recipientsOf(tables), Version: s.Disclosure.Version,
		Text: DisclosureAt(s.Disclosure.Language, s.Disclosure.Version),
	}
	for _, store := range slices.Sorted(maps.Keys(tables.Retention)) {
		page.Stores = append(page.Stores, tables.Retention[store])
	}
	for v := 1; v <= consent.Current; v++ {
		page.Versions = append(page.Versions, version{v, DisclosureAt(consent.English, v)})
	}
	if !s.Announced.IsZero() {
		from := s.Announced.Add(consent.Notice)
		page.Announced, page.Changes, page.Changing = s.Announced.Format(day), from.Format(day), time.Now().Before(from)
	}
	return s.render(w, http.StatusOK, "privacy.html", page)
}

// day is how pages write a date.
const day = "2 January 2006"

// usesOf lists the purposes and, under each, its features in words.
func usesOf(tables limiteduse.Tables) []use {
	var list []use
	for _, purpose := range slices.Sorted(maps.Keys(tables.Purposes)) {
		u := use{Purpose: tables.Purposes[purpose]}
		for _, name := range slices.Sorted(maps.Keys(tables.Features)) {
			if f := tables.Features[name]; f.Purpose == purpose {
				u.Features = append(u.Features, featureWords{words(features, name), actorsOf(f)})
			}
		}
		list = append(list, u)
	}
	return list
}

// actorsOf says who acts, where it is not the owner alone.
func actorsOf(f limiteduse.Feature) string {
	var list []string
	for _, actor := range slices.Sorted(maps.Keys(f.Actors)) {
		switch {
		case actor == "owner" || !f.Actors[actor]:
		case actor == "service" && f.Purpose == "internal_ops": // there is no owner who could instruct it
			list = append(list, "the program itself")
		default:
			list = append(list, words(actors, actor))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return "(" + strings.Join(list, "; ") + ")"
}

// ownService is the kind of recipient that calls by itself, to read or to write.
const ownService = "own_service"

func reads(tables limiteduse.Tables, feature string) bool {
	for operation := range tables.Features[feature].Operations {
		if tables.Operations[operation].Effect == "read" {
			return true
		}
	}
	return false
}

func recipientsOf(tables limiteduse.Tables) []recipient {
	var list []recipient
	for _, id := range slices.Sorted(maps.Keys(tables.Recipients)) {
		row := tables.Recipients[id]
		r := recipient{Name: row.Name}
		var uses, gets []string
		for _, f := range slices.Sorted(maps.Keys(row.Features)) {
			uses = append(uses, words(features, f))
			if row.Kind == ownService && !reads(tables, f) {
				continue // it only brings something
			}
			for _, c := range slices.Sorted(maps.Keys(tables.Features[f].Classes)) {
				if !slices.Contains(gets, words(classes, c)) {
					gets = append(gets, words(classes, c))
				}
			}
		}
		r.For, r.Gets = strings.Join(uses, ", "), strings.Join(gets, ", ")
		list = append(list, r)
	}
	return list
}

func (s *pages) showLimitedUse(w http.ResponseWriter, _ *http.Request) error {
	return s.render(w, http.StatusOK, "limited-use.html", s.common("Limited Use of Google data"))
}

func (s *pages) showHelp(w http.ResponseWriter, _ *http.Request) error {
	return s.render(w, http.StatusOK, "help.html", s.common("Manage and delete your data"))
}

// DisclosureAt is the address of the page that shows a version of the disclosure: older ones stay readable for
// whoever agreed to them.
func DisclosureAt(language string, version int) string {
	return fmt.Sprintf("/disclosure/%s/%d", language, version)
}

// errNoText: there is no such version, or not in this language.
var errNoText = errors.New("signin: no such text")

// textPage is what disclosure.html shows.
type textPage struct {
	common
	Text    consent.Text
	Current bool
}

func (s *pages) showText(w http.ResponseWriter, r *http.Request) error {
	vars := mux.Vars(r)
	version, err := strconv.Atoi(vars["version"])
	if err != nil || version < 1 || version > consent.Current {
		return errNoText
	}
	text, err := consent.RenderIn(vars["language"], version, s.Product)
	if err != nil {
		return errNoText
	}
	return s.render(w, http.StatusOK, "disclosure.html", textPage{s.common(text.Title), text, version == consent.Current})
}
