package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/managedidentity"
)

const resourceManager = "https://management.azure.com"

// token asks once, by azidentity or by MSAL alone, and says what came of it.
func token(client string) {
	ask := azidentityToken
	if client == "msal" {
		ask = msalToken
	}
	token, expiresOn, err := ask()
	said := map[string]any{"error": nil, "token": token, "expiresOn": expiresOn.Unix()}
	if err != nil {
		said["error"], said["message"] = "unavailable", err.Error()
		var refused *azidentity.AuthenticationFailedError
		if errors.As(err, &refused) {
			said["error"] = "AuthenticationFailedError"
		}
	}
	line, _ := json.Marshal(said)
	fmt.Println(string(line))
}

func azidentityToken() (string, time.Time, error) {
	credential, err := azidentity.NewManagedIdentityCredential(nil)
	if err != nil {
		return "", time.Time{}, err
	}
	options := policy.TokenRequestOptions{Scopes: []string{resourceManager + "/.default"}}
	token, err := credential.GetToken(context.Background(), options)
	return token.Token, token.ExpiresOn, err
}

func msalToken() (string, time.Time, error) {
	client, err := managedidentity.New(managedidentity.SystemAssigned())
	if err != nil {
		return "", time.Time{}, err
	}
	answer, err := client.AcquireToken(context.Background(), resourceManager)
	return answer.AccessToken, answer.ExpiresOn, err
}
