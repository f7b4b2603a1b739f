package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
)

func (c *control) deploy(templates string) error {
	text, err := os.ReadFile(filepath.Join(templates, "template-vm.json"))
	if err != nil {
		return err
	}
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		return err
	}
	mode := to.Ptr(armdeployments.DeploymentModeIncremental)
	wanted := armdeployments.Deployment{Properties: &armdeployments.DeploymentProperties{Mode: mode, Template: template}}
	validated, err := c.deployments.BeginValidate(c.ctx, group, "d1", wanted, nil)
	if _, err = done(c, validated, err); err != nil {
		return err
	}
	poller, err := c.deployments.BeginCreateOrUpdate(c.ctx, group, "d1", wanted, nil)
	made, err := done(c, poller, err)
	if err != nil {
		return err
	}
	if state := *made.Properties.ProvisioningState; state != armdeployments.ProvisioningStateSucceeded {
		return errors.New(string(state))
	}
	outputs, _ := made.Properties.Outputs.(map[string]any)
	pid, _ := outputs["pid"].(map[string]any)
	if value, _ := pid["value"].(string); len(value) != 36 {
		return fmt.Errorf("outputs %v", made.Properties.Outputs)
	}
	whatIf := armdeployments.DeploymentWhatIf{Properties: &armdeployments.DeploymentWhatIfProperties{Mode: mode, Template: template}}
	asked, err := c.deployments.BeginWhatIf(c.ctx, group, "d1", whatIf, nil)
	told, err := done(c, asked, err)
	if err == nil && *told.Status != "Succeeded" {
		err = errors.New(*told.Status)
	}
	return err
}

func (c *control) export() error {
	poller, err := c.groups.BeginExportTemplate(c.ctx, group, armresources.ExportTemplateRequest{
		Resources: []*string{to.Ptr("*")}, Options: to.Ptr("IncludeParameterDefaultValue"),
	}, nil)
	said, err := done(c, poller, err)
	if err == nil && (said.Template == nil || said.Error == nil || len(said.Error.Details) == 0) {
		err = fmt.Errorf("%+v", said)
	}
	return err
}

func (c *control) assignReader(name, principalID string) error {
	_, err := c.roles.Create(c.ctx, c.scope(), name, armauthorization.RoleAssignmentCreateParameters{
		Properties: &armauthorization.RoleAssignmentProperties{
			RoleDefinitionID: to.Ptr("/subscriptions/" + c.SubscriptionID + reader),
			PrincipalID:      to.Ptr(principalID),
			PrincipalType:    to.Ptr(armauthorization.PrincipalTypeServicePrincipal),
		},
	}, nil)
	if err != nil {
		return err
	}
	for pager := c.roles.NewListForScopePager(c.scope(), nil); pager.More(); {
		page, err := pager.NextPage(c.ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(page.Value, func(one *armauthorization.RoleAssignment) bool { return *one.Name == name }) {
			return nil
		}
	}
	return errors.New("it isn't listed")
}

// readAsIdentity reads as the user-assigned identity of the seed's VM.
func (c *control) readAsIdentity() error {
	app := c.userAssigned("app")
	own, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ID: azidentity.ClientID(app.ClientID)})
	if err != nil {
		return err
	}
	vms, err := armcompute.NewVirtualMachinesClient(c.SubscriptionID, own, c.options)
	if err != nil {
		return err
	}
	_, err = vms.Get(c.ctx, group, "vm9", nil)
	if err := assertRefusal(err, http.StatusForbidden, "AuthorizationFailed"); err != nil {
		return err
	}
	if err := c.assignReader(readerOfSelf, app.PrincipalID); err != nil {
		return err
	}
	_, err = vms.Get(c.ctx, group, "vm9", nil)
	return err
}

// readAsPerson reads as the admin, who lets the program in on the authority's page.
func (c *control) readAsPerson() error {
	person, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: c.options.ClientOptions, TenantID: c.TenantID, DisableInstanceDiscovery: true,
		UserPrompt: func(_ context.Context, message azidentity.DeviceCodeMessage) error {
			return c.approve(message.UserCode)
		},
	})
	if err != nil {
		return err
	}
	vms, err := armcompute.NewVirtualMachinesClient(c.SubscriptionID, person, c.options)
	if err != nil {
		return err
	}
	if _, err := vms.Get(c.ctx, group, "vm9", nil); err != nil {
		return err
	}
	token, err := person.GetToken(c.ctx, policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
	if err != nil {
		return err
	}
	said, err := read(token.Token)
	if err == nil && (said.Aud != "https://vault.azure.net" || said.UPN != "admin@sample.test") {
		err = fmt.Errorf("%+v", said)
	}
	return err
}

func (c *control) approve(userCode string) error {
	form := url.Values{
		"user_code": {userCode}, "action": {"approve"}, "account": {"admin"}, "secret": {c.Admin.ClientSecret},
	}
	reply, err := trusting(c.world).PostForm(c.Authority+"/devicelogin", form)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("the page answers %d", reply.StatusCode)
	}
	return nil
}
