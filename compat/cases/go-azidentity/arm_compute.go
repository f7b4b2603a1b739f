package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/msi/armmsi"
)

// asks is how a machine's metadata service is asked for an identity's token; refused means that it must give none.
type asks func(one *armmsi.Identity, refused bool) error

func (c *control) asksRaw(vm string) asks {
	return func(one *armmsi.Identity, refused bool) error {
		if !refused {
			return c.assertGets(vm, *one.Properties.ClientID, *one.Properties.PrincipalID)
		}
		status, said, err := c.metadataToken(vm, *one.Properties.ClientID)
		if err == nil && (status != http.StatusBadRequest || said.Error == "" || said.AccessToken != "") {
			err = fmt.Errorf("%d instead of a refusal", status)
		}
		return err
	}
}

func (c *control) asksSDK(one *armmsi.Identity, isRefused bool) error {
	id := azidentity.ClientID(*one.Properties.ClientID)
	if isRefused {
		return refused(id)
	}
	return given(c.world, id, &identity{ClientID: *one.Properties.ClientID, PrincipalID: *one.Properties.PrincipalID}, 1)
}

// moveIdentities assigns two identities and takes them away again, the first by its own null and the second so that the
// VM is left as it was; `count` is how many user-assigned ones it has with both.
func (c *control) moveIdentities(vm, group string, count int, ask asks) error {
	first, second := c.made[0], c.made[1]
	if err := ask(first, true); err != nil {
		return err
	}
	both := map[string]*armcompute.UserAssignedIdentitiesValue{*first.ID: {}, *second.ID: {}}
	steps := []struct {
		ids    map[string]*armcompute.UserAssignedIdentitiesValue
		count  int
		first  bool
		second bool
	}{
		{both, count, true, true},
		{map[string]*armcompute.UserAssignedIdentitiesValue{*first.ID: nil}, count - 1, false, true},
		{map[string]*armcompute.UserAssignedIdentitiesValue{*second.ID: nil}, count - 2, false, false},
	}
	for _, step := range steps {
		poller, err := c.vms.BeginUpdate(c.ctx, group, vm, armcompute.VirtualMachineUpdate{
			Identity: &armcompute.VirtualMachineIdentity{
				Type:                   to.Ptr(armcompute.ResourceIdentityTypeSystemAssignedUserAssigned),
				UserAssignedIdentities: step.ids,
			},
		}, nil)
		said, err := done(c, poller, err)
		if err != nil {
			return err
		}
		if len(said.Identity.UserAssignedIdentities) != step.count {
			return fmt.Errorf("%d identities instead of %d", len(said.Identity.UserAssignedIdentities), step.count)
		}
		if err := errors.Join(ask(first, !step.first), ask(second, !step.second)); err != nil {
			return err
		}
	}
	return nil
}

func (c *control) readExtension() error {
	options := &armcompute.VirtualMachineExtensionsClientGetOptions{Expand: to.Ptr("instanceView")}
	shown, err := c.extensions.Get(c.ctx, group, "vm9", linux, options)
	if err != nil {
		return err
	}
	if code := *shown.Properties.InstanceView.Statuses[0].Code; code != "ProvisioningState/succeeded" {
		return errors.New(code)
	}
	poller, err := c.extensions.BeginUpdate(c.ctx, group, "vm9", linux, armcompute.VirtualMachineExtensionUpdate{
		Properties: &armcompute.VirtualMachineExtensionUpdateProperties{ForceUpdateTag: to.Ptr("1")},
	}, nil)
	if _, err = done(c, poller, err); err != nil {
		return err
	}
	all, err := c.extensions.List(c.ctx, group, "vm9", nil)
	if err == nil && (len(all.Value) != 1 || *all.Value[0].Properties.ForceUpdateTag != "1") {
		err = fmt.Errorf("%d extensions", len(all.Value))
	}
	return err
}

func (c *control) readVM() error {
	view, err := c.vms.InstanceView(c.ctx, group, "vm9", nil)
	if err != nil {
		return err
	}
	running := func(one *armcompute.InstanceViewStatus) bool { return *one.Code == "PowerState/running" }
	if !slices.ContainsFunc(view.Statuses, running) {
		return errors.New("it doesn't run")
	}
	page, err := c.vms.NewListPager(group, nil).NextPage(c.ctx)
	if err != nil {
		return err
	}
	return assertNames(page.Value, func(one *armcompute.VirtualMachine) *string { return one.Name }, "vm9")
}

func (c *control) scaleSet() error {
	poller, err := c.sets.BeginCreateOrUpdate(c.ctx, group, "ss9", armcompute.VirtualMachineScaleSet{
		Location: to.Ptr("westus"),
		Identity: &armcompute.VirtualMachineScaleSetIdentity{Type: to.Ptr(armcompute.ResourceIdentityTypeSystemAssigned)},
		SKU:      &armcompute.SKU{Name: to.Ptr("Standard_B1s"), Capacity: to.Ptr[int64](2)},
	}, nil)
	made, err := done(c, poller, err)
	if err != nil {
		return err
	}
	if made.Identity == nil || *made.Identity.PrincipalID == "" {
		return errors.New("no identity")
	}
	extended, err := c.setExtensions.BeginCreateOrUpdate(c.ctx, group, "ss9", linux, armcompute.VirtualMachineScaleSetExtension{
		Properties: &armcompute.VirtualMachineScaleSetExtensionProperties{
			Publisher: to.Ptr("Microsoft.ManagedIdentity"), Type: to.Ptr(linux), TypeHandlerVersion: to.Ptr("1.0"),
			Settings: settings(),
		},
	}, nil)
	if _, err = done(c, extended, err); err != nil {
		return err
	}
	if err := c.assertSetExtensions(linux); err != nil {
		return err
	}
	deleted, err := c.setExtensions.BeginDelete(c.ctx, group, "ss9", linux, nil)
	if _, err = done(c, deleted, err); err != nil {
		return err
	}
	return c.assertSetExtensions()
}

func (c *control) assertSetExtensions(wanted ...string) error {
	page, err := c.setExtensions.NewListPager(group, "ss9", nil).NextPage(c.ctx)
	if err != nil {
		return err
	}
	return assertNames(page.Value, func(one *armcompute.VirtualMachineScaleSetExtension) *string { return one.Name }, wanted...)
}

func size() *armcompute.HardwareProfile {
	return &armcompute.HardwareProfile{VMSize: to.Ptr(armcompute.VirtualMachineSizeTypesStandardB1S)}
}

func settings() map[string]any {
	return map[string]any{"port": port}
}
