//! `azure_identity` for Rust on IMDS. It knows no other address, asks with api-version 2019-08-01, sends header names
//! in lower case, and needs every number of the answer as a string. With the argument `token` it asks once and says what
//! came of it.

mod checks;
mod token;
mod world;

use azure_core::credentials::{AccessToken, TokenCredential};
use azure_core::error::ErrorKind;
use azure_core::http::StatusCode;
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};

use crate::checks::{Checks, Failure};
use crate::world::{ARM, Identity, STRANGER_CLIENT_ID, World};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if std::env::args().nth(1).as_deref() == Some("token") {
        println!("{}", token::once().await);
        return Ok(());
    }
    let world = World::read()?;
    let (app, system) = (world.user_assigned("app")?, world.system_assigned()?);
    let mut checks = Checks::default();
    checks.push("system-assigned", given(&world, None, &system).await);
    let client_id = UserAssignedId::ClientId(app.client_id.clone());
    checks.push("client id", given(&world, Some(client_id), &app).await);
    let object_id = UserAssignedId::ObjectId(app.principal_id.clone());
    checks.push("object id", given(&world, Some(object_id), &app).await);
    let resource_id = UserAssignedId::ResourceId(app.id.clone());
    checks.push("resource id", given(&world, Some(resource_id), &app).await);
    checks.push("the client caches", cached(&world).await);
    checks.push("unassigned identity: one request, a credential error", refused(&world).await);
    println!("{}", checks.to_json());
    Ok(())
}

/// A token of the expected identity, in one request.
async fn given(world: &World, id: Option<UserAssignedId>, expected: &Identity) -> Result<(), Failure> {
    let before = world.requests_counted()?;
    let token = ask(id).await?;
    world.assert_requests(before, 1)?;
    let expires = world.assert_token(token.token.secret(), expected)?;
    if token.expires_on.unix_timestamp() != expires {
        return Err(format!("expires {}, the token says {expires}", token.expires_on).into());
    }
    Ok(())
}

/// Two tokens of one credential are one, and cost one request.
async fn cached(world: &World) -> Result<(), Failure> {
    let credential = ManagedIdentityCredential::new(None)?;
    let scope = format!("{ARM}/.default");
    let before = world.requests_counted()?;
    let first = credential.get_token(&[&scope], None).await?;
    let second = credential.get_token(&[&scope], None).await?;
    if first.token.secret() != second.token.secret() {
        return Err("two tokens".into());
    }
    world.assert_requests(before, 1)
}

/// 400 becomes its own words, and isn't repeated.
async fn refused(world: &World) -> Result<(), Failure> {
    let before = world.requests_counted()?;
    let answer = ask(Some(UserAssignedId::ClientId(STRANGER_CLIENT_ID.into()))).await;
    world.assert_requests(before, 1)?;
    let Err(why) = answer else {
        return Err("a token for an identity that isn't assigned".into());
    };
    let text = chain(&why);
    let refused = matches!(why.kind(), ErrorKind::Credential)
        || matches!(why.kind(), ErrorKind::HttpResponse { status: StatusCode::BadRequest, .. });
    if !refused || !text.contains("identity has not been assigned") {
        return Err(format!("{:?}: {text}", why.kind()).into());
    }
    Ok(())
}

async fn ask(user_assigned_id: Option<UserAssignedId>) -> azure_core::Result<AccessToken> {
    let options = ManagedIdentityCredentialOptions { user_assigned_id, ..Default::default() };
    let scope = format!("{ARM}/.default");
    ManagedIdentityCredential::new(Some(options))?.get_token(&[&scope], None).await
}

fn chain(why: &dyn std::error::Error) -> String {
    std::iter::successors(Some(why), |why| why.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
