package token

import (
	"net/http"
	"net/url"
	"strings"
)

const discovery = "/var/lib/waagent/ManagedIdentity-Settings"

func query(resource string) (*http.Request, error) {
	req, err := http.NewRequest("GET", "http://localhost:50342/oauth2/token", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Add("Metadata", "true")
	q := req.URL.Query()
	q.Add("resource", resource)
	req.URL.RawQuery = q.Encode()
	return req, nil
}

func form(resource string) (*http.Request, error) {
	data := url.Values{"resource": {resource}}
	req, err := http.NewRequest("POST", "http://localhost:50342/oauth2/token", strings.NewReader(data.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Metadata", "true")
	return req, nil
}
