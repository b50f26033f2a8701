package emulator_test

import (
	"fmt"
	"net"
	"net/http"

	"github.com/totalengage/webmail/oauth/emulator"
)

// A provider on a free port: the issuer is known once the listener is.
func Example() {
	staff := emulator.Staff()
	staff.Users = []emulator.User{{Email: "sam@corp.example", Groups: []string{"support"}, AMR: []string{"pwd", "mfa"}}}
	staff.Clients = []emulator.Client{{ID: "webmail", Secret: "secret", RedirectURIs: []string{"http://127.0.0.1:8080/staff/callback"}}}
	server, err := emulator.New(staff)
	if err != nil {
		fmt.Println(err)
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()
	if err := server.SetIssuer("http://" + listener.Addr().String()); err != nil {
		fmt.Println(err)
		return
	}
	go http.Serve(listener, server.Handler())

	response, err := http.Get("http://" + listener.Addr().String() + "/.well-known/openid-configuration")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	// Output: 200 OK
}
