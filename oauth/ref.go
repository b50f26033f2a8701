package oauth

import "encoding/hex"

// Ref names the session without giving it away: what is signed for this session is bound to it.
func (s Session) Ref() string { return hex.EncodeToString(s.hash) }
