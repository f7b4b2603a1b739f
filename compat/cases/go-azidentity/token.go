package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

const resourceManager = "https://management.azure.com"

// token asks once, and says what came of it.
func token() {
	said := map[string]any{"error": nil}
	credential, err := azidentity.NewManagedIdentityCredential(nil)
	if err == nil {
		options := policy.TokenRequestOptions{Scopes: []string{resourceManager + "/.default"}}
		token, failed := credential.GetToken(context.Background(), options)
		err, said["token"], said["expiresOn"] = failed, token.Token, token.ExpiresOn.Unix()
	}
	if err != nil {
		var refused *azidentity.AuthenticationFailedError
		said["error"], said["message"] = "unavailable", err.Error()
		if errors.As(err, &refused) {
			said["error"] = "AuthenticationFailedError"
		}
	}
	line, _ := json.Marshal(said)
	fmt.Println(string(line))
}
