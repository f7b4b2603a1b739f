package server

import "fmt"

func tokenURL(port int) string {
	return fmt.Sprintf("http://localhost:%d/oauth2/token", port)
}
