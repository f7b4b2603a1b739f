package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

const applicationClientID = "0a1b2c3d-1111-4222-8333-444455556671"

// authority signs the seed's application in, as azidentity and MSAL do it. Instance discovery is off, for it would
// ask login.microsoftonline.com itself; the CA is ours.
func authority(world *world) {
	checks := &checks{}
	client := trusting(world)
	secret := world.Credentials.Secret
	pem, err := os.ReadFile(world.Credentials.PEM)
	if err != nil {
		panic(err)
	}
	options := policy.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: world.Authority},
		Transport: client,
	}
	bySecret := func(clientID string) (azcore.TokenCredential, error) {
		return azidentity.NewClientSecretCredential(world.TenantID, clientID, secret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	}
	byCertificate := func(chain bool) (azcore.TokenCredential, error) {
		certificates, key, err := azidentity.ParseCertificates(pem, nil)
		if err != nil {
			return nil, err
		}
		return azidentity.NewClientCertificateCredential(world.TenantID, applicationClientID, certificates, key,
			&azidentity.ClientCertificateCredentialOptions{
				ClientOptions: options, DisableInstanceDiscovery: true, SendCertificateChain: chain,
			})
	}

	checks.run("azidentity: ClientSecretCredential", func() error {
		credential, err := bySecret(applicationClientID)
		return applicationGiven(world, credential, err, "1")
	})
	checks.run("azidentity: ClientCertificateCredential", func() error {
		credential, err := byCertificate(false)
		return applicationGiven(world, credential, err, "2")
	})
	checks.run("azidentity: ClientCertificateCredential, SendCertificateChain", func() error {
		credential, err := byCertificate(true)
		return applicationGiven(world, credential, err, "2")
	})
	checks.run("azidentity: unknown application: AuthenticationFailedError with AADSTS700016", func() error {
		credential, err := bySecret(strangerClientID)
		err = applicationGiven(world, credential, err, "1")
		var failed *azidentity.AuthenticationFailedError
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), "AADSTS700016") {
			return fmt.Errorf("%T instead of AuthenticationFailedError: %w", err, err)
		}
		return nil
	})
	checks.run("MSAL: secret", func() error {
		credential, err := confidential.NewCredFromSecret(secret)
		return errors.Join(err, msalSignsIn(world, client, credential, "1"))
	})
	checks.run("MSAL: certificate", func() error {
		certificates, key, err := confidential.CertFromPEM(pem, "")
		if err != nil {
			return err
		}
		credential, err := confidential.NewCredFromCert(certificates, key)
		return errors.Join(err, msalSignsIn(world, client, credential, "2"))
	})
	checks.done()
}

// trusting is an HTTP client that believes symbolon's own CA and nobody else.
func trusting(world *world) *http.Client {
	pem, err := os.ReadFile(world.CAFile)
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		panic("no certificate in " + world.CAFile)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

func applicationGiven(world *world, credential azcore.TokenCredential, err error, appidacr string) error {
	if err != nil {
		return err
	}
	audience := freshAudience()
	options := policy.TokenRequestOptions{Scopes: []string{audience + "/.default"}}
	token, err := credential.GetToken(context.Background(), options)
	if err != nil {
		return err
	}
	return world.assertApplication(token.Token, audience, appidacr)
}

func msalSignsIn(world *world, client *http.Client, credential confidential.Credential, appidacr string) error {
	application, err := confidential.New(world.Authority+"/"+world.TenantID, applicationClientID, credential,
		confidential.WithHTTPClient(client), confidential.WithInstanceDiscovery(false))
	if err != nil {
		return err
	}
	audience := freshAudience()
	answer, err := application.AcquireTokenByCredential(context.Background(), []string{audience + "/.default"})
	if err != nil {
		return err
	}
	return world.assertApplication(answer.AccessToken, audience, appidacr)
}

// assertApplication checks that a token is the application's, for what audience, and how it signed in.
func (w *world) assertApplication(token, audience, appidacr string) error {
	said, err := read(token)
	if err != nil {
		return err
	}
	wanted := *said
	wanted.Aud, wanted.Appid, wanted.Appidacr, wanted.Tid = audience, applicationClientID, appidacr, w.TenantID
	if *said != wanted {
		return fmt.Errorf("%+v instead of %+v", *said, wanted)
	}
	return nil
}
