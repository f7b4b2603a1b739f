package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const machineWait = 5 * time.Second

// machine is a VM as symbolon tells of it now.
type machine struct{ ID, IMDS, Extension string }

func (w *world) machine(id string) (*machine, error) {
	file := filepath.Join(filepath.Dir(filepath.Dir(w.CAFile)), "instance.json")
	for deadline := time.Now().Add(machineWait); ; time.Sleep(50 * time.Millisecond) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var told struct {
			VMs []*machine `json:"vms"`
		}
		if err := json.Unmarshal(text, &told); err != nil {
			return nil, err
		}
		for _, one := range told.VMs {
			if strings.EqualFold(one.ID, id) {
				return one, nil
			}
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("no machine %s", id)
		}
	}
}

// assertGets fails unless the machine's metadata service gives a token of this identity. An empty client id asks for its
// system-assigned one.
func (w *world) assertGets(id, clientID, principalID string) error {
	status, said, err := w.metadataToken(id, clientID)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%d %s", status, said.Error)
	}
	token, err := read(said.AccessToken)
	if err == nil && token.Oid != principalID {
		err = fmt.Errorf("a token of %s instead of %s", token.Oid, principalID)
	}
	return err
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	Error       string
}

func (w *world) metadataToken(id, clientID string) (int, *tokenAnswer, error) {
	one, err := w.machine(id)
	if err != nil {
		return 0, nil, err
	}
	query := url.Values{"api-version": {"2018-02-01"}, "resource": {"https://management.azure.com"}}
	if clientID != "" {
		query.Set("client_id", clientID)
	}
	request, err := http.NewRequest(http.MethodGet, one.IMDS+"/metadata/identity/oauth2/token?"+query.Encode(), nil)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Metadata", "true")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer reply.Body.Close()
	said := &tokenAnswer{}
	return reply.StatusCode, said, json.NewDecoder(reply.Body).Decode(said)
}

// assertPort fails unless the port of the machine's own "localhost" is open, or closed.
func (w *world) assertPort(id string, port int, open bool) error {
	one, err := w.machine(id)
	if err != nil {
		return err
	}
	place := one.Extension
	if place == "" {
		place = one.IMDS
	}
	address, err := url.Parse(place)
	if err != nil {
		return err
	}
	if listens(address.Hostname(), fmt.Sprint(port)) != open {
		return fmt.Errorf("port %d: open is not %t", port, open)
	}
	return nil
}

// isGone says whether nobody listens at this address any more.
func isGone(baseURL string) bool {
	address, err := url.Parse(baseURL)
	if err != nil {
		return false
	}
	port := address.Port()
	if port == "" {
		port = "80"
	}
	return !listens(address.Hostname(), port)
}

func listens(host, port string) bool {
	connection, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), 2*time.Second)
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}
