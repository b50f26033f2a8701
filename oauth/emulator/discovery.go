package emulator

import "net/http"

// discovery is the provider's description of itself (OpenID Connect Discovery
// 1.0, 3). Clients take their list of acceptable algorithms from it, so RS256
// alone there is what rules out every other.
type discovery struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	UserInfoEndpoint      string   `json:"userinfo_endpoint"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	KeysURI               string   `json:"jwks_uri"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	Scopes                []string `json:"scopes_supported"`
	ClientAuthMethods     []string `json:"token_endpoint_auth_methods_supported"`
	Claims                []string `json:"claims_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	NamesIssuerInReply    bool     `json:"authorization_response_iss_parameter_supported"`
}

func (s *Server) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	origin := s.origin()
	writeJSON(w, http.StatusOK, discovery{
		Issuer:                origin,
		AuthorizationEndpoint: origin + "/o/oauth2/v2/auth",
		TokenEndpoint:         origin + "/token",
		UserInfoEndpoint:      origin + "/v1/userinfo",
		RevocationEndpoint:    origin + "/revoke",
		KeysURI:               origin + "/oauth2/v3/certs",
		ResponseTypes:         []string{"code"},
		ResponseModes:         []string{"query"},
		GrantTypes:            []string{"authorization_code", "refresh_token"},
		SubjectTypes:          []string{"public"},
		SigningAlgorithms:     []string{"RS256"},
		Scopes:                s.allScopes(),
		ClientAuthMethods:     []string{"client_secret_post", "client_secret_basic", "none"},
		Claims: []string{
			"amr", "at_hash", "aud", "auth_time", "azp", "email", "email_verified",
			"exp", "groups", "iat", "iss", "name", "nonce", "sub",
		},
		ChallengeMethods:   []string{"S256"},
		NamesIssuerInReply: true,
	})
}
