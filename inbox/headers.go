package inbox

import "context"

// Header is one field of a message's head, as Gmail gives it: folded lines put together, encoded words read.
type Header struct{ Name, Value string }

// Headers returns all fields of a message, in the order in which they stand: the newest stations come first. It is
// the same access as reading the message.
func (s *Service) Headers(ctx context.Context, v Visit, id string) ([]Header, error) {
	m, err := s.message(ctx, v, id)
	if err != nil {
		return nil, err
	}
	var out []Header
	if m.Payload != nil {
		for _, h := range m.Payload.Headers {
			out = append(out, Header{Name: h.Name, Value: h.Value})
		}
	}
	return out, nil
}
