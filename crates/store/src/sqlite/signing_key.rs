//! Signing keys, wrapped.

use domain::{KeyState, SigningKeyRecord, Timestamp};

use super::query::Source;
use super::row::Row;
use super::transaction::Writing;
use crate::{Error, Noun, Op, Put, SigningKeyReader, SigningKeyWriter};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT kid, issuer, purpose, version, state, certificate_der, wrapped, kek_id, published_at, \
             activated_at, retired_at, revoked_at FROM signing_key ",
            $rest
        )
    };
}

impl<S: Source> SigningKeyReader for S {
    fn signing_key(&self, kid: &str) -> Result<Option<SigningKeyRecord>, Error> {
        self.reader().one(select!("WHERE kid = ?1"), [kid], read)
    }

    fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, Error> {
        self.reader().many(select!("ORDER BY published_at, kid"), [], read)
    }
}

impl SigningKeyWriter for Writing<'_> {
    fn put_signing_key(&mut self, key: &SigningKeyRecord) -> Result<Put, Error> {
        self.attempt(|tx| {
            let before = tx.signing_key(&key.kid)?;
            if before.as_ref() == Some(key) {
                return Ok(Put::Unchanged);
            }
            if let Some(before) = &before {
                let same = (&before.issuer, &before.purpose, &before.certificate_der)
                    == (&key.issuer, &key.purpose, &key.certificate_der);
                if !same || key.state < before.state {
                    let why = "a key keeps what it is for and never goes back to an earlier state";
                    return Err(Error::Contradiction { noun: Noun::SigningKey, key: key.kid.clone(), why });
                }
            }
            let sql = "INSERT INTO signing_key (kid, issuer, purpose, version, state, certificate_der, wrapped, \
                       kek_id, published_at, activated_at, retired_at, revoked_at) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
                       ON CONFLICT (kid) DO UPDATE SET version = excluded.version, state = excluded.state, \
                       wrapped = excluded.wrapped, kek_id = excluded.kek_id, published_at = excluded.published_at, \
                       activated_at = excluded.activated_at, retired_at = excluded.retired_at, \
                       revoked_at = excluded.revoked_at";
            let values = (
                &key.kid,
                &key.issuer,
                &key.purpose,
                key.version,
                name(key.state),
                &key.certificate_der,
                &key.wrapped,
                &key.kek_id,
                key.published_at.unix(),
                key.activated_at.map(Timestamp::unix),
                key.retired_at.map(Timestamp::unix),
                key.revoked_at.map(Timestamp::unix),
            );
            tx.change_one(Noun::SigningKey, &key.kid, Op::Put, sql, values)?;
            Ok(if before.is_some() { Put::Updated } else { Put::Created })
        })
    }
}

fn name(state: KeyState) -> &'static str {
    match state {
        KeyState::Next => "next",
        KeyState::Active => "active",
        KeyState::Retiring => "retiring",
        KeyState::Gone => "gone",
    }
}

fn read(row: &rusqlite::Row<'_>) -> Result<SigningKeyRecord, Error> {
    let row = Row::new(row, "signing_key", "kid");
    let state = row.get::<String>("state")?;
    let states = [KeyState::Next, KeyState::Active, KeyState::Retiring, KeyState::Gone];
    let time = |column| Ok::<_, Error>(row.get::<Option<i64>>(column)?.map(Timestamp::from_unix));
    Ok(SigningKeyRecord {
        kid: row.get("kid")?,
        issuer: row.get("issuer")?,
        purpose: row.get("purpose")?,
        version: row.get("version")?,
        state: states
            .into_iter()
            .find(|known| name(*known) == state)
            .ok_or_else(|| row.bad(format!("unknown state '{state}'")))?,
        certificate_der: row.get("certificate_der")?,
        wrapped: row.get("wrapped")?,
        kek_id: row.get("kek_id")?,
        published_at: row.time("published_at")?,
        activated_at: time("activated_at")?,
        retired_at: time("retired_at")?,
        revoked_at: time("revoked_at")?,
    })
}
