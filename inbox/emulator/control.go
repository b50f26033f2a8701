package emulator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

const controlPrefix = "/emulator/"

// control is what tests in other processes steer the server by: faults, latency,
// counters, and the answers that people give to verification mails. Anybody who
// reaches the port may use it; it exists with Options.Control alone.
func (s *Server) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /emulator/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.show(w, map[string][]Fault{"faults": s.Faults()})
	})
	mux.HandleFunc("POST /emulator/faults", func(w http.ResponseWriter, r *http.Request) {
		var f Fault
		answerControl(w, readControl(r, &f, func() error { return s.faults.add(f) }))
	})
	mux.HandleFunc("DELETE /emulator/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		answerControl(w, nil)
	})
	mux.HandleFunc("GET /emulator/latency", func(w http.ResponseWriter, _ *http.Request) {
		s.show(w, latency{time.Duration(s.latency.Load()).Milliseconds()})
	})
	mux.HandleFunc("PUT /emulator/latency", func(w http.ResponseWriter, r *http.Request) {
		var l latency
		answerControl(w, readControl(r, &l, func() error {
			if l.DelayMS < 0 {
				return errors.New("emulator: a latency cannot be negative")
			}
			s.SetLatency(time.Duration(l.DelayMS) * time.Millisecond)
			return nil
		}))
	})
	mux.HandleFunc("GET /emulator/stats", func(w http.ResponseWriter, _ *http.Request) { s.show(w, s.Stats()) })
	mux.HandleFunc("DELETE /emulator/stats", func(w http.ResponseWriter, _ *http.Request) {
		s.ResetStats()
		answerControl(w, nil)
	})
	mux.HandleFunc("POST /emulator/verify", func(w http.ResponseWriter, r *http.Request) {
		var v struct{ User, Address string }
		answerControl(w, readControl(r, &v, func() error { return s.Verify(v.User, v.Address) }))
	})
	return mux
}

type latency struct {
	DelayMS int64 `json:"delayMs"`
}

// readControl reads a body strictly and does something with it.
func readControl(r *http.Request, to any, do func() error) error {
	dec := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return err
	}
	return do()
}

func answerControl(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) show(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.logf("control: client went away")
	}
}
