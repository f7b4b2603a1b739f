package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const strangerClientID = "0a1b2c3d-1111-4222-8333-444455556665"

// world is what symbolon said when it was ready.
type world struct {
	Metrics     string
	TenantID    string `json:"tenantId"`
	VMs         []*vm  `json:"vms"`
	Authority   string
	CAFile      string `json:"caFile"`
	Credentials struct{ Secret, PEM string }

	ARM            string `json:"arm"`
	SubscriptionID string `json:"subscriptionId"`
	Admin          struct{ ClientID, ClientSecret string }
}

type vm struct {
	Name, Extension string
	Identities      []*identity
}

type identity struct {
	Kind, Name, ID        string
	ClientID, PrincipalID string
}

type claims struct {
	Aud, Iss, Appid, Oid, Tid, Appidacr, UPN string
	Exp                                      int64
}

func readWorld() *world {
	text, err := os.ReadFile(os.Getenv("COMPAT_WORLD"))
	if err != nil {
		panic(err)
	}
	w := &world{}
	if err := json.Unmarshal(text, w); err != nil {
		panic(err)
	}
	return w
}

func (w *world) vm(name string) *vm {
	for _, vm := range w.VMs {
		if vm.Name == name {
			return vm
		}
	}
	panic("no VM " + name)
}

func (w *world) systemAssigned() *identity {
	return w.find(func(i *identity) bool { return i.Kind == "SystemAssigned" })
}

func (w *world) userAssigned(name string) *identity {
	return w.find(func(i *identity) bool { return i.Kind == "UserAssigned" && i.Name == name })
}

func (w *world) find(fits func(*identity) bool) *identity {
	for _, identity := range w.vm("dev").Identities {
		if fits(identity) {
			return identity
		}
	}
	panic("no such identity")
}

// assertToken checks whose token it is, for what audience and by which issuer.
func (w *world) assertToken(token string, expected *identity, audience string) (*claims, error) {
	said, err := read(token)
	if err != nil {
		return nil, err
	}
	wanted := claims{
		audience, "https://sts.windows.net/" + w.TenantID + "/", expected.ClientID, expected.PrincipalID, w.TenantID, "2", "", said.Exp,
	}
	if *said != wanted {
		return nil, fmt.Errorf("%+v instead of %+v", *said, wanted)
	}
	return said, nil
}

// read gives what a token says; nobody checks its signature here.
func read(token string) (*claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("a token of %d parts", len(parts))
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	said := &claims{}
	return said, json.Unmarshal(payload, said)
}

// requests fails unless body makes exactly count requests. Where nobody counts, its duration tells of retries.
func (w *world) requests(count int, body func() error) error {
	before, started := w.counted(), time.Now()
	if err := body(); err != nil {
		return err
	}
	took, after := time.Since(started), w.counted()
	if before >= 0 && after >= 0 {
		if after-before != count {
			return fmt.Errorf("%d requests instead of %d", after-before, count)
		}
		return nil
	}
	if took > 2*time.Second {
		return fmt.Errorf("took %s: it was repeated", took)
	}
	return nil
}

var requestsTotal = regexp.MustCompile(`(?m)^symbolon_(?:imds|extension)_requests_total(?:\{.*\})? ([0-9.e+]+)$`)

// counted is the number of requests answered so far, or -1 when symbolon doesn't say.
func (w *world) counted() int {
	reply, err := http.Get(w.Metrics + "/metrics")
	if err != nil {
		return -1
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return -1
	}
	found := requestsTotal.FindAllSubmatch(text, -1)
	if found == nil {
		return -1
	}
	sum := 0.0
	for _, match := range found {
		number, err := strconv.ParseFloat(string(match[1]), 64)
		if err != nil {
			return -1
		}
		sum += number
	}
	return int(sum)
}

var audiences int

// freshAudience is one that nobody asked for yet: MSAL for Go has one cache per process.
func freshAudience() string {
	audiences++
	return fmt.Sprintf("https://audience-%d.example", audiences)
}

type check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// checks collects what the last line of output says.
type checks struct {
	Checks []check `json:"checks"`
}

func (c *checks) run(name string, body func() error) {
	done := check{Name: name, OK: true}
	if err := body(); err != nil {
		done.OK, done.Detail = false, err.Error()
	}
	c.Checks = append(c.Checks, done)
}

func (c *checks) done() {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}
