use proptest::prelude::*;

use super::*;

const SUB: &str = "/subscriptions/00000000-0000-4000-8000-000000000001";

fn id(text: &str) -> ResourceId {
    ResourceId::parse(text).unwrap()
}

#[test]
fn parts_of_a_machine_and_its_extension() {
    let vm = id(&format!("{SUB}/resourceGroups/Dev/providers/Microsoft.Compute/virtualMachines/vm1"));
    assert_eq!(vm.subscription().unwrap().to_string(), "00000000-0000-4000-8000-000000000001");
    assert_eq!(vm.resource_group(), Some("Dev"));
    assert_eq!(vm.provider(), Some("Microsoft.Compute"));
    assert_eq!(vm.resource_type(), "Microsoft.Compute/virtualMachines");
    assert_eq!(vm.name(), "vm1");
    assert_eq!(vm.parent().unwrap().as_str(), format!("{SUB}/resourceGroups/Dev"));

    let extension = vm.child("extensions", "msi").unwrap();
    assert_eq!(extension.resource_type(), "Microsoft.Compute/virtualMachines/extensions");
    assert_eq!(extension.parent(), Some(vm));
}

#[test]
fn parts_of_scopes_and_of_what_is_attached_to_them() {
    let group = id(&format!("{SUB}/resourceGroups/dev"));
    assert_eq!(group.resource_type(), "Microsoft.Resources/resourceGroups");
    assert_eq!(group.parent(), Some(id(SUB)));
    assert_eq!(id(SUB).resource_type(), "Microsoft.Resources/subscriptions");
    assert_eq!(id(SUB).parent(), None);
    assert_eq!((id(SUB).resource_group(), id(SUB).provider()), (None, None));

    let on_group = group.resource("Microsoft.Authorization", "roleAssignments", "x").unwrap();
    assert_eq!(on_group.parent(), Some(group.clone()));
    let vm = group.resource("Microsoft.Compute", "virtualMachines", "vm").unwrap();
    let on_vm = vm.resource("Microsoft.Authorization", "locks", "y").unwrap();
    assert_eq!((on_vm.provider(), on_vm.parent()), (Some("Microsoft.Authorization"), Some(vm)));

    let tenant_level = id("/providers/Microsoft.Management/managementGroups/all");
    assert_eq!((tenant_level.subscription(), tenant_level.parent()), (None, None));
}

#[test]
fn two_spellings_are_one_id_and_each_keeps_its_text() {
    let one = id(&format!("{SUB}/resourceGroups/Dev/providers/Microsoft.ManagedIdentity/userAssignedIdentities/App"));
    let other = id(&one.as_str().to_ascii_lowercase());
    assert_eq!(one, other);
    assert_eq!(one.cmp(&other), Ordering::Equal);
    assert!(one.as_str().ends_with("/App") && other.as_str().ends_with("/app"));
    assert_eq!(std::collections::HashSet::from([one, other]).len(), 1);
}

#[test]
fn refusals() {
    use InvalidResourceId as E;
    let long = format!("/a/{}", "b".repeat(MAX_LENGTH));
    for (text, why) in [
        ("", E::NotAbsolute),
        ("subscriptions/x", E::NotAbsolute),
        ("/", E::BadSegment),
        ("/a/b/", E::BadSegment),
        ("/a//b", E::BadSegment),
        ("/a/..", E::BadSegment),
        ("/a/./b/c", E::BadSegment),
        ("/a/b%2fc", E::BadCharacter),
        ("/a/b\0", E::BadCharacter),
        ("/a/ b", E::BadCharacter),
        ("/a/b?c", E::BadCharacter),
        ("/a", E::Unpaired),
        ("/a/b/c", E::Unpaired),
        ("/providers/A.B", E::Unpaired),
        ("/providers/A.B/providers/C.D/e/f", E::Unpaired),
        ("/subscriptions/dev", E::BadSubscription),
        (&long, E::TooLong),
    ] {
        assert_eq!(ResourceId::parse(text).unwrap_err(), why, "{text:.40}");
    }
}

#[test]
fn builders_take_one_segment_a_part() {
    let sub = "00000000-0000-4000-8000-000000000001".parse().unwrap();
    assert_eq!(
        ResourceId::for_user_assigned_identity(sub, "rg", "app").unwrap().as_str(),
        format!("{SUB}/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app")
    );
    for bad in ["", "a/b", "..", "a%2fb", "a/b/c"] {
        assert!(ResourceId::for_virtual_machine(sub, "rg", bad).is_err(), "{bad}");
        assert!(ResourceId::for_resource_group(sub, bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_or_survives_a_round_trip(text in "(/?[a-zA-Z.%{} \\u{e9}\\-]{0,12}){0,9}") {
        if let Ok(id) = ResourceId::parse(&text) {
            prop_assert_eq!(id.as_str(), &text);
            prop_assert_eq!(id.key(), text.to_ascii_lowercase());
            let again = ResourceId::parse(id.key()).unwrap();
            prop_assert_eq!(&again, &id);
            prop_assert_eq!(again.key(), again.as_str());
            let mut at = Some(id);
            while let Some(id) = at {
                prop_assert!(ResourceId::parse(id.as_str()).is_ok(), "a parent is an id: {}", id);
                at = id.parent();
            }
        }
    }

    #[test]
    fn built_ids_give_their_parts_back(
        sub in any::<u128>(),
        rg in "[a-zA-Z0-9_().\\-]{0,20}[a-zA-Z0-9_()\\-]",
        name in "[a-zA-Z0-9][a-zA-Z0-9\\-]{0,20}",
    ) {
        let sub = SubscriptionId::from_uuid(uuid::Uuid::from_u128(sub));
        let vm = ResourceId::for_virtual_machine(sub, &rg, &name).unwrap();
        prop_assert_eq!(vm.subscription(), Some(sub));
        prop_assert_eq!(vm.resource_group(), Some(rg.as_str()));
        prop_assert_eq!(vm.name(), &name);
        prop_assert_eq!(vm.parent(), Some(ResourceId::for_resource_group(sub, &rg).unwrap()));
        let upper = ResourceId::parse(&vm.as_str().to_ascii_uppercase()).unwrap();
        prop_assert_eq!(upper, vm);
    }
}
