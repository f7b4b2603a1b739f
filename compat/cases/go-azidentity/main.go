// Azure's identity libraries for Go on IMDS (fixed address) and, by MSI_ENDPOINT, on the VM extension; with the argument
// `authority`, service principals at the authority; with `token`, one token and what came of it, and with `token msal` that
// of MSAL alone; with `attested` and a CA's file, attested documents; with `arm` and the folder of the templates, the
// control plane.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/managedidentity"
)

const unassigned = "isn't assigned"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "token" {
		token(os.Args[len(os.Args)-1])
		return
	}
	if len(os.Args) > 2 && os.Args[1] == "attested" {
		attested(os.Args[2])
		return
	}
	world := readWorld()
	if len(os.Args) > 1 && os.Args[1] == "authority" {
		authority(world)
		return
	}
	if len(os.Args) > 2 && os.Args[1] == "arm" {
		controlPlane(world, os.Args[2])
		return
	}
	app, system := world.userAssigned("app"), world.systemAssigned()
	checks := &checks{}

	checks.run("azidentity: system-assigned", func() error {
		return given(world, nil, system, 1)
	})
	checks.run("azidentity: client id", func() error {
		return given(world, azidentity.ClientID(app.ClientID), app, 1)
	})
	checks.run("azidentity: object id", func() error {
		return given(world, azidentity.ObjectID(app.PrincipalID), app, 1)
	})
	checks.run("azidentity: resource id", func() error {
		return given(world, azidentity.ResourceID(app.ID), app, 1)
	})
	checks.run("azidentity: unassigned identity: one request, AuthenticationFailedError", func() error {
		return world.requests(1, func() error { return refused(azidentity.ClientID(strangerClientID)) })
	})
	checks.run("azidentity: DefaultAzureCredential finds IMDS by its probe", func() error {
		credential, err := azidentity.NewDefaultAzureCredential(nil)
		if err != nil {
			return err
		}
		return world.requests(2, func() error { return assertGiven(world, credential, freshAudience(), system) })
	})
	checks.run("MSAL: resource with its slash", func() error {
		return world.requests(1, func() error { return msalGiven(world, system) })
	})
	// On this path MSAL for Go sends its form with Transfer-Encoding: chunked.
	checks.run("extension: azidentity: one request for two tokens", func() error {
		defer setenv("MSI_ENDPOINT", world.vm("dev").Extension)()
		credential, err := azidentity.NewManagedIdentityCredential(nil)
		if err != nil {
			return err
		}
		audience := freshAudience()
		return world.requests(1, func() error {
			return errors.Join(
				assertGiven(world, credential, audience, system),
				assertGiven(world, credential, audience, system))
		})
	})
	checks.run("extension: MSAL", func() error {
		defer setenv("MSI_ENDPOINT", world.vm("dev").Extension)()
		return world.requests(1, func() error { return msalGiven(world, system) })
	})
	checks.run("extension: several identities: one request, an error", func() error {
		defer setenv("MSI_ENDPOINT", world.vm("crowded").Extension)()
		return world.requests(1, func() error {
			err := given(world, nil, system, 1)
			var failed *azidentity.AuthenticationFailedError
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), "Multiple user assigned identities") {
				return fmt.Errorf("%T instead of AuthenticationFailedError: %w", err, err)
			}
			return nil
		})
	})
	checks.done()
}

// given asks with a new credential for a fresh audience, in exactly `count` requests.
func given(world *world, id azidentity.ManagedIDKind, expected *identity, count int) error {
	credential, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ID: id})
	if err != nil {
		return err
	}
	return world.requests(count, func() error { return assertGiven(world, credential, freshAudience(), expected) })
}

func assertGiven(world *world, credential azcore.TokenCredential, audience string, expected *identity) error {
	options := policy.TokenRequestOptions{Scopes: []string{audience + "/.default"}}
	token, err := credential.GetToken(context.Background(), options)
	if err != nil {
		return err
	}
	said, err := world.assertToken(token.Token, expected, audience)
	if err == nil && token.ExpiresOn.Unix() != said.Exp {
		err = fmt.Errorf("expires %d, the token says %d", token.ExpiresOn.Unix(), said.Exp)
	}
	return err
}

func refused(id azidentity.ManagedIDKind) error {
	credential, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ID: id})
	if err != nil {
		return err
	}
	options := policy.TokenRequestOptions{Scopes: []string{freshAudience() + "/.default"}}
	_, err = credential.GetToken(context.Background(), options)
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), unassigned) {
		return fmt.Errorf("%T instead of AuthenticationFailedError: %w", err, err)
	}
	return nil
}

func msalGiven(world *world, expected *identity) error {
	client, err := managedidentity.New(managedidentity.SystemAssigned())
	if err != nil {
		return err
	}
	resource := freshAudience() + "/"
	answer, err := client.AcquireToken(context.Background(), resource)
	if err != nil {
		return err
	}
	_, err = world.assertToken(answer.AccessToken, expected, resource)
	return err
}

// setenv sets a variable and returns what sets it back.
func setenv(name, value string) func() {
	if err := os.Setenv(name, value); err != nil {
		panic(err)
	}
	return func() { _ = os.Unsetenv(name) }
}
