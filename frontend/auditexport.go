package frontend

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"github.com/totalengage/webmail/inbox"
	"github.com/totalengage/webmail/policy/decisionlog"
	"github.com/totalengage/webmail/policy/decisionlog/eventfile"
)

// mostExported bounds what the page exports; the command has no bound.
const mostExported = 20_000

// exportDecisions gives the events that pass the filter as a file, with a manifest beside it. Each page of it is
// decided and recorded. The whole is written to a temporary file first, so that an error is an error and
// not half a file.
func (s *Server) exportDecisions(v *visit) error {
	q := v.r.URL.Query()
	f, err := filterOf(q)
	if err != nil {
		return err
	}
	checkpoint, tree, err := s.Log.Checkpoint(v.r.Context())
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "export-*")
	if err != nil {
		return fmt.Errorf("frontend: a temporary file: %w", err)
	}
	defer file.Close()
	if err := os.Remove(file.Name()); err != nil { // it goes with its last user, whatever happens
		return fmt.Errorf("frontend: a temporary file: %w", err)
	}
	format := q.Get("format")
	q.Del("format")
	manifest := eventfile.Manifest{File: "events." + format, Format: format, Filter: q, TreeSize: tree.N, Checkpoint: string(checkpoint)}
	archive := zip.NewWriter(file)
	if err := s.exportEvents(v, f, archive, &manifest); err != nil {
		return err
	}
	said, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	w, err := archive.Create("manifest.json")
	if err != nil {
		return err
	}
	if _, err := w.Write(append(said, '\n')); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="decisions-%d.zip"`, tree.N))
	http.ServeContent(v.w, v.r, "", info.ModTime(), file)
	return nil
}

func (s *Server) exportEvents(v *visit, f decisionlog.Filter, archive *zip.Writer, manifest *eventfile.Manifest) error {
	w, err := archive.Create(manifest.File)
	if err != nil {
		return err
	}
	out, err := eventfile.NewWriter(w, manifest.Format)
	if err != nil {
		return err
	}
	f.Limit, f.Before = mostRead, manifest.TreeSize // events after the checkpoint, this reading among them, are not in it
	for more := manifest.TreeSize > 0; more; {
		grant, err := s.auditGrant(v, f.Limit, "export "+v.r.URL.Query().Encode()+fmt.Sprintf(" before %d", f.Before))
		if err != nil {
			return err
		}
		page, err := s.Log.Query(v.r.Context(), f)
		grant.Finish(err, len(page.Records), 0)
		if err != nil {
			return err
		}
		if out.Count()+len(page.Records) > mostExported {
			return &inbox.InvalidError{Field: "filter", Why: fmt.Sprintf("it matches more than %d events; narrow it, or use webmail audit export", mostExported)}
		}
		for _, r := range page.Records {
			if err := out.Write(r); err != nil {
				return err
			}
		}
		f.Before, more = page.Next, page.Next != 0
	}
	manifest.Count = out.Count()
	err = out.Flush()
	manifest.SHA256 = out.SHA256()
	return err
}
