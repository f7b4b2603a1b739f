package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/msi/armmsi"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
)

const (
	group        = "rg-go"
	linux        = "ManagedIdentityExtensionForLinux"
	port         = 50342
	reader       = "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
	assignment   = "9a9a9a9a-9a9a-4a9a-8a9a-9a9a9a9a9ae"
	readerOfSelf = assignment + "2"
)

// control is the control plane as its SDKs see it, and what was made there.
type control struct {
	*world
	ctx           context.Context
	groups        *armresources.ResourceGroupsClient
	subscriptions *armsubscriptions.Client
	identities    *armmsi.UserAssignedIdentitiesClient
	federated     *armmsi.FederatedIdentityCredentialsClient
	vms           *armcompute.VirtualMachinesClient
	extensions    *armcompute.VirtualMachineExtensionsClient
	sets          *armcompute.VirtualMachineScaleSetsClient
	setExtensions *armcompute.VirtualMachineScaleSetExtensionsClient
	deployments   *armdeployments.DeploymentsClient
	roles         *armauthorization.RoleAssignmentsClient
	options       *arm.ClientOptions
	made          []*armmsi.Identity
}

// controlPlane replays what exists, by the management SDKs: the cloud is a configuration, its CA ours.
func controlPlane(world *world, templates string) {
	checks := &checks{}
	c, err := newControl(world)
	if err != nil {
		panic(err)
	}
	vm := c.scope() + "/providers/Microsoft.Compute/virtualMachines/vm9"

	checks.run("Subscriptions.List", func() error {
		page, err := c.subscriptions.NewListPager(nil).NextPage(c.ctx)
		if err == nil && (len(page.Value) != 1 || *page.Value[0].SubscriptionID != world.SubscriptionID) {
			err = fmt.Errorf("%d subscriptions", len(page.Value))
		}
		return err
	})
	checks.run("ResourceGroups.CreateOrUpdate, CheckExistence", c.makeGroup)
	checks.run("UserAssignedIdentities.CreateOrUpdate, List; a federated credential", c.makeIdentities)
	checks.run("VirtualMachines.BeginCreateOrUpdate: a system-assigned identity, served by the machine at once", func() error {
		poller, err := c.vms.BeginCreateOrUpdate(c.ctx, group, "vm9", armcompute.VirtualMachine{
			Location:   to.Ptr("westus"),
			Identity:   &armcompute.VirtualMachineIdentity{Type: to.Ptr(armcompute.ResourceIdentityTypeSystemAssigned)},
			Properties: &armcompute.VirtualMachineProperties{HardwareProfile: size()},
		}, nil)
		made, err := done(c, poller, err)
		if err != nil {
			return err
		}
		return c.assertGets(vm, "", *made.Identity.PrincipalID)
	})
	checks.run("VirtualMachines.BeginUpdate: identities added are served, one taken away by null is refused, at once", func() error {
		return c.moveIdentities("vm9", group, 2, c.asksRaw(vm))
	})
	// The SDK dials the well-known address, whatever is set, and there is the seed's own VM.
	checks.run("the same on the VM of the seed, asked by ManagedIdentityCredential", func() error {
		return c.moveIdentities("dev", "dev", 3, c.asksSDK)
	})
	checks.run("VirtualMachineExtensions.BeginCreateOrUpdate: its port opens", func() error {
		poller, err := c.extensions.BeginCreateOrUpdate(c.ctx, group, "vm9", linux, armcompute.VirtualMachineExtension{
			Location: to.Ptr("westus"),
			Properties: &armcompute.VirtualMachineExtensionProperties{
				Publisher: to.Ptr("Microsoft.ManagedIdentity"), Type: to.Ptr(linux), TypeHandlerVersion: to.Ptr("1.0"),
				AutoUpgradeMinorVersion: to.Ptr(true), Settings: settings(), ProtectedSettings: map[string]any{},
			},
		}, nil)
		made, err := done(c, poller, err)
		if err != nil {
			return err
		}
		if *made.Properties.ProvisioningState != "Succeeded" || made.Properties.ProtectedSettings != nil {
			return fmt.Errorf("%+v", *made.Properties)
		}
		return c.assertPort(vm, port, true)
	})
	checks.run("VirtualMachineExtensions.Get with its instance view, BeginUpdate, List", c.readExtension)
	checks.run("VirtualMachines.InstanceView, List", c.readVM)
	checks.run("VirtualMachineExtensions.BeginDelete: its port closes", func() error {
		poller, err := c.extensions.BeginDelete(c.ctx, group, "vm9", linux, nil)
		_, err = done(c, poller, err)
		return errors.Join(err, c.assertPort(vm, port, false))
	})
	checks.run("VirtualMachineScaleSets and their extensions: create, list, delete", c.scaleSet)
	checks.run("Deployments: BeginValidate, BeginCreateOrUpdate, BeginWhatIf", func() error { return c.deploy(templates) })
	checks.run("ResourceGroups.BeginExportTemplate: an error in it, for the extension", c.export)
	checks.run("RoleAssignments.Create, ListForScope", func() error {
		return c.assignReader(assignment+"1", *c.made[0].Properties.PrincipalID)
	})
	checks.run("VirtualMachines.Get of one that isn't there: ResponseError", func() error {
		_, err := c.vms.Get(c.ctx, group, "nope", nil)
		return assertRefusal(err, http.StatusNotFound, "ResourceNotFound")
	})
	checks.run("a managed identity without a role: AuthorizationFailed; with Reader: it reads", c.readAsIdentity)
	checks.run("DeviceCodeCredential: a person lets the program in, it reads, and renews for another resource", c.readAsPerson)
	checks.run("VirtualMachines.BeginDelete: its metadata service goes", func() error {
		was, err := c.machine(vm)
		if err != nil {
			return err
		}
		poller, err := c.vms.BeginDelete(c.ctx, group, "vm9", nil)
		if _, err = done(c, poller, err); err == nil && !isGone(was.IMDS) {
			err = fmt.Errorf("%s still listens", was.IMDS)
		}
		return err
	})
	checks.run("ResourceGroups.BeginDelete", func() error {
		poller, err := c.groups.BeginDelete(c.ctx, group, nil)
		if _, err = done(c, poller, err); err != nil {
			return err
		}
		return c.assertGroup(group, false)
	})
	checks.done()
}

func newControl(world *world) (*control, error) {
	service := cloud.ServiceConfiguration{Endpoint: world.ARM, Audience: world.ARM}
	options := &arm.ClientOptions{ClientOptions: policy.ClientOptions{
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: world.Authority,
			Services:                     map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: service},
		},
		Transport: trusting(world),
	}}
	admin, err := azidentity.NewClientSecretCredential(world.TenantID, world.Admin.ClientID, world.Admin.ClientSecret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options.ClientOptions, DisableInstanceDiscovery: true})
	if err != nil {
		return nil, err
	}
	c := &control{world: world, ctx: context.Background(), options: options}
	var failed [10]error
	c.groups, failed[0] = armresources.NewResourceGroupsClient(world.SubscriptionID, admin, options)
	c.subscriptions, failed[1] = armsubscriptions.NewClient(admin, options)
	c.identities, failed[2] = armmsi.NewUserAssignedIdentitiesClient(world.SubscriptionID, admin, options)
	c.federated, failed[3] = armmsi.NewFederatedIdentityCredentialsClient(world.SubscriptionID, admin, options)
	c.vms, failed[4] = armcompute.NewVirtualMachinesClient(world.SubscriptionID, admin, options)
	c.extensions, failed[5] = armcompute.NewVirtualMachineExtensionsClient(world.SubscriptionID, admin, options)
	c.sets, failed[6] = armcompute.NewVirtualMachineScaleSetsClient(world.SubscriptionID, admin, options)
	c.setExtensions, failed[7] = armcompute.NewVirtualMachineScaleSetExtensionsClient(world.SubscriptionID, admin, options)
	c.deployments, failed[8] = armdeployments.NewDeploymentsClient(world.SubscriptionID, admin, options)
	c.roles, failed[9] = armauthorization.NewRoleAssignmentsClient(world.SubscriptionID, admin, options)
	return c, errors.Join(failed[:]...)
}

// done polls an operation to its end.
func done[T any](c *control, poller *runtime.Poller[T], err error) (T, error) {
	if err != nil {
		var nothing T
		return nothing, err
	}
	return poller.PollUntilDone(c.ctx, &runtime.PollUntilDoneOptions{Frequency: time.Second})
}

func (c *control) scope() string {
	return "/subscriptions/" + c.SubscriptionID + "/resourceGroups/" + group
}

func (c *control) makeGroup() error {
	made, err := c.groups.CreateOrUpdate(c.ctx, group, armresources.ResourceGroup{Location: to.Ptr("westus")}, nil)
	if err == nil && *made.ID != c.scope() {
		err = fmt.Errorf("%s instead of %s", *made.ID, c.scope())
	}
	return errors.Join(err, c.assertGroup(group, true), c.assertGroup("nope", false))
}

func (c *control) assertGroup(name string, exists bool) error {
	found, err := c.groups.CheckExistence(c.ctx, name, nil)
	if err == nil && found.Success != exists {
		err = fmt.Errorf("%s: exists is %t", name, found.Success)
	}
	return err
}

func (c *control) makeIdentities() error {
	wanted := []string{"uai0", "uai1", "uai2"}
	for _, name := range wanted {
		made, err := c.identities.CreateOrUpdate(c.ctx, group, name, armmsi.Identity{Location: to.Ptr("westus")}, nil)
		if err != nil {
			return err
		}
		c.made = append(c.made, &made.Identity)
	}
	page, err := c.identities.NewListByResourceGroupPager(group, nil).NextPage(c.ctx)
	if err != nil {
		return err
	}
	if err := assertNames(page.Value, func(one *armmsi.Identity) *string { return one.Name }, wanted...); err != nil {
		return err
	}
	_, err = c.federated.CreateOrUpdate(c.ctx, group, "uai0", "fic", armmsi.FederatedIdentityCredential{
		Properties: &armmsi.FederatedIdentityCredentialProperties{
			Issuer: to.Ptr("https://issuer.example"), Subject: to.Ptr("s"), Audiences: []*string{to.Ptr("a")},
		},
	}, nil)
	return err
}

func assertRefusal(err error, status int, code string) error {
	var refusal *azcore.ResponseError
	if !errors.As(err, &refusal) || refusal.StatusCode != status || refusal.ErrorCode != code {
		return fmt.Errorf("not %d %s: %w", status, code, err)
	}
	return nil
}

func assertNames[T any](all []T, name func(T) *string, wanted ...string) error {
	var names []string
	for _, one := range all {
		names = append(names, *name(one))
	}
	slices.Sort(names)
	if !slices.Equal(names, wanted) {
		return fmt.Errorf("%s instead of %s", strings.Join(names, ", "), strings.Join(wanted, ", "))
	}
	return nil
}
