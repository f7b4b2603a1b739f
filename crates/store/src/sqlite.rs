//! The SQLite backend: one file, one writer, a few readers; write-ahead log, every commit synced to disk.

use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use domain::Scope;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{Act, Concurrency, Error, Founding, Page, ReadTx, Store, Tx};

mod application;
mod audit;
mod caller;
mod certificate_credential;
mod change_feed;
mod client;
mod cutover;
mod deployment;
mod error;
mod extension_spec;
mod external_issuer;
mod federated_credential;
mod file;
mod goal_state;
mod meta;
mod migrations;
mod operation;
mod query;
mod resource;
mod resource_group;
mod role_assignment;
mod row;
mod scale_set;
mod scheduled_event;
mod service_principal;
mod signing_key;
mod subscription;
mod tenant;
mod transaction;
mod user_assigned_identity;
mod virtual_machine;
mod vm_extension;
mod vm_snapshot;

/// Reader connections kept open. More readers at once open more, which are closed again.
const READERS: usize = 4;
/// How many entries are read at once when all are.
const PAGE: usize = 1_000;

/// A store in one SQLite file.
pub struct Sqlite {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: [OnceLock<Mutex<Connection>>; READERS],
    /// Removed with the store, after the connections are closed.
    home: Option<TempDir>,
}

/// Opens the store in the file at `path`, and founds it when there is no such file. A new file has mode 0600 and
/// appears whole or not at all.
///
/// # Errors
/// [`Error::File`] when the file is not ours, of a newer format, damaged, open to others or not a plain file; it is
/// left as it was. [`Error::Io`] when the operating system refuses something.
pub fn open(path: &Path, founding: &Founding) -> Result<Sqlite, Error> {
    let path = file::ensure(path, founding)?;
    let writer = Mutex::new(file::open_writer(&path)?);
    Ok(Sqlite { path, writer, readers: Default::default(), home: None })
}

/// A store that ends with the value: a file in a directory of its own under the system's temporary directory, where
/// commits are not synced. A process that is killed leaves the directory (mode 0700) behind.
///
/// # Errors
/// When the file cannot be made.
pub fn ephemeral(founding: &Founding) -> Result<Sqlite, Error> {
    let home = tempfile::Builder::new().prefix("symbolon-").tempdir().map_err(|source| Error::Io {
        doing: "make a directory in",
        path: std::env::temp_dir(),
        source,
    })?;
    let mut store = open(&home.path().join("symbolon.db"), founding)?;
    file::forgo_durability(store.writer.get_mut().unwrap_or_else(PoisonError::into_inner))?;
    store.home = Some(home);
    Ok(store)
}

impl Sqlite {
    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn reader(&self) -> Result<Lease<'_>, Error> {
        for slot in &self.readers {
            if slot.get().is_none() {
                // Another thread may be first; then this connection is closed again.
                let _ = slot.set(Mutex::new(file::open_reader(&self.path)?));
            }
            match slot.get().map(Mutex::try_lock) {
                Some(Ok(free)) => return Ok(Lease::Kept(free)),
                Some(Err(TryLockError::Poisoned(free))) => return Ok(Lease::Kept(free.into_inner())),
                Some(Err(TryLockError::WouldBlock)) | None => {}
            }
        }
        file::open_reader(&self.path).map(|connection| Lease::Own(Box::new(connection)))
    }
}

impl Store for Sqlite {
    fn read(&self) -> Result<Box<dyn ReadTx + '_>, Error> {
        Ok(Box::new(transaction::Reading::start(self.reader()?)?))
    }

    fn begin(&self, act: Act) -> Result<Box<dyn Tx + '_>, Error> {
        // A panic in an earlier transaction rolled it back when it was dropped; the connection is as good as new.
        let connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(transaction::Writing::start(connection, act)?))
    }

    fn concurrency(&self) -> Concurrency {
        Concurrency { readers: READERS, writers: 1 }
    }

    fn check(&self) -> Result<(), Error> {
        file::check(&self.path)?;
        let tx = self.read()?;
        for tenant in tx.tenants()? {
            tx.service_principals(tenant.id)?;
            for application in tx.applications(tenant.id)? {
                tx.client(tenant.id, application.client_id)?;
            }
        }
        for subscription in tx.subscriptions()? {
            tx.resource_groups(subscription.id)?;
        }
        for vm in tx.virtual_machines(&Scope::Root, &Page::ALL)? {
            tx.vm_extensions(&vm.id)?;
            tx.certificate_credentials_of_vm(&vm.id)?;
        }
        tx.user_assigned_identities(&Scope::Root, &Page::ALL)?;
        for scale_set in tx.scale_sets(&Scope::Root, &Page::ALL)? {
            tx.virtual_machines_of_scale_set(&scale_set.id)?;
            tx.vm_extensions_of_scale_set(&scale_set.id)?;
        }
        tx.resources(&Scope::Root, &Page::ALL)?;
        tx.operations_under_way()?;
        for deployment in tx.deployments(&Scope::Root)? {
            tx.deployment_operations(&deployment.id)?;
        }
        tx.vm_snapshots()?;
        tx.role_assignments(&Scope::Root)?;
        tx.external_issuers()?;
        tx.signing_keys()?;
        let mut seen = 0;
        while let Some(last) = tx.audit(seen, PAGE)?.last() {
            seen = last.seq;
        }
        change_feed::check(&transaction::Reading::start(self.reader()?)?)
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("path", &self.path)
            .field("ephemeral", &self.home.is_some())
            .finish_non_exhaustive()
    }
}

/// A reader connection for one snapshot.
enum Lease<'s> {
    Kept(MutexGuard<'s, Connection>),
    Own(Box<Connection>),
}

impl Deref for Lease<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Self::Kept(connection) => connection,
            Self::Own(connection) => connection,
        }
    }
}
