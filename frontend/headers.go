package frontend

import "github.com/totalengage/webmail/frontend/api"

func (s *Server) getHeaders(v *visit) error {
	headers, err := s.Inbox.Headers(v.r.Context(), v.inbox, v.param("message"))
	if err != nil {
		return err
	}
	out := api.MessageHeaders{Headers: make([]api.MessageHeader, len(headers))}
	for i, h := range headers {
		out.Headers[i] = api.MessageHeader{Name: h.Name, Value: h.Value}
	}
	return send(v, 200, out)
}
