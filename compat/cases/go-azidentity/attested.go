package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/smallstep/pkcs7"
)

const metadata = "http://169.254.169.254/metadata/"

// issuerHost is where SPIRE lets the issuer of an attested document's certificate be fetched from, and nowhere else
// (spiffe/spire pkg/server/plugin/nodeattestor/azureimds).
const issuerHost = "www.microsoft.com"

// document is what an attested document says.
type document struct {
	Nonce, SubscriptionID, VMID string
}

// attested checks attested documents as SPIRE's node attestor azure_imds does, with the same library.
func attested(caFile string) {
	http.DefaultClient.Timeout = 10 * time.Second
	checks := &checks{}
	roots, err := readRoots(caFile)
	if err != nil {
		panic(err)
	}
	checks.run("verified up to the CA, by the issuer that the certificate leads to", func() error {
		for _, nonce := range []string{strings.Repeat("aB3", 10) + "zz", "1"} {
			said, err := verified(nonce, roots, func([]byte) {})
			if err != nil {
				return err
			}
			if said.Nonce != nonce {
				return fmt.Errorf("nonce %q instead of %q", said.Nonce, nonce)
			}
		}
		return nil
	})
	checks.run("it says which VM, as the instance document does", func() error {
		said, err := verified("2", roots, func([]byte) {})
		if err != nil {
			return err
		}
		var instance struct{ Compute document }
		if err := ask("instance?api-version=2025-04-07&format=json", &instance); err != nil {
			return err
		}
		if said.VMID == "" || said.SubscriptionID == "" {
			return fmt.Errorf("it says %+v", said)
		}
		if instance.Compute.VMID != said.VMID || instance.Compute.SubscriptionID != said.SubscriptionID {
			return fmt.Errorf("%+v instead of %+v", said, instance.Compute)
		}
		return nil
	})
	checks.run("not up to another CA", func() error {
		_, err := verified("3", x509.NewCertPool(), func([]byte) {})
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) {
			return fmt.Errorf("%v instead of an unknown authority", err)
		}
		return nil
	})
	checks.run("not with a changed content", func() error {
		_, err := verified("4", roots, func(content []byte) { content[len(content)/2] ^= 1 })
		if err == nil || !strings.Contains(err.Error(), "verification error") {
			return fmt.Errorf("%v instead of a wrong signature", err)
		}
		return nil
	})
	checks.done()
}

// verified gives what a new document says, once it is sure who said it. change does something to the content before.
func verified(nonce string, roots *x509.CertPool, change func([]byte)) (*document, error) {
	var answer struct{ Encoding, Signature string }
	if err := ask("attested/document?api-version=2025-04-07&nonce="+nonce, &answer); err != nil {
		return nil, err
	}
	der, err := base64.StdEncoding.DecodeString(answer.Signature)
	if err != nil {
		return nil, err
	}
	signed, err := pkcs7.Parse(der)
	if err != nil {
		return nil, err
	}
	signer := signed.GetOnlySigner()
	if signer == nil || answer.Encoding != "pkcs7" {
		return nil, fmt.Errorf("encoding %q with %d signers", answer.Encoding, len(signed.Signers))
	}
	issuer, err := issuerOf(signer)
	if err != nil {
		return nil, err
	}
	change(signed.Content)
	if err := signed.Verify(); err != nil {
		return nil, err
	}
	if err := signer.CheckSignatureFrom(issuer); err != nil {
		return nil, err
	}
	intermediates := x509.NewCertPool()
	intermediates.AddCert(issuer)
	options := x509.VerifyOptions{DNSName: "metadata.azure.com", Roots: roots, Intermediates: intermediates}
	if _, err := signer.Verify(options); err != nil {
		return nil, err
	}
	said := &document{}
	return said, json.Unmarshal(signed.Content, said)
}

// issuerOf fetches the issuer of a certificate from where that says.
func issuerOf(certificate *x509.Certificate) (*x509.Certificate, error) {
	if len(certificate.IssuingCertificateURL) != 1 {
		return nil, fmt.Errorf("issuers at %v", certificate.IssuingCertificateURL)
	}
	place, err := url.Parse(certificate.IssuingCertificateURL[0])
	if err != nil {
		return nil, err
	}
	if place.Host != issuerHost {
		return nil, fmt.Errorf("the issuer is at %q", place.Host)
	}
	reply, err := http.Get(place.String())
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	der, err := io.ReadAll(reply.Body)
	if err != nil {
		return nil, err
	}
	if reply.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer: %s", reply.Status)
	}
	return x509.ParseCertificate(der)
}

// ask reads a document of the metadata service.
func ask(path string, into any) error {
	request, err := http.NewRequest(http.MethodGet, metadata+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Metadata", "true")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, reply.Status)
	}
	return json.NewDecoder(reply.Body).Decode(into)
}

func readRoots(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", file)
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	return roots, nil
}
